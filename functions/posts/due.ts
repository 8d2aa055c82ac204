import { recordKeys } from '../keys.ts'
import type { Platform, RecordPage, StoredRecord } from '../platform.ts'
import { openTurn, type Turn } from '../turn.ts'
import { composeDue, markUnfinished } from './compose-post.ts'
import type { DatedRow } from './date-index.ts'
import { finishPosts } from './finish-posts.ts'
import { formatInstant } from './format-instant.ts'
import { deleteRows } from './place-rows.ts'
import { recountFeeds } from './recount.ts'
import { moveRenamedPosts } from './rename-categories.ts'
import { isSameRow, rowsOf, type StoredPost } from './stored-post.ts'
import { endNote, finishAbandoned, noteUnfinished } from './unfinished.ts'

/** Posts that are listed together. */
const windowPosts = 256

/**
 * Lists the posts whose date has come, oldest first; how many became visible. Before that it finishes
 * what crashed writers left behind and moves posts out of renamed categories. For every tick:
 * idempotent, overlapping ones do no harm, and what has no room in a turn is left to the next.
 */
export async function publishDuePosts(
  platform: Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>,
  newTurn: () => Turn = openTurn,
): Promise<number> {
  const mending = newTurn()
  await finishAbandoned(platform, mending)
  await recountFeeds(platform, mending)
  await moveRenamedPosts(platform, mending)
  const turn = newTurn()
  let listed = 0
  let cursor: string | undefined
  do {
    const page = await dueRows(platform, {
      limit: windowPosts,
      ...(cursor === undefined ? {} : { cursor }),
    })
    listed += await listDue(platform, page.records)
    cursor = page.cursor
  } while (cursor !== undefined && !turn.isOver())
  return listed
}

async function listDue(
  platform: Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>,
  rows: readonly StoredRecord<DatedRow>[],
): Promise<number> {
  const { records } = platform
  if (rows.length === 0) return 0
  const { due, stale } = await duePostsOf(platform, rows)
  await deleteRows({ records }, stale)
  if (due.length === 0) return 0

  const note = await noteUnfinished(
    platform,
    due.map(({ value }) => value.id),
  )
  const changed = await Promise.all(
    due.map(async (record) => {
      const value = markUnfinished(platform, composeDue(platform, record.value), record.value)
      const outcome = await records.put({ ...record, value }, { ifVersion: record.version })
      // Somebody else changed it: another tick, which lists it, or an edit, which decides itself.
      return outcome.status === 'stored'
        ? { ...record, value, version: outcome.version }
        : undefined
    }),
  )
  const written = changed.filter((record) => record !== undefined)
  await finishPosts(platform, written)
  await endNote({ records }, note)
  return written.length
}

/** The posts that rows stand for, and the rows that stand for none any more. */
export async function duePostsOf(
  { records, settings }: Pick<Platform, 'records' | 'settings'>,
  rows: readonly StoredRecord<DatedRow>[],
): Promise<{ due: StoredRecord<StoredPost>[]; stale: StoredRecord<DatedRow>[] }> {
  const posts = await records.getMany<StoredPost>(
    rows.map(({ value }) => recordKeys.post(value.id)),
  )
  const stale: StoredRecord<DatedRow>[] = []
  const due: StoredRecord<StoredPost>[] = []
  for (const [i, row] of rows.entries()) {
    const post = posts[i]
    const stands = post && rowsOf(post.value, settings.keep).some((own) => isSameRow(own, row))
    if (stands) due.push(post)
    // Its writer may be at work: a post that was dated anew deletes this row itself.
    else if (!post?.value.unfinished) stale.push(row)
  }
  return { due, stale }
}

/** Rows of posts whose date has come, oldest first. */
export function dueRows(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  page: { limit: number; cursor?: string },
): Promise<RecordPage<DatedRow>> {
  // `~` sorts after every id.
  const to = recordKeys.dateIndexSort(formatInstant(now()), '~')
  return records.query<DatedRow>(recordKeys.due, { to, ...page })
}
