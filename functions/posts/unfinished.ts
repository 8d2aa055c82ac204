import { randomBytes } from 'node:crypto'
import { recordKeys } from '../keys.ts'
import type { Platform, RecordKey, StoredRecord } from '../platform.ts'
import { standsStillMs } from '../stands-still.ts'
import { openTurn } from '../turn.ts'
import { claimKeys } from './claim-keys.ts'
import { enqueueRegenerate } from './dirty.ts'
import { enqueuePages } from './due-pages.ts'
import { finishPosts, mailJobs } from './finish-posts.ts'
import { isListed } from './log.ts'
import { noteMiscounted } from './recount.ts'
import { feedsOfPost, feedsOfRows, rowsOf, type StoredPost } from './stored-post.ts'

/**
 * Notes, before any of them is written, that posts are being changed; what it gives back is for
 * `endNote`, once all that follows is done. One small write a batch, so that a crash at any step is
 * mended by the next ticks although nobody repeats the publish.
 */
export async function noteUnfinished(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  postIds: readonly string[],
): Promise<RecordKey> {
  const sort = `${now().toISOString()}#${randomBytes(6).toString('hex')}`
  const key = { partition: recordKeys.unfinished, sort }
  await records.put({ ...key, value: { postIds: [...postIds] } })
  return key
}

export async function endNote(
  { records }: Pick<Platform, 'records'>,
  note: RecordKey,
): Promise<void> {
  await records.delete(note)
}

/** Finishes what crashes left behind; how many batches. Repeatable, and safe beside a live writer. */
export async function finishAbandoned(
  platform: Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>,
  turn = openTurn(),
): Promise<number> {
  const { records, now } = platform
  const before = new Date(now().getTime() - standsStillMs).toISOString()
  const { records: notes } = await records.query<{ postIds: string[] }>(recordKeys.unfinished, {
    to: before,
    limit: 100,
  })
  let finished = 0
  for (const note of notes) {
    if (turn.isOver()) break
    const keys = note.value.postIds.map(recordKeys.post)
    const posts = await records.getMany<StoredPost>(keys)
    await noteMiscounted(
      platform,
      posts.flatMap((post) => (post ? feedsOfPost(post.value, platform.settings.keep) : [])),
    )
    const claimed = await Promise.all(
      posts.map(async (post) => {
        if (!post || !isUnfinished(post.value)) return undefined
        if (!post.value.unfinished?.claims) return post
        const outcome = await claimKeys(platform, post)
        // A key that another post has stays there: the words are safe in this one.
        return outcome.status === 'claimed' ? outcome.record : undefined
      }),
    )
    await finishPosts(
      platform,
      claimed.filter((record) => record !== undefined),
    )
    await enqueueAll(
      platform,
      posts.filter((record) => record !== undefined),
    )
    await endNote(platform, note)
    finished++
  }
  return finished
}

/** Whether something that follows from a post's record may not be done. */
export function isUnfinished(post: StoredPost): boolean {
  return post.unfinished !== undefined || (post.state === 'visible' && !isListed(post))
}

/** The jobs once more: those of posts that were finished may have been lost with their process. */
async function enqueueAll(
  platform: Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>,
  posts: readonly StoredRecord<StoredPost>[],
): Promise<void> {
  const done = posts.map(({ value }) => value).filter((post) => !isUnfinished(post))
  const rows = done.flatMap((post) => rowsOf(post, platform.settings.keep))
  await enqueueRegenerate(platform, feedsOfRows(rows))
  await enqueuePages(
    platform,
    done.map((post) => post.id),
  )
  const mails = mailJobs(
    done
      .filter((post) => post.state === 'visible')
      .map((post) => ({ postId: post.id, mail: post.listAs ?? 'none' })),
  )
  if (mails.length > 0) await platform.jobs.enqueue(mails)
}
