import { Hono } from 'hono'
import * as v from 'valibot'
import { afterEach, beforeEach, expect } from 'vitest'
import { problem, problemSchema } from '../../functions/api/api.ts'
import { ServiceError } from '../../functions/errors.ts'
import type { Platform } from '../../functions/platform.ts'
import { changeSchema } from '../../functions/posts/post-answer.ts'
import { postRoutes } from '../../functions/posts/routes.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'

/** That of the running test. */
export let platform: ScratchPlatform

/** Jobs are not run here; what a caller would wait for is noted. */
export let awaited: string[]

beforeEach(async () => {
  platform = await scratchPlatform()
  awaited = []
})

afterEach(() => platform.close())

/** The posts' routes alone, with errors answered as the service does. */
export function appOf(of: Platform) {
  const app = new Hono()
  const quiet = { ...of, settled: async (ids: readonly string[]) => void awaited.push(...ids) }
  for (const route of postRoutes) {
    app.on(route.method.toUpperCase(), route.path, (c) => route.handle(c, quiet))
  }
  app.onError((error) => {
    if (error instanceof ServiceError) return problem(error, of.settings.site.baseUrl)
    throw error
  })
  return app
}

export const send = async (
  method: string,
  path: string,
  body?: BodyInit,
  headers: Record<string, string> = {},
) => appOf(platform).request(path, { method, headers, ...(body === undefined ? {} : { body }) })

export const json = { 'content-type': 'application/json' }

export const md = { 'content-type': 'text/markdown' }

export const post = (body: object, headers = {}, query = '') =>
  send('POST', `/api/v1/posts${query}`, JSON.stringify(body), { ...json, ...headers })

export const hello = { id: 'h', title: 'Hello', categories: ['News'], content: 'Two *words*.' }

export async function changeOf(response: Response) {
  expect(response.status).toBeLessThan(300)
  return v.parse(v.strictObject(changeSchema.entries), await response.json())
}

export async function problemOf(response: Response, status: number) {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.status).toBe(status)
  return v.parse(problemSchema, await response.json())
}
