import * as v from 'valibot'
import { type ApiRoute, apiRoute, problemSchema } from '../api/api.ts'
import type { ImportLine } from './import-subscribers.ts'

const lineSchema = v.object({
  line: v.number(),
  outcome: v.picklist([
    'added',
    'updated',
    'unchanged',
    'pending',
    'left',
    'suppressed',
    'refused',
  ]),
  id: v.optional(v.string()),
  code: v.optional(v.string()),
  reason: v.optional(v.string()),
})

/** Whole lists of readers in and out, as CSV, row by row. What reads CSV is loaded with the first. */
export const listRoutes: readonly ApiRoute[] = [
  apiRoute({
    method: 'post',
    path: '/api/v1/subscribers/import',
    summary: 'Takes in a list of readers (CSV); answers one line (NDJSON) a row, as it goes',
    scope: 'readers:write',
    body: { 'text/csv': 'text' },
    answers: {
      200: {
        description: 'What became of each row',
        content: { 'application/x-ndjson': lineSchema },
      },
      422: {
        description: 'Not a list of readers; nothing was changed',
        content: { 'application/problem+json': problemSchema },
      },
    },
    async handle(c, platform) {
      const { importSubscribers } = await import('./import-subscribers.ts')
      const lines = importSubscribers(platform, chunksOf(c.req.raw.body))
      // Pulled before the status goes out: a file that is no list is refused as a whole.
      const first = await lines.next()
      async function* all(): AsyncGenerator<string> {
        for (let next = first; !next.done; next = await lines.next()) yield lineOf(next.value)
      }
      return c.body(streamOf(all()), 200, {
        'content-type': 'application/x-ndjson; charset=utf-8',
        'cache-control': 'no-store',
      })
    },
  }),
  apiRoute({
    method: 'get',
    path: '/api/v1/subscribers/export',
    summary: 'All readers who are confirmed, paused or still to confirm, as CSV',
    scope: 'readers:read',
    answers: { 200: { description: 'The list', content: { 'text/csv': 'text' } } },
    async handle(c, platform) {
      const { exportSubscribers } = await import('./export-subscribers.ts')
      return c.body(streamOf(exportSubscribers(platform)), 200, {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': 'attachment; filename="subscribers.csv"',
        'cache-control': 'no-store',
      })
    },
  }),
]

const lineOf = (line: ImportLine) => `${JSON.stringify(line)}\n`

async function* chunksOf(
  body: ReadableStream<Uint8Array> | null,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body) yield* body
}

/** Pulled by the reader of the answer, so that nothing piles up. */
function streamOf(texts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text = ''
      // Lines are gathered, so that a long list is not sent in thousands of tiny pieces.
      while (text.length < 16_384) {
        const next = await texts.next()
        if (next.done) {
          if (text) controller.enqueue(encoder.encode(text))
          return controller.close()
        }
        text += next.value
      }
      controller.enqueue(encoder.encode(text))
    },
    async cancel() {
      await texts.return(undefined)
    },
  })
}
