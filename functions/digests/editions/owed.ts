import { everything } from '../../keys.ts'
import { currentSlug, ownSettings } from '../../posts/categories.ts'
import type { Post } from '../../posts/post.ts'
import type { Settings } from '../../settings/settings.ts'
import type { Subscriber } from '../../subscribers/subscriber.ts'
import type { Listed, Listing } from './listing.ts'

/** A post that a reader is owed, and through which choice: a category's slug, or `*`. */
export interface OwedPost extends Listed {
  via: string
}

/** One that is shown: the whole of its record was read. */
export interface ShownPost extends OwedPost {
  post: Post
}

type Chooser = Pick<Subscriber, 'categories'>
type Rules = Pick<Settings, 'categories'>

/**
 * The posts of a window of the log that a reader is owed, ascending and each once: numbered above
 * `from` up to `to`, and in a category that post and reader both have now, above the reader's
 * `since` of it. `*` brings everything, posts without a category too.
 */
export function owedPosts(
  reader: Chooser,
  listed: readonly Listed[],
  window: { from: number; to: number },
  settings: Rules,
): OwedPost[] {
  const owed = new Map<string, OwedPost>()
  for (const { n, post } of listed) {
    if (n <= window.from || n > window.to) continue
    const via = choiceFor(reader, post, n, settings)
    // A post mailed again has two numbers; the later one stands.
    if (via !== undefined) owed.set(post.id, { n, post, via })
  }
  return [...owed.values()]
}

/** The choice through which a reader is owed what was listed at `n`; `undefined` when there is none. */
export function choiceFor(
  { categories }: Chooser,
  post: Pick<Post, 'categories'>,
  n: number,
  settings: Rules,
): string | undefined {
  for (const slug of post.categories) {
    const names = namesOf(slug, settings)
    if (!isMailed(names[0], settings)) continue
    for (const name of names) {
      const since = Object.hasOwn(categories, name) ? categories[name] : undefined
      if (since !== undefined && n > since) return names[0]
    }
  }
  const since = categories[everything]
  return since !== undefined && n > since ? everything : undefined
}

/**
 * Every slug that a category goes or went by, its present one first: posts and readers keep the one
 * they came with when `broadsheet.yaml` renames it.
 */
export function namesOf(slug: string, settings: Rules): readonly [string, ...string[]] {
  const current = currentSlug(settings, slug)
  const own = ownSettings(settings, current)
  return own?.renamedFrom ? [current, ...own.renamedFrom] : [current]
}

/** Whether a category brings mail at all: `mail: none` leaves out its readers. */
export function isMailed(slug: string, settings: Rules): boolean {
  return ownSettings(settings, slug)?.mail !== 'none'
}

/** Nothing numbered up to this can be owed to a reader. */
export function floorOf(reader: Pick<Subscriber, 'categories'>, from: number): number {
  const sinces = Object.values(reader.categories)
  return sinces.length === 0 ? Number.POSITIVE_INFINITY : Math.max(from, Math.min(...sinces))
}

/** Whether a reader is owed anything that a digest up to a number of the log would bring. */
export async function isOwedDigest(
  listing: Pick<Listing, 'above'>,
  reader: Pick<Subscriber, 'categories' | 'watermark'>,
  to: number,
  settings: Rules,
): Promise<boolean> {
  const floor = floorOf(reader, reader.watermark)
  if (floor >= to) return false
  const window = { from: reader.watermark, to }
  return owedPosts(reader, await listing.above(floor), window, settings).length > 0
}
