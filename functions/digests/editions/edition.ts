import { everything, urlPaths } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { withOwnAddresses } from '../../posts/own-address.ts'
import type { Post } from '../../posts/post.ts'
import type { Settings } from '../../settings/settings.ts'
import { signText, verifyText } from '../../subscribers/links.ts'
import type { OwedPost, ShownPost } from './owed.ts'

/**
 * What is mailed, without anything of its reader: with the posts as they stand it says which are in
 * it. `from` is brought to its highest equal, so readers who are owed the same share an edition.
 */
export interface Edition {
  /** The log's number up to which it reaches. */
  to: number
  /** Slug or `*` → the log's number above which it begins. */
  from: Record<string, number>
  locale: string
}

/** A post as digests show it. */
export interface CardPost {
  title: string
  url: string
  summary: string
  date: string
  authors: string[]
  image?: NonNullable<Post['image']>
  language?: string
}

export interface CardGroup {
  category?: { slug: string; title: string }
  posts: CardPost[]
}

/** The longest name that still makes a link which every mail program leaves whole. */
const longestName = 1200

/** The edition of what is owed. */
export function editionOf(owed: readonly OwedPost[], to: number, locale: string): Edition {
  const from: Record<string, number> = Object.create(null)
  for (const { n, via } of owed) from[via] = Math.min(from[via] ?? n - 1, n - 1)
  return { to, from, locale }
}

/** The same for equal editions. */
export function editionName({ to, from, locale }: Edition): string {
  const parts = Object.entries(from).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([to, locale, ...parts.flat()])
}

/** The signed id of its page; `undefined` when it names so many categories that no link would hold it. */
export function editionId(
  platform: Pick<Platform, 'secrets'>,
  edition: Edition,
): string | undefined {
  const name = editionName(edition)
  return Buffer.byteLength(name) > longestName ? undefined : signText(platform, 'edition', name)
}

/** The edition that a signed id names, or `undefined`. */
export function editionFromId(
  platform: Pick<Platform, 'secrets'>,
  id: string,
): Edition | undefined {
  const name = verifyText(platform, 'edition', id)
  if (name === undefined) return undefined
  const [to, locale, ...parts] = JSON.parse(name) as [number, string, ...(string | number)[]]
  const from: Record<string, number> = Object.create(null)
  for (let i = 0; i + 1 < parts.length; i += 2) from[String(parts[i])] = Number(parts[i + 1])
  return { to, from, locale }
}

/** What is shown first: the newest. */
export function newestFirst<Owed extends OwedPost>(owed: readonly Owed[]): Owed[] {
  return owed.toSorted((a, b) => compare(b.post.published, a.post.published) || b.n - a.n)
}

/**
 * The posts by category, each once: under the first of its categories that brought it, or its first
 * one where everything was chosen. Categories by title, posts in the order given; what has no
 * category comes last.
 */
export function groupPosts(
  posts: readonly ShownPost[],
  titles: ReadonlyMap<string, string>,
  { settings, locale }: { settings: Settings; locale: string },
): CardGroup[] {
  const groups = new Map<string, CardPost[]>()
  for (const { post, via } of posts) {
    const slug = via === everything ? (post.categories[0] ?? '') : via
    const group = groups.get(slug)
    if (group) group.push(cardOf(post, settings))
    else groups.set(slug, [cardOf(post, settings)])
  }
  const titleOf = (slug: string) => titles.get(slug) ?? slug
  return [...groups]
    .sort(([a], [b]) => {
      if (a === '' || b === '') return a === '' ? 1 : -1
      return titleOf(a).localeCompare(titleOf(b), locale) || compare(a, b)
    })
    .map(([slug, cards]) => {
      if (slug === '') return { posts: cards }
      return { category: { slug, title: titleOf(slug) }, posts: cards }
    })
}

/** A post as a card. Its link is where the post lives. */
export function cardOf(
  post: Pick<
    Post,
    'title' | 'slug' | 'canonicalUrl' | 'summary' | 'published' | 'authors' | 'image' | 'language'
  >,
  settings: Settings,
): CardPost {
  const { image } = withOwnAddresses({ ...post, enclosures: [] }, settings)
  return {
    title: post.title,
    url: post.canonicalUrl ?? `${settings.site.baseUrl}${urlPaths.post(post.slug)}`,
    summary: post.summary,
    date: post.published,
    authors: post.authors,
    ...(image ? { image } : {}),
    ...(post.language ? { language: post.language } : {}),
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
