import { Hono } from 'hono'
import { afterEach, beforeEach } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { regenerateFeed } from '../../functions/feeds/regenerate.ts'
import { feedPages, feedRoutes } from '../../functions/feeds/routes.ts'
import { everything } from '../../functions/keys.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { storePost } from './stored-posts.ts'

/** That of the running test; opened before it. */
export let platform: ScratchPlatform

export let app: Hono

/** Opens a service in the place of the one before. */
export async function open(settings: Parameters<typeof scratchPlatform>[0] = {}) {
  await platform?.close()
  platform = await scratchPlatform(settings)
  app = new Hono()
  for (const route of feedRoutes) {
    app.on(route.method.toUpperCase(), route.path, (c) => route.handle(c, platform))
  }
  app.route('/', feedPages(platform))
  app.onError((error, c) => {
    if (!(error instanceof ServiceError)) throw error
    return c.json({ code: error.code }, error.status as 404)
  })
}

beforeEach(() => open())

afterEach(() => platform.close())

export function get(path: string, headers: Record<string, string> = {}) {
  return app.request(`https://news.example${path}`, { headers })
}

export async function publish(over: Parameters<typeof storePost>[1] = {}, html?: string) {
  const post = await storePost(platform, over, html)
  for (const feed of [everything, ...post.categories]) await regenerateFeed(platform, feed)
  return post
}
