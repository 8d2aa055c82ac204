import { madeUpTo, readClock } from '../../clock-mark.ts'
import { everything, recordKeys } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { recordsOnceListed } from '../../posts/due-ahead.ts'
import { formatInstant } from '../../posts/format-instant.ts'
import { readLog, readLogHead } from '../../posts/log.ts'
import { getPost } from '../../posts/post.ts'
import { getStoredPost } from '../../posts/stored-post.ts'
import { catchUpScheduleId } from '../../subscribers/schedule.ts'
import { getSubscribers } from '../../subscribers/store.ts'
import { isServedBy } from '../delivery/claim.ts'
import { mayBeMailed } from '../delivery/ledger.ts'
import { isMailable, type Listing, openListing } from '../editions/listing.ts'
import { choiceFor, isOwedDigest } from '../editions/owed.ts'
import { letterNow, newLetterRun } from '../letters/letter.ts'
import { countsOf } from './books.ts'
import { dueOccurrences, instantRun, readMark } from './make-runs.ts'
import { audienceOf } from './plan.ts'
import type { Run } from './run.ts'
import { getRun, isOver, listOpenRuns, type NewRun, newRun } from './run-store.ts'

/** A run that would send, or go on sending, once sending is resumed. */
export interface DueRun {
  /** Absent for one that the next tick names. */
  id?: string
  schedule: string
  kind: Run['kind']
  /** RFC 3339. */
  dueAt: string
  /** Absent: nothing of it is made yet, the next tick does. */
  state?: Run['state']
  reason?: string
  /** The log's number of the newest post that it can deliver. */
  to: number
  /** Whom it still has to visit. */
  readers: number
  /** There are more of them: not counted to the last one. */
  isAtLeast: boolean
  /** To how many of them something is owed; absent where that was not looked up. */
  owed?: number
}

export interface Due {
  /** The log's highest number, counting the posts whose date has come and that the next tick lists. */
  last: number
  runs: DueRun[]
}

type Source = Pick<Platform, 'records' | 'settings' | 'now'>
type Wanted = Pick<NewRun, 'schedule' | 'kind' | 'to' | 'after' | 'postId'>
type Counted = Pick<DueRun, 'readers' | 'isAtLeast' | 'owed'>
type Look = (run: Wanted) => Promise<Counted>

/** Counted to here, of each run. */
const mostCounted = 50_000
/** Readers whose items are looked at, in all: enough to tell, and done within a request. */
const mostLooked = 20_000
const mostAtOnce = 500
const mostLetters = 100

/**
 * What would be mailed if sending went on now: the runs that are open, and those that the next tick
 * would make, of posts too whose date has come meanwhile and letters whose time is up. Reads only, and
 * may be asked at any time; a tick meanwhile turns the latter into the former.
 */
export async function whatIsDue(given: Source): Promise<Due> {
  const platform = { ...given, records: await recordsOnceListed(given) }
  const { last } = await readLogHead(platform)
  const look = readersLook(platform, last)
  const open = await unfinishedRuns(platform)
  const runs: DueRun[] = []
  for (const run of open) {
    if (!run.waits) runs.push(await standingOf(platform, run))
    else runs.push(...(await letterDue(platform, run, { last, look })))
  }
  const known = new Set(open.map(({ id }) => id))
  for (const wanted of await toBeMade(platform, last)) {
    if (known.has(wanted.id) || (await getRun(platform, wanted.id))) continue
    if (wanted.kind === 'letter') {
      const run = newRun(platform, wanted)
      for (const { state: _, ...due } of await letterDue(platform, run, { last, look }))
        runs.push(due)
      continue
    }
    const counted = await look(wanted)
    // A run that nobody is owed anything of mails nobody.
    if (counted.readers > 0 && counted.owed !== 0) runs.push({ ...viewOf(wanted), ...counted })
  }
  return { last, runs }
}

function viewOf({ id, schedule, kind, dueAt, to, reason }: NewRun): Omit<DueRun, keyof Counted> {
  // The next tick names it by its own instant.
  const named = kind === 'catch-up' ? {} : { id }
  return { ...named, schedule, kind, dueAt, ...(reason === undefined ? {} : { reason }), to }
}

async function unfinishedRuns(platform: Source): Promise<Run[]> {
  const runs: Run[] = []
  for (const { id } of await listOpenRuns(platform)) {
    const run = (await getRun(platform, id))?.value
    if (run && !isOver(run)) runs.push(run)
  }
  return runs
}

async function standingOf(platform: Source, run: Run): Promise<DueRun> {
  const { pending } = await countsOf(platform, run)
  // Readers who are not in a chunk yet are not counted.
  return { ...viewOf(run), state: run.state, readers: pending, isAtLeast: run.chunks === undefined }
}

/** A letter of which nothing is planned, as the next tick leaves it: on its way, or still waiting. */
async function letterDue(
  platform: Source,
  run: Run,
  { last, look }: { last: number; look: Look },
): Promise<DueRun[]> {
  const post = run.postId ? (await getStoredPost(platform, run.postId))?.value : undefined
  const sight = { post, settings: platform.settings, now: formatInstant(platform.now()) }
  const next = letterNow(run, sight, last + 1)
  if (isOver(next)) return []
  const counted = await look(next)
  const isForNobody = counted.readers === 0 || counted.owed === 0
  return isForNobody ? [] : [{ ...viewOf(next), state: next.state, ...counted }]
}

/** What the next tick would make, by the same marks; nothing is written. */
async function toBeMade(platform: Source, last: number): Promise<NewRun[]> {
  const now = formatInstant(platform.now())
  const clock = (await readClock(platform))?.value
  const [instant, letters, occurrences] = await Promise.all([
    readMark(platform, recordKeys.instantHead),
    readMark(platform, recordKeys.letterHead),
    dueOccurrences(platform, madeUpTo(clock)),
  ])
  const schedule = catchUpScheduleId
  // First, as its readers are instant readers too, and counted once.
  const wanted: NewRun[] = [{ id: schedule, schedule, kind: 'catch-up', dueAt: now, to: last }]
  if (instant.to < last) wanted.push(instantRun(instant.to, last, now))
  const entries = await readLog(platform, everything, { after: letters.to, to: last })
  for (const entry of entries.filter(({ mail }) => mail === 'letter').slice(0, mostLetters)) {
    const post = (await getStoredPost(platform, entry.postId))?.value
    wanted.push(newLetterRun(entry, { post, now }))
  }
  wanted.push(...occurrences.map((occurrence) => ({ ...occurrence, to: last })))
  return wanted
}

/** Counts the readers of runs, and looks at their items as long as there are not too many. */
function readersLook(platform: Source, last: number): Look {
  const listing = openListing(platform, last)
  let left = mostLooked
  /** Whoever is in two runs gets all of it by the first that comes to them. */
  const brought = new Set<string>()

  return async (run) => {
    let readers = 0
    let owed: number | undefined = 0
    let batch: string[] = []
    const lookAt = async () => {
      left -= batch.length
      if (left < 0) owed = undefined
      if (owed !== undefined) owed += await countOwed(platform, listing, run, batch, brought)
      batch = []
    }
    for await (const id of await audienceOf(platform, run)) {
      if (readers === mostCounted) return { readers, isAtLeast: true }
      readers++
      batch.push(id)
      if (batch.length === mostAtOnce) await lookAt()
    }
    await lookAt()
    return { readers, isAtLeast: false, ...(owed === undefined ? {} : { owed }) }
  }
}

async function countOwed(
  platform: Source,
  listing: Listing,
  run: Wanted,
  ids: readonly string[],
  brought: Set<string>,
): Promise<number> {
  const post = run.postId ? (await getPost(platform, run.postId))?.value : undefined
  let owed = 0
  for (const record of await getSubscribers(platform, ids)) {
    const reader = record?.value
    if (!reader || !mayBeMailed(reader) || !isServedBy(reader, run)) continue
    if (run.kind === 'letter') {
      const choice = post && isMailable(post) && choiceFor(reader, post, run.to, platform.settings)
      if (choice) owed++
    } else if (
      !brought.has(reader.id) &&
      (await isOwedDigest(listing, reader, run.to, platform.settings))
    ) {
      brought.add(reader.id)
      owed++
    }
  }
  return owed
}
