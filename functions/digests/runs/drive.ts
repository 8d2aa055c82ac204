import { dayRoom } from '../../mail/day-budget.ts'
import { effectiveQuota } from '../../mail/quota.ts'
import type { Platform } from '../../platform.ts'
import { realClock } from '../../real-clock.ts'
import { finishRun } from '../delivery/finish.ts'
import { longestPauseMs } from '../delivery/ledger.ts'
import { chunksAhead } from './ahead.ts'
import { type ChunkBook, chunkReaders, type Run } from './run.ts'
import { booksOf, changeRun, isFinished, isGoneThrough, isOpen, lastChunk } from './run-store.ts'

type Driving = Pick<Platform, 'records' | 'jobs' | 'now' | 'mailer' | 'settings'>

/** A job that was enqueued for the end of a rest goes first. */
const patienceMs = 30_000
/** Chunks with a few deliveries to try again, enqueued at a time. */
const mostAgain = 1000

/**
 * Enqueues what an open run needs to go on: its planning, and as many unfinished chunks as mail can
 * leave for in the next two minutes; each that is gone through brings the next. Chunks of which
 * nothing is due yet are passed over, so that a few full mailboxes hold up nobody else.
 */
export async function driveRun(platform: Driving, run: Run): Promise<void> {
  if (!isOpen(run)) return
  if (run.chunks === undefined) await platform.jobs.enqueue([{ kind: 'plan', runId: run.id }])
  const ahead = await chunksAhead(platform)
  const chunks = run.chunks ?? ((await lastChunk(platform, run.id))?.k ?? -1) + 1
  const now = platform.now().getTime()
  const fresh: number[] = []
  const again = chunksAgain(ahead)
  let isWhole = true
  let next = 0
  for await (const { k, book } of booksOf(platform, run.id)) {
    if (k >= chunks || (fresh.length >= ahead && again.isFull())) break
    // A planner died between a chunk and its book.
    while (next < k) fresh.push(next++)
    next++
    if (isFinished(book, run)) continue
    isWhole = false
    if (!isGoneThrough(book, run)) fresh.push(k)
    else if (!rests(book, run, now)) again.offer(k, book)
  }
  while (next < chunks && fresh.length < ahead) fresh.push(next++)
  const due = [...fresh.slice(0, ahead), ...again.chosen]
  if (due.length > 0) await enqueueChunks(platform, run, due)
  else if (isWhole && run.chunks !== undefined) await finishRun(platform, run.id)
}

/** Enqueues the chunks of a run on its way whose deliveries, put off before, are due again. */
export async function driveRested(platform: Driving, run: Run): Promise<void> {
  const now = platform.now().getTime()
  const again = chunksAgain(await chunksAhead(platform))
  for await (const { k, book } of booksOf(platform, run.id)) {
    if (again.isFull()) break
    if (restOf(book, run) === undefined || isFinished(book, run)) continue
    if (!rests(book, run, now - patienceMs)) again.offer(k, book)
  }
  if (again.chosen.length > 0) await enqueueChunks(platform, run, again.chosen)
}

/**
 * Chooses among chunks to be tried again: many where a few deliveries wait in each, but of those
 * where many do no more than the next minutes can send, or each tick would add as many jobs again to
 * those that still wait for their turn.
 */
function chunksAgain(ahead: number) {
  const chosen: number[] = []
  let room = ahead * chunkReaders
  return {
    chosen,
    isFull: () => chosen.length >= mostAgain,
    offer(k: number, { passed }: ChunkBook): void {
      if (chosen.length >= mostAgain || (passed && room <= 0)) return
      if (passed) room -= passed.open
      chosen.push(k)
    },
  }
}

async function enqueueChunks(
  { jobs }: Pick<Platform, 'jobs'>,
  run: Run,
  chunks: readonly number[],
): Promise<void> {
  await jobs.enqueue(chunks.map((chunk) => ({ kind: 'deliver', runId: run.id, chunk }) as const))
}

/** RFC 3339: before it there is nothing to do for a chunk. */
function restOf({ counted, passed }: ChunkBook, { gen }: Run): string | undefined {
  return [passed, counted].find((last) => last && last.gen >= gen)?.restsUntil
}

function rests(book: ChunkBook, run: Run, now: number): boolean {
  const until = restOf(book, run)
  if (until === undefined) return false
  const restMs = Date.parse(until) - now
  return restMs > 0 && restMs < longestPauseMs
}

/** Lets a run that was parked go on if the day has room again. Gives it back as it then is. */
export async function unparkRun(platform: Driving, run: Run): Promise<Run> {
  if (run.parkedAt === undefined) return run
  const room = await dayRoom(platform, await effectiveQuota(platform), realClock)
  if (room && room.left <= 0) return run
  const changed = await changeRun(platform, run.id, (current) => {
    if (current.parkedAt === undefined) return undefined
    const { parkedAt: _, ...rest } = current
    return rest
  })
  return changed ?? run
}
