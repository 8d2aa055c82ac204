import { type Context, Hono } from 'hono'
import { favicon, stylesheet } from '../../templates/assets/stylesheet.ts'
import { hasLook } from '../../templates/layouts/page.tsx'
import { answerWith, moved } from '../answer-with.ts'
import { assetCacheControl, pageCacheControl } from '../cache-control.ts'
import { ServiceError } from '../errors.ts'
import { lookOf } from '../feeds/render-note.ts'
import { documentVersion } from '../feeds/write-versioned.ts'
import { everything, objectKeys, urlPaths } from '../keys.ts'
import type { Platform, StoredObject } from '../platform.ts'
import { findPostBySlug } from '../posts/addresses.ts'
import { currentSlug, getCategory } from '../posts/categories.ts'
import { isPlace } from '../posts/date-index.ts'
import { dirtyCount, markDirty } from '../posts/dirty.ts'
import { slugsIn } from '../slugs-in.ts'
import { outboxPages } from './outbox.ts'

const html = 'text/html; charset=utf-8'

/** The pages and what they need. GET and HEAD. */
export function sitePages(platform: Platform): Hono {
  const pages = new Hono()
  const { settings, objects } = platform

  pages.get(urlPaths.home, (c) => answerFeedPage(c, platform, everything, urlPaths.home))
  pages.get(urlPaths.feeds, (c) => answerFeedPage(c, platform, everything, urlPaths.feeds))

  pages.get('/categories/:slug/', async (c, next) => {
    for (const slug of slugsIn(c)) {
      const current = currentSlug(settings, slug)
      if (current !== slug) return moved(c, urlPaths.category(current))
      const path = urlPaths.category(slug)
      const isKnown =
        (await objects.get(objectKeys.page(path))) ?? (await getCategory(platform, slug))
      if (isKnown) return answerFeedPage(c, platform, slug, path)
    }
    return next()
  })

  pages.get(
    '/older/:place/',
    async (c, next) => (await answerOlder(c, platform, everything)) ?? next(),
  )
  pages.get('/categories/:slug/older/:place/', async (c, next) => {
    const place = c.req.param('place')
    for (const slug of isPlace(place) ? slugsIn(c) : []) {
      const current = currentSlug(settings, slug)
      if (current !== slug) return moved(c, urlPaths.older(current, place))
      const found = await answerOlder(c, platform, slug)
      if (found) return found
    }
    return next()
  })

  pages.get('/posts/:slug/', async (c, next) => {
    for (const slug of slugsIn(c)) {
      const found = await findPostPage(platform, slug)
      if (found) return answerPage(c, found)
    }
    return next()
  })

  pages.get('/assets/:name', (c, next) => {
    const { css, path } = stylesheet(settings.site.accent)
    const name = c.req.param('name')
    if (!/^site\.[0-9a-f]{1,20}\.css$/.test(name)) return next()
    const isCurrent = path.endsWith(`/${name}`)
    return answerWith(c, {
      body: Buffer.from(css),
      contentType: 'text/css; charset=utf-8',
      lastModified: new Date(0),
      // A page made before an update asks for an older one: better today's than none.
      cacheControl: isCurrent ? assetCacheControl : 'public, max-age=300',
    })
  })
  pages.get(favicon.path, (c) =>
    answerWith(c, {
      body: Buffer.from(favicon.svg),
      contentType: 'image/svg+xml',
      lastModified: new Date(0),
      cacheControl: 'public, max-age=86400',
    }),
  )
  pages.get('/favicon.ico', (c) => moved(c, favicon.path))
  pages.get('/robots.txt', (c) => {
    c.header('cache-control', 'public, max-age=86400')
    return c.text(robots)
  })

  pages.get('/categories/:slug', addSlash)
  pages.get('/categories/:slug/older/:place', addSlash)
  pages.get('/older/:place', addSlash)
  pages.get('/posts/:slug', addSlash)
  pages.get('/feeds', addSlash)
  pages.get('/outbox', addSlash)
  pages.route('/', outboxPages(platform))
  return pages
}

/** Pages with tokens are for one person, and the rest is not for reading. */
const robots = `User-agent: *
${['/api', '/admin', '/outbox', '/confirm/', '/preferences/', '/unsubscribe/'].map((path) => `Disallow: ${path}`).join('\n')}
`

/**
 * A page of a feed as it is stored; before it is, one made for this request, and the change count
 * then sees to it that it gets stored.
 */
async function answerFeedPage(
  c: Context,
  platform: Platform,
  feed: string,
  path: string,
): Promise<Response> {
  const stored = await platform.objects.get(objectKeys.page(path))
  const version = stored && documentVersion(stored)
  if (stored && version) return answerPage(c, stored, new Date(version.changed * 1000))
  // Loaded where it is needed: a page that is stored needs no template.
  const [{ readSnapshot }, { feedPagesOf }] = await Promise.all([
    import('../feeds/snapshot.ts'),
    import('./write-pages.ts'),
  ])
  const snapshot = await readSnapshot(platform, feed, await dirtyCount(platform, feed))
  const made = (await feedPagesOf(platform, snapshot)).find((page) => page.path === path)
  if (!made) throw new ServiceError(404, 'not-found', 'There is nothing at this address.')
  await markDirty(platform, [feed])
  return answerPage(c, { body: Buffer.from(made.html), lastModified: new Date(snapshot.updated) })
}

/** Made for each request; the edge keeps it for as long as a stored page. */
async function answerOlder(
  c: Context,
  platform: Platform,
  feed: string,
): Promise<Response | undefined> {
  const { olderPosts } = await import('./older-posts.ts')
  const page = await olderPosts(platform, feed, c.req.param('place') ?? '')
  if (page === undefined) return undefined
  return answerPage(c, { body: Buffer.from(page), lastModified: platform.now() })
}

/** `undefined` for an address that no post ever had. @throws 410 for a post that was taken back */
async function findPostPage(
  platform: Platform,
  slug: string,
): Promise<Pick<StoredObject, 'body' | 'lastModified'> | undefined> {
  const { objects } = platform
  const key = objectKeys.page(urlPaths.post(slug))
  const stored = await objects.get(key)
  if (stored && hasLook(stored.body, lookOf(platform))) return stored
  const post = await findPostBySlug(platform, slug)
  if (post?.state === 'withdrawn') {
    throw new ServiceError(410, 'post.withdrawn', 'This post was withdrawn by its publisher.')
  }
  if (post?.state !== 'visible' || post.slug !== slug) return undefined
  const { writePostPages } = await import('./write-pages.ts')
  await writePostPages(platform, [post.id])
  return objects.get(key)
}

function answerPage(
  c: Context,
  { body, lastModified }: Pick<StoredObject, 'body' | 'lastModified'>,
  changed = lastModified,
): Promise<Response> {
  return answerWith(c, {
    body,
    contentType: html,
    lastModified: changed,
    cacheControl: pageCacheControl,
  })
}

function addSlash(c: Context): Response {
  const { pathname, search } = new URL(c.req.url)
  return moved(c, `${pathname}/${search}`)
}
