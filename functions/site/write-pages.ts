import { chooseLocale } from '../../templates/locales/index.ts'
import { categoryPage } from '../../templates/pages/category-page.tsx'
import { feedsPage } from '../../templates/pages/feeds-page.tsx'
import { homePage } from '../../templates/pages/home-page.tsx'
import { postPage } from '../../templates/pages/post-page.tsx'
import { renderOpml } from '../feeds/opml.ts'
import { lookOf } from '../feeds/render-note.ts'
import type { FeedSnapshot } from '../feeds/snapshot.ts'
import { everything, objectKeys, recordKeys, urlPaths } from '../keys.ts'
import type { Platform, StoredRecord } from '../platform.ts'
import { type Category, getCategory, listCategories } from '../posts/categories.ts'
import { placeAfter } from '../posts/date-index.ts'
import { dirtyCount } from '../posts/dirty.ts'
import { withOwnAddresses } from '../posts/own-address.ts'
import type { Post } from '../posts/post.ts'
import { getPostBody } from '../posts/post-body.ts'
import { writeAssets, writeFeedPage, writePage } from './write-page.ts'

type Parts = Pick<Platform, 'records' | 'objects' | 'settings' | 'now' | 'version'>

/** Posts on the front page; what is older stands on pages of its own (`older-posts.ts`). */
const postsOnFront = 30

/**
 * Writes the pages that a feed's change touches: a category's own; for everything the front page,
 * the directory of feeds and the OPML list. Repeating it writes nothing, and a page made from an
 * older snapshot never replaces one from a newer.
 */
export async function writeFeedPages(platform: Parts, snapshot: FeedSnapshot): Promise<void> {
  const { feed, dirty } = snapshot
  const newestCount = () => dirtyCount(platform, feed)
  const pages = await feedPagesOf(platform, snapshot)
  await writeAssets(platform)
  await Promise.all(
    pages.map(({ path, html }) => writeFeedPage(platform, path, html, dirty, newestCount)),
  )
  if (feed === everything) await writeOpml(platform)
}

/** The pages of a feed as they follow from a snapshot; none for a category that is not known. */
export async function feedPagesOf(
  platform: Pick<Platform, 'records' | 'settings'>,
  { feed, category, entries, hasMore, categoryTitles }: FeedSnapshot,
): Promise<{ path: string; html: string }[]> {
  const { settings } = platform
  const locale = chooseLocale(undefined, settings)
  const posts = entries.map(({ post }) => post)
  const olderThan = (last: Post | undefined) =>
    last ? { older: urlPaths.older(feed, placeAfter(last)) } : {}
  if (feed !== everything) {
    if (!category) return []
    const html = categoryPage({
      settings,
      locale,
      category,
      posts,
      categoryTitles,
      ...(hasMore ? olderThan(posts.at(-1)) : {}),
    })
    return [{ path: urlPaths.category(feed), html }]
  }
  const categories = await listCategories(platform)
  const front = posts.slice(0, postsOnFront)
  const older = hasMore || posts.length > front.length ? olderThan(front.at(-1)) : {}
  return [
    {
      path: urlPaths.home,
      html: homePage({ settings, locale, posts: front, categories, ...older }),
    },
    { path: urlPaths.feeds, html: feedsPage({ settings, locale, categories }) },
  ]
}

async function writeOpml({ objects, records, settings }: Parts): Promise<void> {
  const body = Buffer.from(renderOpml(await listCategories({ records, settings }), settings))
  const stored = await objects.get(objectKeys.opml)
  if (stored && Buffer.compare(stored.body, body) === 0) return
  await objects.put(objectKeys.opml, body, { contentType: 'text/x-opml; charset=utf-8' })
}

/**
 * Writes the pages of posts, and removes those of posts that are not visible. It looks at the
 * records again after writing and repeats what has changed meanwhile: so whichever of two writers
 * is last, the page is as the record has it.
 */
export async function writePostPages(platform: Parts, postIds: readonly string[]): Promise<void> {
  await writeAssets(platform)
  const categories = new Map<string, Promise<Category | undefined>>()
  const categoryOf = (slug: string) => {
    const found = categories.get(slug) ?? getCategory(platform, slug)
    categories.set(slug, found)
    return found
  }
  const read = (ids: readonly string[]) =>
    platform.records.getMany<Post>(ids.map((id) => recordKeys.post(id)))

  let ids = [...new Set(postIds)]
  let records = await read(ids)
  for (let round = 0; ids.length > 0; round++) {
    if (round === 10) throw new Error('posts are changed by others all the time')
    // A few at a time: enough to hide the latency of a store, and memory stays small.
    for (let at = 0; at < records.length; at += 20) {
      await Promise.all(
        records.slice(at, at + 20).map((record) => writePostPage(platform, record, categoryOf)),
      )
    }
    const now = await read(ids)
    const changed = ids.flatMap((id, i) =>
      now[i]?.version === records[i]?.version ? [] : [{ id, record: now[i] }],
    )
    ids = changed.map(({ id }) => id)
    records = changed.map(({ record }) => record)
  }
}

async function writePostPage(
  platform: Parts,
  record: StoredRecord<Post> | undefined,
  categoryOf: (slug: string) => Promise<Category | undefined>,
): Promise<void> {
  if (!record) return
  const post = record.value
  const path = urlPaths.post(post.slug)
  const html =
    post.state === 'visible' ? await renderPostPage(platform, post, categoryOf) : undefined
  if (html === undefined) await platform.objects.delete(objectKeys.page(path))
  else await writePage(platform, path, html)
}

async function renderPostPage(
  platform: Parts,
  post: Post,
  categoryOf: (slug: string) => Promise<Category | undefined>,
): Promise<string | undefined> {
  const { settings } = platform
  const [body, ...categories] = await Promise.all([
    getPostBody(platform, post),
    ...post.categories.map(categoryOf),
  ])
  if (!body) return undefined
  return postPage({
    settings,
    locale: chooseLocale(undefined, settings),
    post: withOwnAddresses(post, settings),
    html: body.html,
    text: body.text,
    categories: post.categories.map((slug, i) => categories[i] ?? { slug, title: slug }),
    look: lookOf(platform),
  })
}
