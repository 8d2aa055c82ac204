import { changedMeanwhile, notFound } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { markUnfinished } from './compose-post.ts'
import { finishPosts } from './finish-posts.ts'
import { formatInstant } from './format-instant.ts'
import { withdrawLetter } from './plan-letter.ts'
import type { Post } from './post.ts'
import { getStoredPost, type StoredPost } from './stored-post.ts'
import { endNote, isUnfinished, noteUnfinished } from './unfinished.ts'

/**
 * Takes a post back: out of feeds, lists, pages and digests to come, with a tombstone in its feeds.
 * Its page answers 410, its source stays in the archive, its keys and its address stay its own. A
 * later `publish` brings it back as an edit: same ids, same number, not mailed again; an import does
 * not. Repeatable: a post that is withdrawn already stays as it is.
 *
 * @throws ServiceError 404 for an unknown id, 412 when the post is not what `isExpected` wants.
 */
export async function withdrawPost(
  platform: Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>,
  id: string,
  { isExpected = () => true }: { isExpected?: (post: StoredPost) => boolean } = {},
): Promise<{ post: Post; jobIds: string[] }> {
  const { records, now } = platform
  for (;;) {
    const record = await getStoredPost({ records }, id)
    if (!record) throw notFound(`The post \`${id}\``)
    if (!isExpected(record.value)) throw changedMeanwhile('The post')
    if (record.value.state === 'withdrawn' && !isUnfinished(record.value)) {
      return { post: record.value, jobIds: [] }
    }
    const withdrawnAt = record.value.withdrawnAt ?? formatInstant(now())
    const post: StoredPost = { ...record.value, state: 'withdrawn', withdrawnAt }
    withdrawLetter(post, formatInstant(now()))
    const value = markUnfinished(platform, post, record.value)
    const note = await noteUnfinished(platform, [id])
    const outcome = await records.put({ ...record, value }, { ifVersion: record.version })
    if (outcome.status === 'stored') {
      const finished = await finishPosts(platform, [{ ...record, value, version: outcome.version }])
      await endNote({ records }, note)
      return { post: finished.posts.get(id) ?? value, jobIds: finished.jobIds }
    }
    await endNote({ records }, note)
  }
}
