import { everything, recordKeys } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { type LogEntry, readLog } from '../../posts/log.ts'
import { getPosts, type Post } from '../../posts/post.ts'

/** A place in the log with the post as it stands now. */
export interface Listed {
  n: number
  post: Post
}

/** The mailable posts up to a number of the log, read once for many readers. */
export interface Listing {
  /** Those numbered above `after`, ascending; posts that are no longer to be mailed are left out. */
  above(after: number): Promise<readonly Listed[]>
  /** Reads the posts again if any has changed since. The log's numbers never do. */
  refresh(): Promise<void>
}

type Source = Pick<Platform, 'records'>

/** So many posts a reader can be owed at most: what is older than these stands in the feeds. */
const mostPosts = 2000

/** Entries of the log are kept as far down as a reader has asked for; posts are read when needed. */
export function openListing(platform: Source, to: number): Listing {
  let low = to
  let entries: LogEntry[] = []
  let listed: Listed[] | undefined
  let changes: number | undefined

  async function countChanges(): Promise<number> {
    const record = await platform.records.get<{ count: number }>(recordKeys.dirty(everything))
    return record?.value.count ?? 0
  }

  /** One at a time: two that read side by side would put the same entries in twice. */
  let reading: Promise<unknown> = Promise.resolve()

  function above(after: number): Promise<readonly Listed[]> {
    if (listed && after >= low) return Promise.resolve(listed)
    const read = reading.then(() => readAbove(after))
    reading = read.catch(() => {})
    return read
  }

  async function readAbove(after: number): Promise<readonly Listed[]> {
    if (after < low) {
      const older = await readLog(platform, everything, { after, to: low })
      entries = [...older.filter((entry) => entry.mail === 'digest'), ...entries].slice(-mostPosts)
      low = after
      listed = undefined
    }
    if (!listed) {
      // Before the posts: a change in between is found by the next refresh.
      changes = await countChanges()
      const posts = await getPosts(
        platform,
        entries.map((entry) => entry.postId),
      )
      listed = entries.flatMap(({ n }, i) => {
        const post = posts[i]
        return post && isMailable(post) ? [{ n, post }] : []
      })
    }
    return listed
  }

  async function refresh(): Promise<void> {
    if (listed && (await countChanges()) !== changes) listed = undefined
  }

  return { above, refresh }
}

/** As it stands now: what was withdrawn, hidden or taken out of the mail meanwhile is not owed. */
export function isMailable(post: Post): boolean {
  return post.state === 'visible' && post.mail !== 'none'
}
