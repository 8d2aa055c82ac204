import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'

/**
 * Raises the change count of feeds (slugs, or `*`) and enqueues their rendering; gives back the
 * jobs' ids. The count is the truth: a tick renders what is behind although its job was lost.
 * Repeating it costs a rendering that finds nothing changed.
 */
export async function markDirty(
  platform: Pick<Platform, 'records' | 'jobs'>,
  feeds: readonly string[],
): Promise<string[]> {
  await raiseDirty(platform, feeds)
  return enqueueRegenerate(platform, feeds)
}

/** The count alone, for batches that enqueue each feed once at their end. */
export async function raiseDirty(
  { records }: Pick<Platform, 'records'>,
  feeds: readonly string[],
): Promise<void> {
  await Promise.all([...new Set(feeds)].map((feed) => records.add(recordKeys.dirty(feed), 1)))
}

/** How often a feed was changed so far; 0 for one that never was. */
export async function dirtyCount(
  { records }: Pick<Platform, 'records'>,
  feed: string,
): Promise<number> {
  return (await records.get<{ count: number }>(recordKeys.dirty(feed)))?.value.count ?? 0
}

/** The jobs alone: for feeds whose count has been raised. */
export async function enqueueRegenerate(
  { jobs }: Pick<Platform, 'jobs'>,
  feeds: readonly string[],
): Promise<string[]> {
  const unique = [...new Set(feeds)]
  return unique.length === 0
    ? []
    : jobs.enqueue(unique.map((feed) => ({ kind: 'regenerate', feed }) as const))
}
