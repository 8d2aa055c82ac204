import { everything } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { dirtyCount } from '../../posts/dirty.ts'
import { type LogEntry, readLog } from '../../posts/log.ts'
import { getPosts, type Post } from '../../posts/post.ts'

/**
 * A place in the log with what of the post, as it stands now, tells who is owed it. So little is kept
 * of each, because a monthly reader of one quiet category has the whole month of all others to pass.
 */
export interface Listed {
  n: number
  post: Pick<Post, 'id' | 'categories' | 'published' | 'revision'>
}

/** The mailable posts up to a number of the log, read once for many readers. */
export interface Listing {
  /** Those numbered above `after`, ascending; posts that are no longer to be mailed are left out. */
  above(after: number): Promise<readonly Listed[]>
  /** Reads the posts again if any has changed since. The log's numbers never do. */
  refresh(): Promise<void>
  /** Reads the posts again in any case: one was seen to have changed. */
  forget(): Promise<void>
}

type Source = Pick<Platform, 'records'>

/** Entries of the log, and posts, in memory as a whole at a time. */
const stretch = 1000

/**
 * Entries of the log are kept as far down as a reader has asked for. Of all of them by default: how
 * many there are follows from how long the reader had no mail, never from the archive. Whoever begins
 * at the log's first number says with `most` how many of the newest are enough.
 */
export function openListing(
  platform: Source,
  to: number,
  { most = Number.POSITIVE_INFINITY }: { most?: number } = {},
): Listing {
  let low = to
  let entries: Pick<LogEntry, 'n' | 'postId'>[] = []
  let listed: readonly Listed[] | undefined
  let changes: number | undefined

  /** One at a time: two that read side by side would put the same entries in twice. */
  let last: Promise<unknown> = Promise.resolve()
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }

  async function entriesAbove(after: number): Promise<typeof entries> {
    const found: (typeof entries)[] = []
    let room = most - entries.length
    for (let end = low; end > after && room > 0; ) {
      const begin = Math.max(after, end - stretch)
      const part = await readLog(platform, everything, { after: begin, to: end })
      const digests = part.filter(({ mail }) => mail === 'digest').slice(-Math.min(room, stretch))
      found.unshift(digests.map(({ n, postId }) => ({ n, postId })))
      room -= digests.length
      end = begin
    }
    return found.flat()
  }

  async function readPosts(of: typeof entries): Promise<Listed[]> {
    const found: Listed[] = []
    for (let i = 0; i < of.length; i += stretch) {
      const part = of.slice(i, i + stretch)
      const posts = await getPosts(
        platform,
        part.map(({ postId }) => postId),
      )
      for (const [at, { n }] of part.entries()) {
        const post = posts[at]
        if (!post || !isMailable(post)) continue
        const { id, categories, published, revision } = post
        found.push({ n, post: { id, categories, published, revision } })
      }
    }
    return found
  }

  async function readAbove(after: number): Promise<readonly Listed[]> {
    const older = after < low ? await entriesAbove(after) : []
    if (listed) {
      if (older.length > 0) listed = [...(await readPosts(older)), ...listed]
    } else {
      // Before the posts: a change in between is found by the next refresh.
      changes = await dirtyCount(platform, everything)
      listed = await readPosts([...older, ...entries])
    }
    entries = [...older, ...entries]
    low = Math.min(low, after)
    return listed
  }

  return {
    above: (after) =>
      listed && after >= low ? Promise.resolve(listed) : inTurn(() => readAbove(after)),
    refresh: () =>
      inTurn(async () => {
        if (listed && (await dirtyCount(platform, everything)) !== changes) listed = undefined
      }),
    forget: () =>
      inTurn(async () => {
        listed = undefined
      }),
  }
}

/** The posts themselves, for showing them, without those that are no longer to be mailed. */
export async function readListed<L extends Listed>(
  platform: Source,
  listed: readonly L[],
): Promise<(L & { post: Post })[]> {
  const posts = await getPosts(
    platform,
    listed.map(({ post }) => post.id),
  )
  return listed.flatMap((place, i) => {
    const post = posts[i]
    return post && isMailable(post) ? [{ ...place, post }] : []
  })
}

/** As it stands now: what was withdrawn, hidden or taken out of the mail meanwhile is not owed. */
export function isMailable(post: Post): boolean {
  return post.state === 'visible' && post.mail !== 'none'
}
