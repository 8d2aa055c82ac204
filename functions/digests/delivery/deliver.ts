import type { Platform } from '../../platform.ts'
import { type RealClock, realClock } from '../../real-clock.ts'
import { readSending } from '../../sending.ts'
import { chunksAhead } from '../runs/ahead.ts'
import type { ChunkBook, Run } from '../runs/run.ts'
import {
  changeRun,
  closeRun,
  getBook,
  getChunk,
  getRun,
  isFinished,
  isGoneThrough,
  isOpen,
  isOver,
  isToRetry,
  putBook,
  rowsOf,
} from '../runs/run-store.ts'
import { deliverAll, type End } from './deliver-all.ts'
import { keepBook } from './finish.ts'

/** A job ends well within the time that a server takes to stop; another goes on. */
const budgetMs = 10_000
/** Deliveries that are due again so soon are not left to a tick. */
const soonMs = 30_000
const longestDelaySeconds = 900
/** A run says so often that it moves: well before a tick would take it for standing still. */
const movedMs = 30_000

/**
 * Delivers what is pending in a chunk, as far as pace and a few seconds allow, and brings the next
 * chunk on its way. What is put off waits in records and is driven on by a tick. Any number may work
 * on one chunk at once.
 */
export async function deliverChunk(
  platform: Platform,
  runId: string,
  chunk: number,
  clock: RealClock = realClock,
): Promise<void> {
  const deadline = clock.now() + budgetMs
  const run = (await getRun(platform, runId))?.value
  if (!run || !isOpen(run)) {
    if (run && isOver(run)) await closeRun(platform, runId)
    return
  }
  if ((await readSending(platform)).paused) return
  const stored = await getBook(platform, runId, chunk)
  if (stored && isFinished(stored.value, run)) return
  const pending = await pendingOf(platform, run, chunk, stored?.value)
  if (!pending) return
  if (!stored?.value.begun) await noteBegun(platform, run, chunk)

  const end = await deliverAll(platform, run, chunk, pending, deadline, clock)
  if (end.settled > 0) await noteMoved(platform, run)
  if (end.stop === 'spent') await park(platform, run)
  if (end.stop === undefined || end.settled === pending.length) {
    await keepBook(platform, run, chunk, end.dueAt)
    // Whoever goes through a chunk first brings the next one; deliveries that wait hold up nobody.
    if (!stored || !isGoneThrough(stored.value, run)) await bringNext(platform, run, chunk)
  }
  await goOn(platform, run, chunk, end)
}

/** Whom to visit: who has no row, or failed before the last retry. `undefined`: no such chunk. */
async function pendingOf(
  platform: Platform,
  run: Run,
  chunk: number,
  book: ChunkBook | undefined,
): Promise<readonly string[] | undefined> {
  const { counted } = book ?? {}
  if (counted) return counted.gen < run.gen ? [...counted.open, ...counted.failed] : counted.open
  const stored = await getChunk(platform, run.id, chunk)
  if (!stored) return undefined
  const rows = book && !book.begun ? new Map() : await rowsOf(platform, run.id, chunk)
  return stored.value.readers.filter((reader) => {
    const row = rows.get(reader)
    return !row || isToRetry(row, run)
  })
}

/** Before the first claim: whoever counts a run reads the rows of chunks that are begun, and no others. */
async function noteBegun(platform: Platform, run: Run, chunk: number): Promise<void> {
  for (;;) {
    const stored = await getBook(platform, run.id, chunk)
    if (stored?.value.begun) return
    const readers =
      stored?.value.readers ?? (await getChunk(platform, run.id, chunk))?.value.readers.length ?? 0
    const condition = stored ? { ifVersion: stored.version } : ({ ifAbsent: true } as const)
    const outcome = await putBook(platform, run, chunk, { readers, begun: true }, condition)
    if (outcome.status === 'stored') return
  }
}

async function bringNext(platform: Platform, run: Run, chunk: number): Promise<void> {
  const ahead = await chunksAhead(platform)
  for (let next = chunk + ahead; ; next += ahead) {
    const book = (await getBook(platform, run.id, next))?.value
    if (!book) return
    // Somebody else brought that one, and was lost behind it or is done.
    if (isGoneThrough(book, run)) continue
    await platform.jobs.enqueue([{ kind: 'deliver', runId: run.id, chunk: next }])
    return
  }
}

/** Hints only: what is lost of them, a tick finds. */
async function goOn(platform: Platform, run: Run, chunk: number, end: End): Promise<void> {
  // One that settled nothing is left to the tick, or each tick would add one more to those that wait.
  if (end.settled === 0) return
  const job = { kind: 'deliver', runId: run.id, chunk } as const
  if (end.stop === 'time') await platform.jobs.enqueue([job])
  const dueInMs = end.dueAt ? Date.parse(end.dueAt) - platform.now().getTime() : undefined
  const seconds =
    end.stop === 'busy'
      ? end.busySeconds
      : end.stop === undefined && dueInMs !== undefined && dueInMs <= soonMs
        ? Math.max(1, Math.ceil(dueInMs / 1000))
        : undefined
  if (seconds === undefined) return
  await platform.jobs.enqueue([job], { delaySeconds: Math.min(seconds, longestDelaySeconds) })
}

/** Not at each mail: the run is one item that all its workers share. */
async function noteMoved(platform: Platform, run: Run): Promise<void> {
  const now = platform.now()
  await changeRun(platform, run.id, (current) => {
    const age = now.getTime() - Date.parse(current.movedAt)
    if (!isOpen(current) || (current.state === 'sending' && age >= 0 && age < movedMs))
      return undefined
    return { ...current, state: 'sending', movedAt: now.toISOString() }
  })
}

/** The day's quota is used up: the run says so, and the next tick with room lets it go on. */
async function park(platform: Platform, run: Run): Promise<void> {
  await changeRun(platform, run.id, (current) =>
    isOpen(current) && current.parkedAt === undefined
      ? { ...current, parkedAt: platform.now().toISOString() }
      : undefined,
  )
}
