import { Hono } from 'hono'
import * as v from 'valibot'
import { type ApiRoute, apiRoute, pageQuery, queryOf } from '../api/api.ts'
import { notFound } from '../errors.ts'
import { urlPaths } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { isSubscriberId } from '../subscribers/address.ts'
import { getSubscriber } from '../subscribers/store.ts'
import { listDeliveries, listDeliveriesOf } from './delivery/list-deliveries.ts'
import { feedbackRoute } from './feedback/feedback-route.ts'
import { approveLetter } from './letters/approve-letter.ts'
import { previewRoutes } from './previews/preview-routes.ts'
import { pauseRun, resumeRun, retryRun } from './runs/control-run.ts'
import { dueRoutes } from './runs/due-routes.ts'
import type { Run } from './runs/run.ts'
import { getRun, newestRuns } from './runs/run-store.ts'
import { describeRun, runSchema } from './runs/run-view.ts'

const states = ['accepted', 'suppressed', 'failed', 'unknown', 'empty', 'pending'] as const

const deliverySchema = v.object({
  id: v.string(),
  runId: v.string(),
  subscriberId: v.string(),
  state: v.picklist(states),
  attempts: v.number(),
  reason: v.optional(v.string()),
  at: v.string(),
})
const pageOf = <S extends v.GenericSchema>(item: S) =>
  v.object({ items: v.array(item), cursor: v.optional(v.string()) })
const deliveriesQuery = v.object({ ...pageQuery.entries, state: v.optional(v.picklist(states)) })
const oneRun = { 'application/json': runSchema }

/** Runs with their books, what became of each delivery, the preview of a digest, and feedback. */
export const digestRoutes: ApiRoute[] = [
  apiRoute({
    method: 'get',
    path: '/api/v1/runs',
    summary: 'Lists runs with their books, newest first.',
    scope: 'runs:read',
    query: pageQuery,
    answers: {
      200: {
        description: 'A page of runs.',
        content: { 'application/json': pageOf(runSchema) },
      },
    },
    async handle(c, platform) {
      const { limit, cursor } = queryOf(c, pageQuery)
      const page = await newestRuns(platform, {
        limit,
        ...(cursor === undefined ? {} : { cursor }),
      })
      const items = []
      for (const { value } of page.records) items.push(await describeRun(platform, value))
      return c.json({ items, ...(page.cursor ? { cursor: page.cursor } : {}) })
    },
  }),
  apiRoute({
    method: 'get',
    path: '/api/v1/runs/:id',
    summary: 'Shows a run with its books.',
    scope: 'runs:read',
    answers: { 200: { description: 'The run.', content: oneRun } },
    handle: async (c, platform) =>
      c.json(await describeRun(platform, await runNamed(platform, c.req.param('id')))),
  }),
  apiRoute({
    method: 'get',
    path: '/api/v1/runs/:id/deliveries',
    summary: 'Lists what became of each reader in a run.',
    scope: 'runs:read',
    query: deliveriesQuery,
    answers: {
      200: {
        description: 'A page of deliveries; with `state` it may be short and still have a cursor.',
        content: { 'application/json': pageOf(deliverySchema) },
      },
    },
    async handle(c, platform) {
      const query = queryOf(c, deliveriesQuery)
      return c.json(
        await listDeliveries(platform, await runNamed(platform, c.req.param('id')), query),
      )
    },
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/runs/:id/retry',
    summary: 'Visits the failed deliveries of a run again and sends what is still owed of each.',
    scope: 'runs:write',
    answers: { 200: { description: 'The run, open again.', content: oneRun } },
    async handle(c, platform) {
      const { id } = await runNamed(platform, c.req.param('id'))
      return c.json(await describeRun(platform, await retryRun(platform, id)))
    },
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/runs/:id/pause',
    summary: 'Holds a run: nothing more is sent until it is resumed.',
    scope: 'runs:write',
    answers: { 200: { description: 'The run, paused.', content: oneRun } },
    async handle(c, platform) {
      const { id } = await runNamed(platform, c.req.param('id'))
      return c.json(await describeRun(platform, await pauseRun(platform, id)))
    },
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/runs/:id/resume',
    summary: 'Lets a paused run go on; a letter that waits for approval is approved by it.',
    scope: 'runs:write',
    answers: { 200: { description: 'The run.', content: oneRun } },
    async handle(c, platform) {
      const { id } = await runNamed(platform, c.req.param('id'))
      return c.json(await describeRun(platform, await resumeRun(platform, id)))
    },
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/runs/:id/approve',
    summary: 'Lets a letter that waits for approval go, at its time.',
    scope: 'runs:write',
    answers: { 200: { description: 'The run.', content: oneRun } },
    async handle(c, platform) {
      const { id } = await runNamed(platform, c.req.param('id'))
      return c.json(await describeRun(platform, await approveLetter(platform, id)))
    },
  }),
  apiRoute({
    method: 'get',
    path: '/api/v1/subscribers/:id/deliveries',
    summary: "Lists a reader's deliveries, newest first.",
    scope: 'readers:read',
    query: pageQuery,
    answers: {
      200: {
        description: 'A page of deliveries.',
        content: { 'application/json': pageOf(deliverySchema) },
      },
    },
    async handle(c, platform) {
      const id = c.req.param('id') ?? ''
      const reader = isSubscriberId(id) ? await getSubscriber(platform, id) : undefined
      if (!reader) throw notFound('A subscriber of this id')
      return c.json(await listDeliveriesOf(platform, id, queryOf(c, pageQuery)))
    },
  }),
  ...previewRoutes,
  ...dueRoutes,
  feedbackRoute,
]

async function runNamed(platform: Pick<Platform, 'records'>, id = ''): Promise<Run> {
  // A key part of any length would be refused as a fault.
  const run = /^[\w-]{1,200}$/.test(id) ? await getRun(platform, id) : undefined
  if (!run) throw notFound('A run of this id')
  return run.value
}

/** The public archive of past digests. GET and HEAD. */
export function digestPages(platform: Platform): Hono {
  const pages = new Hono()
  pages.get('/archive', (c) => c.redirect(urlPaths.archive, 301))
  pages.get(urlPaths.archive, async (c) => {
    const { showArchive } = await import('./editions/archive-pages.ts')
    return showArchive(c, platform)
  })
  pages.get('/archive/:id/', async (c, next) => {
    const { showEdition } = await import('./editions/archive-pages.ts')
    return (await showEdition(c, platform)) ?? next()
  })
  return pages
}
