import * as v from 'valibot'
import { type ApiRoute, apiRoute, check, jsonBody } from '../../api/api.ts'
import { runSchema } from './run-view.ts'

const dueSchema = v.object({
  last: v.pipe(
    v.number(),
    v.description('The number of the newest post that is listed, or that the next tick lists.'),
  ),
  runs: v.array(
    v.object({
      id: v.optional(v.string()),
      schedule: v.string(),
      kind: runSchema.entries.kind,
      dueAt: v.string(),
      state: v.optional(
        v.pipe(runSchema.entries.state, v.description('Absent: the next tick makes it.')),
      ),
      reason: v.optional(v.string()),
      to: v.pipe(v.number(), v.description('The number of the newest post that it can deliver.')),
      readers: v.pipe(v.number(), v.description('Whom it still has to visit.')),
      isAtLeast: v.boolean(),
      owed: v.optional(v.pipe(v.number(), v.description('To how many of them something is owed.'))),
    }),
  ),
})
const skipRequest = v.strictObject({
  to: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  after: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'must be one that was given'))),
})
const skippedSchema = v.object({
  to: v.number(),
  readers: v.number(),
  after: v.optional(v.string()),
})

/** What would go out if sending went on, and how to leave it out. */
export const dueRoutes: ApiRoute[] = [
  apiRoute({
    method: 'get',
    path: '/api/v1/sending/due',
    summary: 'Says what would be mailed if sending went on now. Changes nothing.',
    scope: 'runs:read',
    answers: {
      200: {
        description: 'Runs that are open, and those that the next tick would make.',
        content: { 'application/json': dueSchema },
      },
    },
    async handle(c, platform) {
      const { whatIsDue } = await import('./what-is-due.ts')
      return c.json(await whatIsDue(platform))
    },
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/sending/skip',
    summary:
      'Lists what has come due and counts everything listed so far as delivered, 1,000 readers a request. Only while paused.',
    scope: 'runs:write',
    body: { 'application/json': skipRequest },
    answers: {
      200: {
        description: 'How far it came: repeat it with `to` and `after` until there is no `after`.',
        content: { 'application/json': skippedSchema },
      },
    },
    async handle(c, platform) {
      const from = check(skipRequest, await jsonBody(c))
      const { skipOwed } = await import('./skip-owed.ts')
      return c.json(await skipOwed(platform, from))
    },
  }),
]
