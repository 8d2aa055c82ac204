import * as v from 'valibot'
import { apiRoute, queryOf } from '../api/api.ts'
import { ServiceError } from '../errors.ts'
import type { Platform } from '../platform.ts'
import type { ImportOptions, ReportLine } from './import.ts'
import { type ImportLine, readImportLine } from './import-line.ts'
import { lineBytes, readLines } from './ndjson.ts'

/**
 * Report lines that may wait for a client which sends everything before it reads anything: with
 * less, such a client and this server would wait for each other.
 */
const waitingBytes = 32 * 1024 * 1024

const flag = v.optional(
  v.pipe(
    v.picklist(['true', 'false', '1', '0', ''], 'must be `true` or `false`'),
    v.transform((text) => text !== 'false' && text !== '0'),
  ),
  'false',
)
const importQuery = v.object({
  /** Of an import in several requests: a name that all of them carry, and the number of the first line. */
  import: v.optional(
    v.pipe(v.string(), v.regex(/^[\w-]{8,64}$/, 'must be 8 to 64 letters, digits, `_` or `-`')),
  ),
  line: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[1-9]\d{0,8}$/, 'must be the number of a line, from 1'),
      v.transform(Number),
    ),
    '1',
  ),
  dryRun: flag,
  mail: flag,
  identity: v.optional(v.picklist(['path', 'name'], 'must be `path` or `name`')),
})

const mediaTypes = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

const reportSchema = v.object({
  path: v.string(),
  outcome: v.picklist(['published', 'updated', 'unchanged', 'hidden', 'ignored', 'refused']),
  id: v.optional(v.string()),
  code: v.optional(v.string()),
  reason: v.optional(v.string()),
})

/** `POST /api/v1/imports`: posts line by line in, outcomes line by line out, while both go on. */
export const importRoute = apiRoute({
  method: 'post',
  path: '/api/v1/imports',
  summary: 'Imports posts as NDJSON, `{path, source}` or a post a line, and reports each as a line',
  scope: 'posts:write',
  query: importQuery,
  body: { 'application/x-ndjson': 'text' },
  answers: {
    200: {
      description: 'A line for each line, in their order',
      content: { 'application/x-ndjson': reportSchema },
    },
  },
  handle(c, platform) {
    const { dryRun, mail, identity, import: id, line: firstLine } = queryOf(c, importQuery)
    const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
    if (!mediaTypes.includes(type)) {
      throw new ServiceError(
        415,
        'media-type',
        'An import is NDJSON, one JSON document a line: send it as `application/x-ndjson`.',
      )
    }
    const options: ImportOptions = {
      dryRun,
      mail,
      ...(identity ? { identity } : {}),
      ...(id ? { part: { id, firstLine } } : {}),
    }
    return new Response(reportOf(platform, c.req.raw.body, options, firstLine), {
      headers: {
        'content-type': 'application/x-ndjson; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      },
    })
  },
})

function reportOf(
  platform: Platform,
  body: ReadableStream<Uint8Array> | null,
  options: ImportOptions,
  firstLine: number,
): ReadableStream<Uint8Array> {
  const jobIds: string[] = []
  const onJobs = (ids: readonly string[]) => jobIds.push(...ids)
  const report = reportLines(platform, linesOf(body, firstLine), { ...options, onJobs })
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await report.next()
          if (!next.done) {
            controller.enqueue(encoder.encode(`${JSON.stringify(next.value)}\n`))
            return
          }
          // The end of the answer says that feeds and pages show it, where that happens here.
          await platform.settled(jobIds)
          controller.close()
        } catch (error) {
          // The answer has begun, so its breaking off is what tells the client.
          platform.log.error('import.failed', error)
          controller.error(error)
        }
      },
      async cancel() {
        await report.return(undefined)
      },
    },
    { highWaterMark: waitingBytes, size: (chunk) => chunk.byteLength },
  )
}

async function* reportLines(
  platform: Platform,
  lines: AsyncIterable<ImportLine>,
  options: ImportOptions,
): AsyncGenerator<ReportLine> {
  const { importPosts } = await import('./import.ts')
  yield* importPosts(platform, lines, options)
}

async function* linesOf(
  body: ReadableStream<Uint8Array> | null,
  firstLine: number,
): AsyncGenerator<ImportLine> {
  if (!body) return
  for await (const { number: n, text, fault } of readLines(body, lineBytes)) {
    const number = firstLine - 1 + n
    yield text === undefined
      ? { status: 'refused', name: `line ${number}`, code: 'import.line', reason: fault ?? '' }
      : readImportLine(text, number)
  }
}
