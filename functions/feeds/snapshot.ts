import { everything, recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { type Category, getCategory } from '../posts/categories.ts'
import { newestDated, standsIn } from '../posts/date-index.ts'
import { withOwnAddress, withOwnAddresses } from '../posts/own-address.ts'
import { getPosts, type Post } from '../posts/post.ts'
import { getStoredBody } from '../posts/post-body.ts'
import type { WithdrawnRow } from '../posts/stored-post.ts'
import type { FeedEntry } from './entry.ts'
import { escapeText } from './escape.ts'
import { type Bodies, manifestKey, readManifest, writeManifest } from './manifest.ts'

/** What a feed and its pages are rendered from: one look at the stored posts. */
export interface FeedSnapshot {
  /** A category's slug, or `*`. */
  feed: string
  /** Absent for everything, and for a category that is no longer known. */
  category?: Category
  /** In the window, newest first. */
  entries: FeedEntry[]
  /** There are older posts. */
  hasMore: boolean
  /** Names of the categories of those entries, by slug. */
  categoryTitles: ReadonlyMap<string, string>
  /** Posts taken back within `keep.tombstonesDays`, newest first. */
  withdrawn: { entryId: string; at: string }[]
  /** The count of changes that was read before anything else: later ones may be missing. */
  dirty: number
  /** The newest change to what it shows, RFC 3339; the year 1970 for a feed without any. */
  updated: string
}

const hours48 = 48 * 60 * 60 * 1000
const mostEntries = 200
const mostBytes = 1024 * 1024
const mostWithdrawn = 100

/**
 * Looks at a feed as it stands: the entries within 48 hours of its newest, at least
 * `feeds.entries` if there are, at most 200 and 1 MB of HTML, and one in any case.
 */
export async function readSnapshot(
  platform: Pick<Platform, 'records' | 'objects' | 'settings' | 'now' | 'log'>,
  feed: string,
  dirty: number,
): Promise<FeedSnapshot> {
  const [window, kept, withdrawn, category] = await Promise.all([
    readWindow(platform, feed),
    readManifest(platform, feed),
    readWithdrawn(platform, feed),
    feed === everything ? undefined : getCategory(platform, feed),
  ])
  const stored = await readEntries(platform, window.posts, kept)
  await writeManifest(platform, feed, stored, kept)
  const entries = stored.map(({ post, html }) => ({
    post: withOwnAddresses(post, platform.settings),
    html: withOwnAddress(html, platform.settings),
  }))
  const instants = [...entries.map(({ post }) => post.updated), ...withdrawn.map(({ at }) => at)]
  return {
    feed,
    ...(category ? { category } : {}),
    entries,
    hasMore: window.hasMore || entries.length < window.posts.length,
    categoryTitles: await readTitles(platform, entries),
    withdrawn,
    dirty,
    updated: instants.toSorted().at(-1) ?? new Date(0).toISOString(),
  }
}

/** The posts in the window but for its bound of bytes, from the date index. */
async function readWindow(
  { records, settings }: Pick<Platform, 'records' | 'settings'>,
  feed: string,
): Promise<{ posts: Post[]; hasMore: boolean }> {
  const atLeast = Math.min(settings.feeds.entries, mostEntries)
  const posts = new Map<string, Post>()
  let oldest = 0
  let hasMore = false
  for await (const post of datedPosts({ records }, feed)) {
    const published = Date.parse(post.published)
    if (posts.size === 0) oldest = published - hours48
    hasMore = posts.size >= mostEntries || (posts.size >= atLeast && published < oldest)
    if (hasMore) break
    posts.set(post.id, post)
  }
  return { posts: [...posts.values()], hasMore }
}

/** Newest first. A row may outlive a move or a withdrawal, so the record decides. */
async function* datedPosts(
  { records }: Pick<Platform, 'records'>,
  feed: string,
): AsyncGenerator<Post> {
  let cursor: string | undefined
  do {
    const page = await newestDated({ records }, feed, {
      limit: mostEntries,
      ...(cursor === undefined ? {} : { cursor }),
    })
    for (let at = 0; at < page.rows.length; at += 25) {
      const rows = page.rows.slice(at, at + 25)
      const ids = rows.map((row) => row.id)
      for (const [i, post] of (await getPosts({ records }, ids)).entries()) {
        if (post && post.published === rows[i]?.published && standsIn(post, feed)) yield post
      }
    }
    cursor = page.cursor
  } while (cursor !== undefined)
}

async function readEntries(
  platform: Pick<Platform, 'records' | 'objects' | 'log'>,
  posts: readonly Post[],
  kept: Bodies,
): Promise<FeedEntry[]> {
  const entries: FeedEntry[] = []
  let bytes = 0
  // A few at a time: enough to hide the latency of a store, and little is read beyond the bound.
  for (let at = 0; at < posts.length; at += 20) {
    const some = posts.slice(at, at + 20)
    const bodies = await Promise.all(some.map((post) => readHtml(platform, post, kept)))
    for (const [i, post] of some.entries()) {
      const html = bodies[i] ?? ''
      bytes += Buffer.byteLength(html)
      if (bytes > mostBytes && entries.length > 0) return entries
      entries.push({ post, html })
    }
  }
  return entries
}

async function readHtml(
  platform: Pick<Platform, 'records' | 'objects' | 'log'>,
  post: Post,
  kept: Bodies,
): Promise<string> {
  const known = kept.get(manifestKey(post))
  if (known !== undefined) return known
  const body = await getStoredBody(platform, post)
  if (body) return body.html
  platform.log.error('feed.body-missing', new Error('a post has no body'), { postId: post.id })
  return `<p>${escapeText(post.summary)}</p>`
}

async function readTitles(
  platform: Pick<Platform, 'records' | 'settings'>,
  entries: readonly FeedEntry[],
): Promise<Map<string, string>> {
  const slugs = [...new Set(entries.flatMap(({ post }) => post.categories))]
  const categories = await Promise.all(slugs.map((slug) => getCategory(platform, slug)))
  return new Map(slugs.map((slug, i) => [slug, categories[i]?.title ?? slug]))
}

/** The newest first. A post that came back is not withdrawn, whatever its row says. */
async function readWithdrawn(
  { records, settings, now }: Pick<Platform, 'records' | 'settings' | 'now'>,
  feed: string,
): Promise<FeedSnapshot['withdrawn']> {
  const from = new Date(now().getTime() - settings.keep.tombstonesDays * 86_400_000).toISOString()
  const page = await records.query<WithdrawnRow>(recordKeys.withdrawn(feed), {
    from,
    reverse: true,
    limit: mostWithdrawn,
  })
  const rows = page.records.map((record) => record.value)
  const posts = await getPosts(
    { records },
    rows.map((row) => row.id),
  )
  return rows.flatMap(({ entryId, withdrawnAt }, i) =>
    posts[i] && posts[i].state !== 'withdrawn' ? [] : [{ entryId, at: withdrawnAt }],
  )
}
