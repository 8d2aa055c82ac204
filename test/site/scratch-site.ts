import { Hono } from 'hono'
import { afterEach, beforeEach } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import type { Platform } from '../../functions/platform.ts'
import { errorPage } from '../../functions/site/error-page.ts'
import { sitePages } from '../../functions/site/routes.ts'
import { publishPosts } from '../support/publish-posts.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'

/** That of the running test; opened before it. */
export let platform: ScratchPlatform

export let app: Hono

/** The pages with errors turned into pages, as the whole service does it. */
export function siteOf(of: Platform): Hono {
  const site = new Hono({ strict: true })
  site.route('/', sitePages(of))
  site.notFound(() => errorPage(new ServiceError(404, 'not-found', 'Nothing.'), of))
  site.onError((error) => {
    if (error instanceof ServiceError) return errorPage(error, of)
    throw error
  })
  return site
}

beforeEach(async () => {
  platform = await scratchPlatform({ settings: { site: { title: '江畔 & Ledger' } } })
  app = siteOf(platform)
})

afterEach(() => platform.close())

export const markdown = (front: string, body: string) => ({
  bytes: Buffer.from(`---\n${front}\n---\n${body}\n`),
  contentType: 'text/markdown' as const,
})

export async function publish(front: string, body = 'Text.') {
  const [outcome] = await publishPosts(platform, [markdown(front, body)], { way: 'publish' })
  if (!outcome || !('post' in outcome)) throw new Error(JSON.stringify(outcome))
  await platform.settle()
  return outcome.post
}

export const page = async (path: string, init?: RequestInit) => {
  const response = await app.request(`https://news.example${path}`, init)
  return { status: response.status, headers: response.headers, text: await response.text() }
}
