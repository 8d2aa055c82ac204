import type { Job } from '../jobs.ts'
import { recordKeys } from '../keys.ts'
import type { Platform, StoredRecord } from '../platform.ts'
import { noteCategoryUse } from './categories.ts'
import { looksTheSame } from './compose-post.ts'
import { enqueueRegenerate, raiseDirty } from './dirty.ts'
import { enqueuePages } from './due-pages.ts'
import { enterLog, isListed, type LogEntry, logItemOf, withListing } from './log.ts'
import { deleteRows, putRows, type Row } from './place-rows.ts'
import { noteMiscounted } from './recount.ts'
import { feedsOfPost, feedsOfRows, isSameRow, rowsOf, type StoredPost } from './stored-post.ts'

export type FinishPlatform = Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>

/** What came of finishing a batch. */
export interface Finished {
  /** The posts as they stand in the end; without those that another change has overtaken. */
  posts: Map<string, StoredPost>
  /** Jobs that a person waits for: feeds and pages. */
  jobIds: string[]
  /** Feeds whose dirty count was raised. */
  feeds: string[]
}

/**
 * Does all that follows from a post's record: notes its categories, places and removes its rows,
 * lists it, marks its feeds dirty, enqueues, and only then ends `unfinished`. Each step may be
 * repeated, by the same publish or by a tick after a crash; two finishers of one change do no harm,
 * and one that was overtaken by a newer change takes its own rows back.
 */
export async function finishPosts(
  platform: FinishPlatform,
  changed: readonly StoredRecord<StoredPost>[],
  {
    regenerate = true,
  }: {
    /** Without it the caller enqueues `feeds` at the end of its batches. */ regenerate?: boolean
  } = {},
): Promise<Finished> {
  const { jobs, settings } = platform
  const visible = changed.filter(({ value }) => value.state === 'visible')
  await noteCategoryUse(
    platform,
    visible.map(({ value }) => value),
  )

  const resumed = changed.filter(({ value }) => value.unfinished?.resumes)
  await noteMiscounted(
    platform,
    resumed.flatMap(({ value }) => feedsOfPost(value, settings.keep)),
  )
  const rows = changed.flatMap(({ value }) => rowsOf(value, settings.keep))
  const placed = await putRows(platform, rows)
  const overtaken = await removeLeft(platform, changed)

  const entries = await enterLog(
    platform,
    visible.filter(({ value }) => !isListed(value)).map(({ value }) => logItemOf(value)),
  )

  const left = changed.flatMap(({ value }) => value.unfinished?.left ?? [])
  const feeds = feedsOfRows([...rows, ...left])
  await raiseDirty(platform, feeds)
  const pages = changed
    .filter(({ value }) => feedsOfPost(value, settings.keep).length > 0)
    .map(({ value }) => value.id)
  const jobIds = [
    ...(regenerate ? await enqueueRegenerate(platform, feeds) : []),
    ...(await enqueuePages(platform, pages)),
  ]

  const posts = new Map<string, StoredPost>()
  await Promise.all(
    changed.map(async (record) => {
      const { id } = record.value
      if (overtaken.has(id)) return
      const done = await endUnfinished(platform, record, entries.get(id))
      if (done) posts.set(id, done)
      else overtaken.add(id)
    }),
  )
  if (overtaken.size > 0) await takeBack(platform, changed, placed, overtaken)

  // A letter that still waits follows its post.
  const edited = changed
    .filter(
      ({ value: { id, listAs, number } }) => listAs === 'letter' && number && !entries.has(id),
    )
    .map(({ value: { id } }) => ({ postId: id, mail: 'letter' }) as const)
  const mails = mailJobs([...entries.values(), ...edited])
  if (mails.length > 0) await jobs.enqueue(mails)
  return { posts, jobIds, feeds }
}

/** The jobs that mail what was listed, or see to its letter; a run is made once, however often its job comes. */
export function mailJobs(listed: readonly Pick<LogEntry, 'postId' | 'mail'>[]): Job[] {
  const letters = listed.filter(({ mail }) => mail === 'letter')
  return [
    ...letters.map(({ postId }) => ({ kind: 'letter', postId }) as const),
    ...(listed.some(({ mail }) => mail === 'digest') ? [{ kind: 'instant' } as const] : []),
  ]
}

/**
 * Deletes the rows that a change leaves behind; gives back the posts that were changed again
 * meanwhile, whose rows are another's to judge. A row is deleted at the version read before the
 * post was looked at: who wants it back writes the post first and the row after it, so that row has
 * another version.
 */
async function removeLeft(
  platform: FinishPlatform,
  changed: readonly StoredRecord<StoredPost>[],
): Promise<Set<string>> {
  const { records, settings } = platform
  const moved = changed.filter(({ value }) => (value.unfinished?.left ?? []).length > 0)
  const stale = moved.map(({ value }) => {
    const standing = rowsOf(value, settings.keep)
    const rows = (value.unfinished?.left ?? []).filter(
      (row) => !standing.some((other) => isSameRow(row, other)),
    )
    return { id: value.id, token: value.unfinished?.token, rows }
  })
  const keys = stale.flatMap(({ rows }) => rows)
  if (keys.length === 0) return new Set()
  const versions = await records.getMany(keys)
  const present = await records.getMany<StoredPost>(stale.map(({ id }) => recordKeys.post(id)))
  const overtaken = new Set<string>()
  const going: Row[] = []
  let next = 0
  for (const [i, { id, token, rows }] of stale.entries()) {
    const found = versions.slice(next, next + rows.length).filter((row) => row !== undefined)
    next += rows.length
    if (present[i]?.value.unfinished?.token === token) going.push(...found)
    else overtaken.add(id)
  }
  await deleteRows(platform, going)
  return overtaken
}

/**
 * Notes the number and ends `unfinished`, in one write. `undefined` when the post was changed
 * again; another finisher of the same change is no hindrance.
 */
async function endUnfinished(
  { records }: FinishPlatform,
  record: StoredRecord<StoredPost>,
  entry: LogEntry | undefined,
): Promise<StoredPost | undefined> {
  const token = record.value.unfinished?.token
  let current = record
  for (;;) {
    const value: StoredPost = entry ? withListing(current.value, entry) : { ...current.value }
    delete value.unfinished
    const outcome = await records.put({ ...current, value }, { ifVersion: current.version })
    if (outcome.status === 'stored') return value
    const present = await records.get<StoredPost>(recordKeys.post(value.id))
    if (!present) return undefined
    if (!present.value.unfinished && looksTheSame(present.value, value)) return present.value
    if (present.value.unfinished?.token !== token) return undefined
    current = present
  }
}

/**
 * Undoes what a finisher did that was overtaken: its rows go where the post now stands elsewhere, and
 * say what it now is where they stand for it. Only at the versions at which it put them: whoever
 * changed the post later puts its rows later.
 */
async function takeBack(
  platform: FinishPlatform,
  changed: readonly StoredRecord<StoredPost>[],
  placed: readonly Row[],
  overtaken: ReadonlySet<string>,
): Promise<void> {
  const { records, settings } = platform
  const mine = changed.filter(({ value }) => overtaken.has(value.id))
  const keys = mine.map(({ value }) => recordKeys.post(value.id))
  const present = await records.getMany<StoredPost>(keys)
  const going: Row[] = []
  for (const [i, { value }] of mine.entries()) {
    const now = present[i]?.value
    const standing = now ? rowsOf(now, settings.keep) : []
    const own = rowsOf(value, settings.keep)
    for (const row of placed.filter((row) => own.some((other) => isSameRow(row, other)))) {
      const wanted = standing.find((other) => isSameRow(row, other))
      if (wanted) await records.put(wanted, { ifVersion: row.version })
      else going.push(row)
    }
  }
  await deleteRows(platform, going)
  await raiseDirty(platform, feedsOfRows(going))
  await enqueueRegenerate(platform, feedsOfRows(going))
}
