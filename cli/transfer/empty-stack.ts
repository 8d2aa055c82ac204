import { objectKeys, recordKeys, shards } from '../../functions/keys.ts'
import type { Platform } from '../../functions/platform.ts'
import type { StoredPost } from '../../functions/posts/stored-post.ts'
import type { Subscriber } from '../../functions/subscribers/subscriber.ts'

/** What `smoke` leaves behind, and a little more; beyond it a service has lived. */
const mostTraces = 100

/**
 * Whether a service holds neither a post nor a reader, so that a backup may take its place. What
 * was withdrawn or erased, as `smoke` does with what it made, is none.
 */
export async function isEmpty(platform: Pick<Platform, 'records' | 'objects'>): Promise<boolean> {
  return (await hasNoPost(platform)) && (await hasNoReader(platform))
}

async function hasNoPost({
  records,
  objects,
}: Pick<Platform, 'records' | 'objects'>): Promise<boolean> {
  const page = await objects.list(objectKeys.posts, { limit: mostTraces })
  if (page.more) return false
  const ids = page.objects.map(({ key }) => key.slice(objectKeys.posts.length).split('.')[0] ?? '')
  const posts = await records.getMany<StoredPost>([...new Set(ids)].map(recordKeys.post))
  return posts.every((post) => !post || post.value.state === 'withdrawn')
}

async function hasNoReader({ records }: Pick<Platform, 'records'>): Promise<boolean> {
  for (const shard of shards) {
    const page = await records.query<Subscriber>(recordKeys.subscribers(shard), {
      limit: mostTraces,
    })
    if (page.cursor !== undefined) return false
    if (page.records.some(({ value }) => value.email !== undefined)) return false
  }
  return true
}
