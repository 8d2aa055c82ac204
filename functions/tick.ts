import { type ClockMark, madeUpTo, readClock } from './clock-mark.ts'
import { finishRun } from './digests/delivery/finish.ts'
import { advanceLetter } from './digests/letters/advance-letter.ts'
import { driveRested, driveRun, unparkRun } from './digests/runs/drive.ts'
import { keepOpenRun } from './digests/runs/keep-open-run.ts'
import {
  makeCatchUpRun,
  makeDueRuns,
  makeInstantRun,
  makeLetterRuns,
  markArchive,
} from './digests/runs/make-runs.ts'
import type { Run } from './digests/runs/run.ts'
import {
  closeRun,
  getRun,
  insertRun,
  isOpen,
  isOver,
  listOpenRuns,
} from './digests/runs/run-store.ts'
import { recordKeys } from './keys.ts'
import type { Platform } from './platform.ts'
import { type RealClock, realClock } from './real-clock.ts'
import { readSending } from './sending.ts'
import { standsStill } from './stands-still.ts'
import { endlessTurn, openTurn, sideBySide, type Turn } from './turn.ts'

export interface TickReport {
  /** RFC 3339: the instant it stood for. */
  at: string
  /** Runs that it made. */
  runs: Run[]
  /** Open runs that it drove on. */
  driven: string[]
  /** Posts that became visible because their date came. */
  duePosts: number
  /** Readers whose pause ended. */
  endedPauses: number
  /** Feeds that were behind. */
  feeds: string[]
}

export interface TickOptions {
  /** Drives on every open run, also one that moved just now, and leaves nothing. For a tick by hand. */
  driveAll?: boolean
  /** Which the turns of its steps go by. */
  clock?: RealClock
  /**
   * The tick stands for an instant that is still to come. The real clock's last tick stays noted, or
   * what comes due before that instant for whoever subscribes meanwhile would count as done.
   */
  isAhead?: boolean
}

/**
 * Does all that is due at `platform.now()`, and what was missed: lists posts whose date came, ends
 * pauses, renders feeds that are behind, makes the runs of schedules, instant readers and letters,
 * and drives on every run that stands still. Ticks may overlap, be repeated and be left out: nothing
 * happens twice, and the next one makes up for it.
 *
 * No step may keep the others from their turn, neither by a fault nor by having much to do: each that
 * could grow has a few seconds, leaves the rest to the next tick and goes on there behind what is done.
 */
export async function tick(
  platform: Platform,
  { driveAll = false, isAhead = false, clock: passing = realClock }: TickOptions = {},
): Promise<TickReport> {
  const at = platform.now().toISOString()
  const clock = await readClock(platform)
  if (clock?.value.restoring) {
    platform.log.warn('tick.held', { backup: clock.value.restoring.of })
    return { at, runs: [], driven: [], duePosts: 0, endedPauses: 0, feeds: [] }
  }
  const last = clock?.value.at
  const newTurn = () => (driveAll ? endlessTurn() : openTurn(passing))
  const faults: unknown[] = []
  // What fails stops nothing else, and the tick does not count as finished.
  const failed = (fault: unknown, where: { step: string; schedule?: string; run?: string }) => {
    platform.log.error('tick.step-failed', fault, where)
    faults.push(fault)
  }
  const attempt = async <T>(step: string, work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work()
    } catch (fault) {
      failed(fault, { step })
      return otherwise
    }
  }

  const duePosts = await attempt('due posts', () => listDuePosts(platform, newTurn), 0)
  const endedPauses = await attempt('pauses', () => endDuePauses(platform, newTurn()), 0)
  await attempt('confirmations', () => driveReaders(platform, newTurn()), undefined)
  await attempt('test mails', () => driveTestMails(platform), 0)
  const feeds = await attempt('feeds', () => driveFeeds(platform), [])
  await attempt('pages', () => drivePostPages(platform, newTurn()), 0)
  const instant = await attempt('instant run', () => makeInstantRun(platform), undefined)
  const letters = await attempt('letters', () => makeLetterRuns(platform, newTurn()), [])
  const catchUp = await attempt(
    'catch-up run',
    () => makeCatchUpRun(platform, newTurn()),
    undefined,
  )
  await attempt(
    'archive',
    () => markArchive(platform, last ? new Date(last) : undefined),
    undefined,
  )
  const made = madeUpTo(clock?.value)
  const isHeld = await attempt('sending', async () => (await readSending(platform)).paused, true)
  const dueTurn = newTurn()
  const due = await attempt(
    'due runs',
    async () =>
      isHeld
        ? []
        : // A mark that is later than now was noted before the clock was set back.
          makeDueRuns(platform, made, {
            turn: dueTurn,
            onFault: (fault, schedule) => failed(fault, { step: 'due runs', schedule }),
          }),
    [],
  )
  const runs = [instant, ...letters, catchUp, ...due].filter((run) => run !== undefined)
  const fresh = new Set(runs.map(({ id }) => id))
  const driven: string[] = []
  const turn = newTurn()
  const openRuns = await attempt('open runs', () => listOpenRuns(platform), [])
  await sideBySide(openRuns, turn, async (open) => {
    try {
      if (await driveOpenRun(platform, open, { driveAll, isFresh: fresh.has(open.id), turn }))
        driven.push(open.id)
    } catch (fault) {
      failed(fault, { step: 'open runs', run: open.id })
    }
  })

  if (faults.length > 0) throw new AggregateError(faults, 'a part of the tick failed')
  // Occurrences that were left are found again by the instant of the last tick that left none; before
  // there was one nobody could tell when those began that are held.
  if (!isAhead && !dueTurn.hasLeft && !(isHeld && made === undefined)) {
    // Another tick that ended meanwhile has noted itself, or a restore holds the clock now.
    const condition = clock ? { ifVersion: clock.version } : ({ ifAbsent: true } as const)
    const value: ClockMark = { at, ...(isHeld && made ? { madeUpTo: made.toISOString() } : {}) }
    await platform.records.put({ ...recordKeys.clock, value }, condition)
  }
  return { at, runs, driven, duePosts, endedPauses, feeds }
}

async function listDuePosts(platform: Platform, newTurn: () => Turn): Promise<number> {
  const { publishDuePosts } = await import('./posts/due.ts')
  return publishDuePosts(platform, newTurn)
}

async function endDuePauses(platform: Platform, turn: Turn): Promise<number> {
  const { endPauses } = await import('./subscribers/pauses.ts')
  return endPauses(platform, turn)
}

/** Confirmations whose job was lost, and changes of address that wait for a mail's end. */
async function driveReaders(platform: Platform, turn: Turn): Promise<void> {
  const { driveConfirmations } = await import('./subscribers/send-confirmation.ts')
  const { driveAddressChanges } = await import('./subscribers/change-address.ts')
  const { awaitsLetter } = await import('./digests/letters/awaits-letter.ts')
  await driveConfirmations(platform)
  await driveAddressChanges(platform, (reader) => awaitsLetter(platform, reader), turn)
}

async function driveTestMails(platform: Platform): Promise<number> {
  const { driveTests } = await import('./digests/previews/test-mail.ts')
  return driveTests(platform)
}

async function driveFeeds(platform: Platform): Promise<string[]> {
  const { feedsBehind } = await import('./feeds/regenerate.ts')
  const feeds = await feedsBehind(platform)
  await platform.jobs.enqueue(feeds.map((feed) => ({ kind: 'regenerate', feed }) as const))
  return feeds
}

async function drivePostPages(platform: Platform, turn: Turn): Promise<number> {
  const { drivePages } = await import('./posts/due-pages.ts')
  return drivePages(platform, turn)
}

/** Whether it was driven on. */
async function driveOpenRun(
  platform: Platform,
  open: Run,
  { driveAll, isFresh, turn }: { driveAll: boolean; isFresh: boolean; turn: Turn },
): Promise<boolean> {
  const stored = (await getRun(platform, open.id))?.value ?? (await missingRun(platform, open))
  const run = stored?.waits ? await advanceLetter(platform, open.id) : stored
  // It waited until now, and its planning is enqueued.
  if (stored !== run && run && isOpen(run)) return true
  if (!run || isOver(run)) {
    await closeRun(platform, open.id)
    return false
  }
  await keepOpenRun(platform, run, turn)
  if (!isOpen(run) || isFresh) return false
  const { parkedAt } = run
  if (parkedAt !== undefined && (await unparkRun(platform, run)).parkedAt !== undefined) {
    const { settleParked } = await import('./digests/delivery/settle-parked.ts')
    await settleParked(platform, run, turn)
    return false
  }
  if (!driveAll && !standsStill(run.movedAt, platform.now()) && parkedAt === undefined) {
    await driveRested(platform, run)
    return false
  }
  await finishRun(platform, run.id)
  await driveRun(platform, run)
  return true
}

/** Its maker died between listing it as open and making it: the open record holds all of it. */
async function missingRun(platform: Platform, open: Run): Promise<Run | undefined> {
  if (Date.parse(open.expires) <= platform.now().getTime()) return undefined
  return (await insertRun(platform, open)).run
}
