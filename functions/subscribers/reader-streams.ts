import { allRecords } from '../all-records.ts'
import { recordKeys, shards } from '../keys.ts'
import type { Platform } from '../platform.ts'

/**
 * Readers by membership rows, page by page, in the order of their ids, each once. `after` resumes
 * behind an id. A row may be a stray: the reader's item decides. One that is added or removed
 * meanwhile may or may not be met; all others are.
 */
type Readers = AsyncIterable<string>
type Records = Pick<Platform, 'records'>

const pageSize = 1000

/** The readers of one schedule (`catch-up` included; `instant` has no rows, see `instantReaders`). */
export function scheduleReaders(platform: Records, scheduleId: string, after?: string): Readers {
  return merged(platform, [(shard) => recordKeys.scheduleMembers(scheduleId, shard)], after)
}

/** Confirmed readers of any of the categories; `*` among the slugs means those of everything. */
export function categoryReaders(
  platform: Records,
  slugs: readonly string[],
  after?: string,
): Readers {
  return merged(platform, partitionsOf(slugs, recordKeys.categoryMembers), after)
}

/** Instant readers of any of the categories; `*` among the slugs means those of everything. */
export function instantReaders(
  platform: Records,
  slugs: readonly string[],
  after?: string,
): Readers {
  return merged(platform, partitionsOf(slugs, recordKeys.instantMembers), after)
}

function partitionsOf(slugs: readonly string[], key: (slug: string, shard: string) => string) {
  return [...new Set(slugs)].map((slug) => (shard: string) => key(slug, shard))
}

/** A shard is the first digit of its ids, so shard after shard is in the order of the ids. */
async function* merged(
  platform: Records,
  partitions: readonly ((shard: string) => string)[],
  after = '',
): AsyncGenerator<string, void, undefined> {
  for (const shard of shards) {
    if (shard < after.slice(0, 1)) continue
    const streams = partitions.map((partition) => idsOf(platform, partition(shard), after))
    try {
      const heads = await Promise.all(streams.map((stream) => stream.next()))
      for (;;) {
        let lowest: string | undefined
        for (const head of heads) {
          if (!head.done && (lowest === undefined || head.value < lowest)) lowest = head.value
        }
        if (lowest === undefined) break
        yield lowest
        for (const [i, stream] of streams.entries()) {
          const head = heads[i]
          if (head && !head.done && head.value === lowest) heads[i] = await stream.next()
        }
      }
    } finally {
      await Promise.all(streams.map((stream) => stream.return()))
    }
  }
}

async function* idsOf(
  platform: Records,
  partition: string,
  after: string,
): AsyncGenerator<string, void, undefined> {
  const found = allRecords(platform, partition, {
    ...(after ? { from: after } : {}),
    limit: pageSize,
  })
  for await (const { sort } of found) if (sort !== after) yield sort
}
