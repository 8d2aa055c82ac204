import { everything, recordKeys } from '../../keys.ts'
import type { Platform, RecordKey } from '../../platform.ts'
import { formatInstant } from '../../posts/format-instant.ts'
import { readLog, readLogHead } from '../../posts/log.ts'
import { getStoredPost } from '../../posts/stored-post.ts'
import { readSending } from '../../sending.ts'
import { latestOccurrence } from '../../subscribers/cadence.ts'
import { isSettled } from '../../subscribers/is-settled.ts'
import { leaveCatchUp } from '../../subscribers/memberships.ts'
import { instantReaders, scheduleReaders } from '../../subscribers/reader-streams.ts'
import {
  catchUpScheduleId,
  dropSchedule,
  instantScheduleId,
  listSchedules,
  type Schedule,
} from '../../subscribers/schedule.ts'
import { getSubscriber } from '../../subscribers/store.ts'
import type { Subscriber } from '../../subscribers/subscriber.ts'
import { endlessTurn, openTurn, sideBySide, type Turn } from '../../turn.ts'
import { defaultSchedule } from '../editions/archive.ts'
import { openListing } from '../editions/listing.ts'
import { isOwedDigest } from '../editions/owed.ts'
import { newLetterRun } from '../letters/letter.ts'
import { isToCome } from './is-to-come.ts'
import { categoriesListed } from './plan.ts'
import type { Run } from './run.ts'
import { getRun, isOpen, isOver, listOpenRuns, makeRun, type NewRun } from './run-store.ts'

type Making = Pick<Platform, 'records' | 'settings' | 'now' | 'jobs'>

/** Log entries looked at a time. */
const stretch = 1000
const catchUpPrefix = `${catchUpScheduleId}_`

/**
 * Makes the run of every schedule whose latest occurrence lies after `since`, up to now: what is due
 * and what was missed. Earlier ones that were missed too would be empty. Repeatable; gives back the
 * runs that are new. Where `turn` has left some, `since` must not be raised; nor while all sending is
 * paused, when nobody asks for them: a week's mails in one then, and not seven at once.
 */
export async function makeDueRuns(
  platform: Making,
  /** The last finished tick; absent before the first, when nothing was missed. */
  since: Date | undefined,
  { onFault = raise, turn = openTurn() }: { onFault?: OnFault; turn?: Turn } = {},
): Promise<Run[]> {
  if (since && since >= platform.now()) return []
  const due = await dueOccurrences(platform, since, onFault)
  const { last } = await readLogHead(platform)
  const made: (Run | undefined)[] = []
  await sideBySide((await missingOf(platform, due)).entries(), turn, async ([i, occurrence]) => {
    try {
      // As soon as nobody is on it any more, and where its last reader's leaving could not see to that.
      if (await dropSchedule(platform, occurrence.schedule)) return
      made[i] = await startRun(platform, { ...occurrence, to: last })
    } catch (fault) {
      onFault(fault, occurrence.schedule)
    }
  })
  return made.filter((run) => run !== undefined)
}

/**
 * Those whose run does not exist: after a standstill that one tick cannot make up for, the next must
 * not begin with what is done.
 */
async function missingOf(
  { records }: Making,
  due: readonly Omit<NewRun, 'to'>[],
): Promise<Omit<NewRun, 'to'>[]> {
  const keys = due.map(({ id }) => recordKeys.run(id))
  // Where one cannot be read, each is looked at alone, and that one is reported.
  const there = await records.getMany(keys).catch((): undefined[] => [])
  return due.filter((_, i) => !there[i])
}

/** Hears of one schedule that failed; all others have their turn. */
type OnFault = (fault: unknown, schedule: string) => void

function raise(fault: unknown): never {
  throw fault
}

/**
 * The latest occurrence of every schedule that has one after `since`, as a run but for its `to`. One
 * that cannot be told, because its zone is not known here, is left out.
 */
export async function dueOccurrences(
  platform: Pick<Platform, 'records' | 'now'>,
  since: Date | undefined,
  onFault: OnFault = () => {},
): Promise<Omit<NewRun, 'to'>[]> {
  const due: Omit<NewRun, 'to'>[] = []
  for (const schedule of await listSchedules(platform)) {
    try {
      const occurrence = await dueOccurrence(platform, schedule, since)
      if (occurrence) due.push(occurrence)
    } catch (fault) {
      onFault(fault, schedule.id)
    }
  }
  return due
}

async function dueOccurrence(
  platform: Pick<Platform, 'records' | 'now'>,
  { id, ...rhythm }: Schedule,
  since: Date | undefined,
): Promise<Omit<NewRun, 'to'> | undefined> {
  if (rhythm.cadence === 'instant') return undefined
  const dueAt = latestOccurrence(rhythm, platform.now())
  if (dueAt <= (since ?? (await firstReaderSince(platform, id)))) return undefined
  const instant = formatInstant(dueAt)
  return {
    id: `${id}_${instant.replaceAll(/[-:]/g, '')}`,
    schedule: id,
    kind: 'digest',
    dueAt: instant,
  }
}

/**
 * Notes where one edition of the public archive ends that came up since the last tick, whether or not
 * somebody reads it by mail.
 */
export async function markArchive(platform: Making, last: Date | undefined): Promise<void> {
  const schedule = defaultSchedule(platform.settings)
  const occurrence = schedule && latestOccurrence(schedule, platform.now())
  if (!last || !occurrence || occurrence <= last) return
  const { last: to } = await readLogHead(platform)
  const key = recordKeys.archiveMark(formatInstant(occurrence))
  await platform.records.put({ ...key, value: { to } }, { ifAbsent: true })
}

/**
 * Before the first tick ever, a schedule's occurrences count from its first reader on: without a
 * clock running, the tick by hand that follows a confirmation still finds what has come due.
 */
async function firstReaderSince(
  platform: Pick<Platform, 'records' | 'now'>,
  scheduleId: string,
): Promise<Date> {
  let first = platform.now()
  let looked = 0
  for await (const id of scheduleReaders(platform, scheduleId)) {
    if (looked++ >= 100) break
    const reader = (await getSubscriber(platform, id))?.value
    if (!reader) continue
    const { createdAt, confirmedAt = createdAt } = reader
    const since = new Date(confirmedAt > createdAt ? confirmedAt : createdAt)
    if (since < first) first = since
  }
  return first
}

/**
 * Makes the instant run that serves what was listed since the last one; none when nobody reads those
 * categories at once. Named by its `to`, so however often it is asked for, it is made once. Nor while
 * all sending is paused: the first one afterwards serves all that was listed meanwhile.
 */
export async function makeInstantRun(platform: Making): Promise<Run | undefined> {
  const mark = await readMark(platform, recordKeys.instantHead)
  const { last: to } = await readLogHead(platform)
  if (to <= mark.to || (await readSending(platform)).paused) return undefined
  const slugs = await categoriesListed(platform, { after: mark.to, to })
  let run: Run | undefined
  // The same stream that planning reads, so an audience that is empty here is empty there.
  if (slugs.length > 0 && (await isAny(instantReaders(platform, slugs)))) {
    run = await startRun(platform, instantRun(mark.to, to, formatInstant(platform.now())))
  }
  // After the run: a crash before this makes the same run, or one that serves more.
  await raiseMark(platform, recordKeys.instantHead, mark, to)
  return run
}

/** The run that mails what was listed after a number of the log, up to another one, to instant readers. */
export function instantRun(after: number, to: number, dueAt: string): NewRun {
  return { id: `instant_${to}`, schedule: instantScheduleId, kind: 'instant', dueAt, to, after }
}

/**
 * Makes the run of every letter listed since this was last done. Repeatable; named by the post. One
 * that is set for later or needs approval waits, unplanned, until `advanceLetter` lets it go.
 */
export async function makeLetterRuns(platform: Making, turn = endlessTurn()): Promise<Run[]> {
  const made: Run[] = []
  for (;;) {
    const mark = await readMark(platform, recordKeys.letterHead)
    const { last } = await readLogHead(platform)
    if (last <= mark.to || turn.isOver()) return made
    const to = Math.min(last, mark.to + stretch)
    for (const entry of await readLog(platform, everything, { after: mark.to, to })) {
      if (entry.mail !== 'letter') continue
      const post = (await getStoredPost(platform, entry.postId))?.value
      const wanted = newLetterRun(entry, { post, now: formatInstant(platform.now()) })
      const run = await startRun(platform, wanted)
      if (run) made.push(run)
    }
    await raiseMark(platform, recordKeys.letterHead, mark, to)
  }
}

/**
 * Protocol M4: makes a run for readers who moved to instant while posts were owed, and lets those
 * leave to whom nothing is owed any more, or whose mail such a run could not deliver: what is owed
 * to them comes with the next run that serves them, and not with one more each minute.
 */
export async function makeCatchUpRun(
  platform: Making,
  turn = openTurn(),
): Promise<Run | undefined> {
  const { last: to } = await readLogHead(platform)
  const underWay = await catchUpsUnderWay(platform)
  const listing = openListing(platform, to)
  let isNeeded = false
  await sideBySide(scheduleReaders(platform, catchUpScheduleId), turn, async (id) => {
    const reader = (await getSubscriber(platform, id))?.value
    if (!reader?.catchUp) return undefined
    const isEnded = await isSettled(platform, reader)
    // A run at work on this reader would only be waited for; one that is held gives its claim back.
    const at = isEnded ? undefined : reader.note && (await getRun(platform, reader.note.run))?.value
    if (at && isOpen(at)) return undefined
    if (await isAwaited(platform, underWay, id)) return undefined
    const isRefused = isEnded && hasFailedToCatchUp(reader, to)
    if (!isRefused && (!isEnded || (await isOwedDigest(listing, reader, to, platform.settings)))) {
      isNeeded = true
      return 'enough'
    }
    const seen = JSON.stringify(reader)
    return leaveCatchUp(platform, id, (current) => JSON.stringify(current) === seen)
  })
  if (!isNeeded || (await readSending(platform)).paused) return undefined
  return startRun(platform, {
    id: `${catchUpPrefix}${formatInstant(platform.now()).replaceAll(/[-:]/g, '')}`,
    schedule: catchUpScheduleId,
    kind: 'catch-up',
    dueAt: formatInstant(platform.now()),
    to,
  })
}

/** Held ones too: who waits in one of them is not mailed past the guard, or by one run more each minute. */
async function catchUpsUnderWay(platform: Making): Promise<Run[]> {
  const runs: Run[] = []
  for (const open of await listOpenRuns(platform)) {
    if (open.kind !== 'catch-up') continue
    // Its maker may have died between listing it as open and making it; one that cannot be read is
    // reported by whoever drives it.
    const run = await getRun(platform, open.id).catch(() => undefined)
    if (run && !isOver(run.value)) runs.push(run.value)
  }
  return runs
}

async function isAwaited(platform: Making, runs: readonly Run[], id: string): Promise<boolean> {
  for (const run of runs) if (await isToCome(platform, run, id)) return true
  return false
}

function hasFailedToCatchUp({ note }: Subscriber, to: number): boolean {
  return note?.phase === 'failed' && note.run.startsWith(catchUpPrefix) && note.to >= to
}

/** Makes a run once and has it planned. `undefined` when it was there already. */
async function startRun(platform: Making, wanted: NewRun): Promise<Run | undefined> {
  const { run, isNew } = await makeRun(platform, wanted)
  if (!isNew) return undefined
  if (isOpen(run)) await platform.jobs.enqueue([{ kind: 'plan', runId: run.id }])
  return run
}

interface Mark {
  to: number
  version: string | undefined
}

/** Up to which number of the log the runs of instant readers, or of letters, are made. */
export async function readMark(
  { records }: Pick<Platform, 'records'>,
  key: RecordKey,
): Promise<Mark> {
  const record = await records.get<{ to: number }>(key)
  return { to: record?.value.to ?? 0, version: record?.version }
}

/** Somebody else who raised it meanwhile made the same runs. */
export async function raiseMark(
  { records }: Pick<Platform, 'records'>,
  key: RecordKey,
  { version }: Mark,
  to: number,
): Promise<void> {
  await records.put(
    { ...key, value: { to } },
    version === undefined ? { ifAbsent: true } : { ifVersion: version },
  )
}

async function isAny(readers: AsyncIterable<string>): Promise<boolean> {
  for await (const _ of readers) return true
  return false
}
