import * as v from 'valibot'
import { getRun, newestRuns } from '../digests/runs/run-store.ts'
import { describeRun, runSchema } from '../digests/runs/run-view.ts'
import { notFound, ServiceError } from '../errors.ts'
import type { Machine, Platform } from '../platform.ts'
import { pauseSending, readSending, resumeSending } from '../sending.ts'
import { type ApiRoute, apiRoute, check, jsonBody } from './api.ts'
import { createApiKey, listApiKeys, revokeApiKey, scopes } from './api-keys.ts'
import { instantSchema } from './instant-schema.ts'

const keySchema = v.object({
  name: v.string(),
  scopes: v.array(v.picklist(scopes)),
  createdAt: v.string(),
})
const madeKeySchema = v.object({ ...keySchema.entries, key: v.string() })
const newKeySchema = v.strictObject({
  name: v.pipe(v.string(), v.maxLength(64)),
  scopes: v.optional(v.pipe(v.array(v.picklist(scopes)), v.minLength(1))),
})
const pauseSchema = v.strictObject({ reason: v.optional(v.pipe(v.string(), v.maxLength(200))) })
const tickSchema = v.strictObject({
  now: v.optional(instantSchema),
})
const backupSchema = v.strictObject({
  folder: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
})
const sendingSchema = v.object({
  paused: v.boolean(),
  since: v.optional(v.string()),
  reason: v.optional(v.string()),
})

/** What concerns the service as a whole: its keys, its links, its sending, its data. */
export const serviceRoutes: readonly ApiRoute[] = [
  apiRoute({
    method: 'get',
    path: '/api/v1/keys',
    summary: 'Lists the API keys; never the keys themselves.',
    scope: 'admin',
    answers: {
      200: {
        description: 'All keys.',
        content: { 'application/json': v.object({ items: v.array(keySchema) }) },
      },
    },
    handle: async (c, platform) => c.json({ items: await listApiKeys(platform) }),
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/keys',
    summary: 'Makes an API key. The answer is the only place where it ever stands.',
    scope: 'admin',
    body: { 'application/json': newKeySchema },
    answers: {
      201: { description: 'The key.', content: { 'application/json': madeKeySchema } },
    },
    async handle(c, platform) {
      const wanted = check(newKeySchema, await jsonBody(c))
      const made = await createApiKey(platform, wanted.name, wanted.scopes)
      return c.json(made, 201, { 'cache-control': 'no-store' })
    },
  }),
  apiRoute({
    method: 'delete',
    path: '/api/v1/keys/:name',
    summary: 'Revokes an API key: the next request with it is refused.',
    scope: 'admin',
    answers: { 204: { description: 'Revoked.' } },
    async handle(c, platform) {
      const name = c.req.param('name') ?? ''
      if (!(await revokeApiKey(platform, name))) throw notFound('A key of this name')
      return c.body(null, 204)
    },
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/tick',
    summary:
      'Does all that is due at an instant (default: now) and runs the queues dry. Local only.',
    scope: 'admin',
    body: { 'application/json': tickSchema },
    isBodyOptional: true,
    answers: {
      200: {
        description: 'The runs that it made or drove on, as they stand afterwards.',
        content: {
          'application/json': v.object({ at: v.string(), runs: v.array(runSchema) }),
        },
      },
    },
    async handle(c, platform) {
      const { now } = check(tickSchema, await jsonBody(c, { optional: true }))
      const machine = machineOf(platform)
      const clock = now ? machine.at(new Date(now)) : platform
      return c.json(await machine.alone(() => tickBy(clock, platform.now())))
    },
  }),
  apiRoute({
    method: 'get',
    path: '/api/v1/sending',
    summary: 'Says whether runs may send.',
    scope: 'runs:read',
    answers: {
      200: { description: 'How it stands.', content: { 'application/json': sendingSchema } },
    },
    handle: async (c, platform) => c.json(await readSending(platform)),
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/sending/pause',
    summary: 'Stops all runs. What is owed stays owed, and then comes to each reader in one mail.',
    scope: 'runs:write',
    body: { 'application/json': pauseSchema },
    isBodyOptional: true,
    answers: { 200: { description: 'Stopped.', content: { 'application/json': sendingSchema } } },
    async handle(c, platform) {
      const { reason } = check(pauseSchema, await jsonBody(c, { optional: true }))
      return c.json(await pauseSending(platform, reason))
    },
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/sending/resume',
    summary: 'Lets runs send again.',
    scope: 'runs:write',
    answers: {
      200: { description: 'Sending again.', content: { 'application/json': sendingSchema } },
    },
    handle: async (c, platform) => c.json(await resumeSending(platform)),
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/links/rotate',
    summary: 'Signs links with a new key from now on. Links already mailed still work.',
    scope: 'admin',
    answers: {
      200: {
        description: 'How many keys verify links now.',
        content: { 'application/json': v.object({ keys: v.number() }) },
      },
    },
    async handle(c, platform) {
      await platform.rotateLinks()
      return c.json({ keys: platform.secrets.links.length })
    },
  }),
  apiRoute({
    method: 'post',
    path: '/api/v1/backup',
    summary:
      'Copies the data folder, as it stands at one instant, into an empty folder. Local only.',
    scope: 'admin',
    body: { 'application/json': backupSchema },
    answers: {
      200: {
        description: 'What was copied.',
        content: { 'application/json': v.object({ files: v.number(), bytes: v.number() }) },
      },
    },
    async handle(c, platform) {
      const { folder } = check(backupSchema, await jsonBody(c))
      return c.json(await machineOf(platform).backup(folder))
    },
  }),
]

/** A tick by hand: everything is driven on, and its jobs are done before the answer. */
async function tickBy(platform: Platform, present: Date) {
  const before = new Set(await newestIds(platform))
  // The clock comes along with the first tick, not with the server.
  const { tick } = await import('../tick.ts')
  const isAhead = platform.now() > present
  const report = await tick(platform, { driveAll: true, isAhead })
  await machineOf(platform).drain()
  // Jobs make runs, too: those of instant readers and of letters.
  const made = (await newestIds(platform)).filter((id) => !before.has(id))
  const ids = new Set([...report.runs.map(({ id }) => id), ...report.driven, ...made])
  const runs = []
  for (const id of ids) {
    const run = await getRun(platform, id)
    if (run) runs.push(await describeRun(platform, run.value))
  }
  return { at: report.at, runs }
}

async function newestIds(platform: Pick<Platform, 'records'>): Promise<string[]> {
  const { records } = await newestRuns(platform, { limit: 200 })
  return records.map(({ value }) => value.id)
}

/** What only one machine can do, or a refusal that says so. */
function machineOf(platform: Pick<Platform, 'machine'>): Machine {
  if (platform.machine) return platform.machine
  throw new ServiceError(
    409,
    'local-only',
    'This works only where the service runs as one process on one machine.',
  )
}
