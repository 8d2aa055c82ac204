import { allRecords } from '../all-records.ts'
import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { openTurn } from '../turn.ts'
import { dirtyCount } from './dirty.ts'

type Records = Pick<Platform, 'records'>

/** A writer that is done in between shows in the feed's changes: then once more, so often at most. */
const mostTries = 3

/**
 * Notes that the counts of feeds (slugs, or `*`) may be wrong: a writer died, perhaps between a row
 * and its count. Repeatable; `recountFeeds` counts them again.
 */
export async function noteMiscounted(
  { records }: Records,
  feeds: readonly string[],
): Promise<void> {
  await Promise.all(
    [...new Set(feeds)].map((feed) => records.put({ ...recordKeys.miscounted(feed), value: {} })),
  )
}

/**
 * Counts the rows of noted feeds and corrects their counts; how many were counted. Nothing is done
 * while anybody writes posts: a row that is placed and not yet counted would count twice. The next
 * tick tries again.
 */
export async function recountFeeds({ records }: Records, turn = openTurn()): Promise<number> {
  const noted = await records.query(recordKeys.miscountedFeeds)
  let counted = 0
  for (const note of noted.records) {
    if (turn.isOver()) break
    if (!(await recount({ records }, note.sort))) continue
    await records.delete(note, { ifVersion: note.version })
    counted++
  }
  return counted
}

async function recount({ records }: Records, feed: string): Promise<boolean> {
  const counter = recordKeys.categoryCount(feed)
  for (let tries = 0; tries < mostTries; tries++) {
    const changes = await dirtyCount({ records }, feed)
    if (await isAnyoneWriting({ records })) return false
    const rows = await countRows({ records }, feed)
    const count = (await records.get<{ count: number }>(counter))?.value.count ?? 0
    // Who came and is still at work has a note; who is done has raised the count of changes.
    if (await isAnyoneWriting({ records })) return false
    if ((await dirtyCount({ records }, feed)) !== changes) continue
    // The difference, so that whoever counts from here on is not undone.
    if (rows !== count) await records.add(counter, rows - count)
    return true
  }
  return false
}

async function isAnyoneWriting({ records }: Records): Promise<boolean> {
  return (await records.query(recordKeys.unfinished, { limit: 1 })).records.length > 0
}

async function countRows({ records }: Records, feed: string): Promise<number> {
  let rows = 0
  for await (const _ of allRecords({ records }, recordKeys.dateIndex(feed))) rows++
  return rows
}
