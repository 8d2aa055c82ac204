import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { answerWith, moved, type Representation } from '../answer-with.ts'
import { type ApiRoute, apiRoute, check, jsonBody } from '../api/api.ts'
import { notFound } from '../errors.ts'
import {
  everything,
  type FeedDocument,
  feedAnswer,
  feedDocuments,
  feedType,
  objectKeys,
  urlPaths,
} from '../keys.ts'
import type { Platform } from '../platform.ts'
import { currentSlug, getCategory, listCategories, resolveCategories } from '../posts/categories.ts'
import { dirtyCount, markDirty } from '../posts/dirty.ts'
import { feedLinks } from '../posts/post-answer.ts'
import { slugsIn } from '../slugs-in.ts'
import { feedAddress } from './channel.ts'
import { webAddress } from './guard.ts'
import { decodePath, oldAddresses } from './old-addresses.ts'
import { feedCacheControl } from './write-document.ts'
import { documentVersion } from './write-versioned.ts'

/** The feeds and the list of them, and the redirects that keep old addresses alive. GET and HEAD. */
export function feedPages(platform: Platform): Hono {
  const pages = new Hono()
  const old = oldAddresses(platform.settings)

  pages.get('/feeds.opml', async (c) => answerWith(c, await findOpml(platform)))

  pages.get('/feeds/:document', async (c, next) => {
    const document = documentNamed(c.req.param('document'))
    if (!document) return next()
    const found = await findFeed(platform, everything, document)
    return found ? answerFeed(c, everything, found) : next()
  })

  pages.get('/feeds/:slug/:document', async (c, next) => {
    const document = documentNamed(c.req.param('document'))
    if (!document) return next()
    for (const slug of slugsIn(c)) {
      const current = currentSlug(platform.settings, slug)
      if (current !== slug) return moved(c, urlPaths.feed(current, document))
      const found = await findFeed(platform, slug, document)
      if (found) return answerFeed(c, slug, found)
    }
    return next()
  })

  // After the feeds: no setting takes the address of one that exists, so none leads in a circle.
  pages.get('*', async (c, next) => {
    const path = decodePath(new URL(c.req.url).pathname)
    const address = path === undefined ? undefined : old.get(path)
    return address === undefined ? next() : moved(c, address)
  })
  return pages
}

/**
 * What a feed's address answers with: the stored document, or one rendered for this request when
 * there is none yet or a crash left it broken; the change count then sees to it that it is stored.
 * `undefined` when there is no such feed.
 */
async function findFeed(
  platform: Platform,
  feed: string,
  document: FeedDocument,
): Promise<Representation | undefined> {
  const { objects, settings } = platform
  const self = feedAddress(feed, document, settings)
  const shared = {
    contentType: feedType(document),
    cacheControl: feedCacheControl,
    isForAnySite: true,
    link: [[self, 'self'], ...settings.feeds.hubs.map((hub) => [webAddress(hub), 'hub'])]
      .flatMap(([href, rel]) => (href ? [`<${href}>; rel="${rel}"`] : []))
      .join(', '),
  }
  const stored = await objects.get(objectKeys.feed(feed, document))
  const version = stored && documentVersion(stored)
  if (version)
    return { ...shared, body: stored.body, lastModified: new Date(version.changed * 1000) }

  if (feed !== everything && !(await getCategory(platform, feed))) return undefined
  // Loaded where it is needed: a feed that is stored needs no renderer.
  const [{ renderDocuments }, { readSnapshot }] = await Promise.all([
    import('./documents.ts'),
    import('./snapshot.ts'),
  ])
  const snapshot = await readSnapshot(platform, feed, await dirtyCount(platform, feed))
  const { documents, faults } = renderDocuments(snapshot, settings)
  const rendered = documents.find((one) => one.document === document)
  if (!rendered) throw faults[0]?.fault ?? new Error('a document was not rendered')
  await markDirty(platform, [feed])
  return { ...shared, body: rendered.body, lastModified: new Date(snapshot.updated) }
}

/** The list as the pages' writer left it, or made for this request before it has. */
async function findOpml(platform: Platform): Promise<Representation> {
  const shared = {
    contentType: 'text/x-opml; charset=utf-8',
    cacheControl: feedCacheControl,
    isForAnySite: true,
  }
  const stored = await platform.objects.get(objectKeys.opml)
  if (stored) return { ...shared, body: stored.body, lastModified: stored.lastModified }
  const { renderOpml } = await import('./opml.ts')
  const text = renderOpml(await listCategories(platform), platform.settings)
  return { ...shared, body: new TextEncoder().encode(text), lastModified: platform.now() }
}

/**
 * Browsers show feeds as plain text or offer them as a download, and say so before they do: a
 * person is led to the feed's page, a reader never. `?raw` shows the feed itself.
 */
function answerFeed(c: Context, feed: string, found: Representation): Promise<Response> | Response {
  if (c.req.header('sec-fetch-dest') === 'document' && c.req.query('raw') === undefined) {
    c.header('cache-control', 'no-store')
    return c.redirect(feed === everything ? urlPaths.feeds : urlPaths.category(feed), 302)
  }
  return answerWith(c, found)
}

function documentNamed(name: string): FeedDocument | undefined {
  return feedDocuments.find((document) => document === name)
}

const addresses = v.object({
  ...feedLinks.entries,
  /** `queued`: rendered by a job that has not ended, or failed, when the answer is given. */
  state: v.picklist(['rendered', 'queued']),
})

const rebuildRequest = v.object({
  categories: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(500))), v.maxLength(1000))),
})

/** The API of the feeds. */
export const feedRoutes: ApiRoute[] = [
  apiRoute({
    method: 'post',
    path: '/api/v1/feeds/rebuild',
    summary:
      'Renders feeds and pages again from the stored posts: of the categories named, or all.',
    scope: 'posts:write',
    body: { 'application/json': rebuildRequest },
    isBodyOptional: true,
    answers: {
      200: {
        description: 'The feeds, in the order in which they were named.',
        content: { 'application/json': v.object({ feeds: v.array(addresses) }) },
      },
    },
    handle: async (c, platform) => {
      const input = await jsonBody(c, { optional: true })
      const { categories } = check(rebuildRequest, input, 'The request')
      const feeds = categories?.length
        ? await slugsOf(platform, categories)
        : [everything, ...(await listCategories(platform)).map(({ slug }) => slug)]
      const { rebuildFeeds } = await import('./rebuild.ts')
      const behind = await rebuildFeeds(platform, feeds)
      return c.json({
        feeds: feeds.map((feed) => ({
          ...(feed === everything ? {} : { category: feed }),
          ...feedAnswer((document) => feedAddress(feed, document, platform.settings)),
          state: behind.has(feed) ? 'queued' : 'rendered',
        })),
      })
    },
  }),
]

/** Slugs of categories given by slug or name; `*` is everything. */
async function slugsOf(platform: Platform, names: readonly string[]): Promise<string[]> {
  const resolved = await resolveCategories(
    platform,
    names.filter((name) => name !== everything),
    { make: false },
  )
  const slugs = [...new Set(names.map((name) => resolved.get(name) ?? name))]
  const found = await Promise.all(
    slugs.map((slug) => slug === everything || getCategory(platform, slug)),
  )
  const missing = slugs.find((_, i) => !found[i])
  if (missing !== undefined) throw notFound(`The category \`${missing}\``)
  return slugs
}
