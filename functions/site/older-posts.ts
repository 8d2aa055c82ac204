import { chooseLocale } from '../../templates/locales/index.ts'
import { olderPage } from '../../templates/pages/older-page.tsx'
import { everything, urlPaths } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { type Category, listCategories } from '../posts/categories.ts'
import { isPlace, newestPosts } from '../posts/date-index.ts'
import { withOwnAddresses } from '../posts/own-address.ts'

const postsOnPage = 50

/**
 * A page of the posts of a feed (a category's slug, or `*`) that are older than a place in it. Made
 * when it is asked for and stored nowhere: so a new post touches none of them, and one that is
 * withdrawn or dated anew is gone from all. `undefined` for a place that cannot be one, or a category
 * that is not known.
 */
export async function olderPosts(
  platform: Pick<Platform, 'records' | 'settings'>,
  feed: string,
  place: string,
): Promise<string | undefined> {
  const { settings } = platform
  if (!isPlace(place)) return undefined
  const found = await newestPosts(platform, feed, { limit: postsOnPage, cursor: place })
  const categories = await listCategories(platform)
  const category: Category | undefined = categories.find(({ slug }) => slug === feed)
  if (feed !== everything && !category) return undefined
  return olderPage({
    settings,
    locale: chooseLocale(undefined, settings),
    ...(category ? { category } : {}),
    posts: found.posts.map((post) => withOwnAddresses(post, settings)),
    categoryTitles: new Map(categories.map(({ slug, title }) => [slug, title])),
    path: urlPaths.older(feed, place),
    ...(found.cursor === undefined ? {} : { older: urlPaths.older(feed, found.cursor) }),
  })
}
