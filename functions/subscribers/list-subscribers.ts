import { allRecords } from '../all-records.ts'
import { recordKeys, shards } from '../keys.ts'
import type { Platform } from '../platform.ts'
import type { Subscriber, SubscriberState } from './subscriber.ts'

/** Every item by id, page by page, erased stubs included. `after` resumes behind an id. */
export async function* allSubscribers(
  platform: Pick<Platform, 'records'>,
  after = '',
): AsyncGenerator<Subscriber, void, undefined> {
  for (const shard of shards) {
    if (shard < after.slice(0, 1)) continue
    const behind = after ? { from: after } : {}
    const found = allRecords<Subscriber>(platform, recordKeys.subscribers(shard), behind)
    for await (const { sort, value } of found) if (sort !== after) yield value
  }
}

/** A request looks at no more items than this, so that a rare state does not make it read them all. */
const mostRead = 5000

/**
 * A page of readers by id. `cursor` is the id behind which the next one starts; a page may be
 * shorter than `limit`, even empty, and still have one.
 */
export async function listSubscribers(
  platform: Pick<Platform, 'records'>,
  options: { limit: number; after?: string; state?: SubscriberState },
): Promise<{ items: Subscriber[]; cursor?: string }> {
  const { limit, after, state } = options
  const items: Subscriber[] = []
  let read = 0
  let last: string | undefined
  for await (const subscriber of allSubscribers(platform, after)) {
    if (items.length === limit || read === mostRead)
      return last ? { items, cursor: last } : { items }
    read += 1
    last = subscriber.id
    if (state === undefined || subscriber.state === state) items.push(subscriber)
  }
  return { items }
}
