import { createHash } from 'node:crypto'
import type { Job } from '../jobs.ts'
import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { standsStill } from '../stands-still.ts'
import { openTurn } from '../turn.ts'

/** Page jobs carry at most so many posts. */
export const postsPerJob = 100

interface DuePages {
  postIds: readonly string[]
  /** RFC 3339: when its job was enqueued. */
  at: string
}

/**
 * Enqueues the writing (or removal) of posts' pages. That they are due is kept until they are
 * written, so that a lost job leaves no page that says what its post no longer says.
 */
export async function enqueuePages(
  { jobs, records, now }: Pick<Platform, 'jobs' | 'records' | 'now'>,
  postIds: readonly string[],
): Promise<string[]> {
  const groups: Job[] = []
  const at = now().toISOString()
  for (let i = 0; i < postIds.length; i += postsPerJob) {
    const group = postIds.slice(i, i + postsPerJob)
    await records.put<DuePages>({ ...keyOf(group), value: { postIds: group, at } })
    groups.push({ kind: 'post-pages', postIds: group })
  }
  return groups.length === 0 ? [] : jobs.enqueue(groups)
}

/**
 * Does the work of a page job and takes note of it. One that was enqueued again meanwhile stays due:
 * `write` may not have seen what it is about.
 */
export async function writeDuePages(
  { records }: Pick<Platform, 'records'>,
  postIds: readonly string[],
  write: () => Promise<void>,
): Promise<void> {
  const key = keyOf(postIds)
  const due = await records.get(key)
  await write()
  if (due) await records.delete(key, { ifVersion: due.version })
}

/** Enqueues again what has been due for two minutes; how many jobs. For every tick. */
export async function drivePages(
  { records, jobs, now }: Pick<Platform, 'records' | 'jobs' | 'now'>,
  turn = openTurn(),
): Promise<number> {
  const page = await records.query<DuePages>(recordKeys.pagesDue)
  let driven = 0
  for (const { version, ...record } of page.records) {
    const { postIds, at } = record.value
    if (!standsStill(at, now())) continue
    if (turn.isOver()) break
    const value: DuePages = { postIds, at: now().toISOString() }
    const outcome = await records.put<DuePages>({ ...record, value }, { ifVersion: version })
    if (outcome.status === 'conflict') continue
    await jobs.enqueue([{ kind: 'post-pages', postIds }])
    driven++
  }
  return driven
}

/** Equal for equal jobs. */
function keyOf(postIds: readonly string[]) {
  return recordKeys.pageDue(createHash('sha256').update(postIds.join()).digest('hex').slice(0, 32))
}
