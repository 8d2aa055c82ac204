import type { Platform } from '../platform.ts'
import { readSending } from '../sending.ts'
import { suppress } from '../subscribers/suppression.ts'
import { deliverTo, isToRetry } from './claim.ts'
import { newToken } from './claim-token.ts'
import { finishChunk } from './finish.ts'
import type { Attempt, Ledger } from './ledger.ts'
import { chunksAhead, openPace } from './pace.ts'
import { openMessages, openParcels } from './parcels.ts'
import type { Run } from './run.ts'
import { changeRun, closeRun, getChunk, getRun, isOpen, isOver, rowsOf } from './run-store.ts'

/** Readers visited at a time by one job: enough to share a commit, few enough to bound a crash. */
const atATime = 32
/** Mails in flight in this process: what a crash can leave in doubt. */
const mostInFlight = 64
/** A job ends well within the time that a server takes to stop; another goes on. */
const budgetMs = 10_000
/** How long a job goes on without looking whether the run still goes on and the posts still stand. */
const freshMs = 250

/** One store of composed messages for all jobs of a process and platform. */
const messagesOf = new WeakMap<object, ReturnType<typeof openMessages>>()
let inFlight = 0

/**
 * Delivers what is pending in a chunk, as far as pace and a few seconds allow. What is left is waited for
 * in records and driven on by a tick. Any number may work on one chunk at once.
 */
export async function deliverChunk(
  platform: Platform,
  runId: string,
  chunk: number,
): Promise<void> {
  const started = performance.now()
  const run = (await getRun(platform, runId))?.value
  if (!run || !isOpen(run)) {
    if (run && isOver(run)) await closeRun(platform, runId)
    return
  }
  if ((await readSending(platform)).paused) return
  const stored = await getChunk(platform, runId, chunk)
  if (!stored) return
  const { readers, totals } = stored.value
  if (!totals || totals.gen < run.gen) {
    const rows = await rowsOf(platform, runId, chunk)
    const pending = readers.filter((reader) => {
      const row = rows.get(reader)
      return !row || isToRetry(row, run)
    })
    const end = await deliverAll(platform, run, chunk, pending, started + budgetMs)
    if (end.settled > 0) await noteMoved(platform, run)
    if (!(await finishChunk(platform, run, chunk))) {
      if (end.isCutShort) await platform.jobs.enqueue([{ kind: 'deliver', runId, chunk }])
      return
    }
  }
  const next = chunk + (await chunksAhead(platform))
  if (await getChunk(platform, runId, next)) {
    await platform.jobs.enqueue([{ kind: 'deliver', runId, chunk: next }])
  }
}

interface End {
  settled: number
  /** Readers are left whom nothing but time kept from. */
  isCutShort: boolean
}

async function deliverAll(
  platform: Platform,
  run: Run,
  chunk: number,
  pending: readonly string[],
  deadline: number,
): Promise<End> {
  const parcels = openParcels(platform, messagesFor(platform))
  const ledger: Ledger = { platform, run, chunk, parcels, newToken }
  const pace = openPace(platform)
  const queue = pending.values()
  let settled = 0
  let stop: 'time' | 'closed' | 'busy' | 'spent' | undefined
  let freshUntil = performance.now() + freshMs
  let freshening: Promise<void> | undefined

  async function freshen(): Promise<void> {
    const current = (await getRun(platform, run.id))?.value
    if (!current || !isOpen(current) || current.gen !== run.gen) stop = 'closed'
    else if ((await readSending(platform)).paused) stop = 'closed'
    else await parcels.refresh()
    freshUntil = performance.now() + freshMs
  }

  async function work(): Promise<void> {
    for (;;) {
      if (performance.now() > deadline) stop ??= 'time'
      if (stop) return
      if (performance.now() > freshUntil) {
        freshening ??= freshen().finally(() => {
          freshening = undefined
        })
        await freshening
        continue
      }
      // Before a claim, so that nobody waits with a reader claimed.
      const token = await pace.take(deadline - performance.now())
      if (token !== 'token') {
        stop ??= token === 'late' ? 'time' : 'spent'
        return
      }
      const { value: reader } = queue.next()
      if (reader === undefined) return
      const attempt = await withinFlight(() => deliverTo(ledger, reader))
      if (!attempt.tried) await pace.giveBack()
      if (attempt.status === 'settled') settled++
      // A service that refuses everybody is not asked five hundred times more.
      else if (attempt.serviceBusy) stop ??= 'busy'
      await suppressBad(platform, reader, attempt)
    }
  }

  await Promise.all(Array.from({ length: Math.min(atATime, pending.length) }, work))
  return { settled, isCutShort: stop === 'time' }
}

/** A hard bounce at the door: the address is not mailed again. */
async function suppressBad(platform: Platform, reader: string, attempt: Attempt): Promise<void> {
  if (attempt.status === 'settled' && attempt.badAddress) {
    await suppress(platform, reader, 'hard-bounce')
  }
}

async function withinFlight<T>(work: () => Promise<T>): Promise<T> {
  while (inFlight >= mostInFlight) await new Promise((resolve) => waiting.push(resolve))
  inFlight++
  try {
    return await work()
  } finally {
    inFlight--
    waiting.shift()?.(undefined)
  }
}
const waiting: ((value: unknown) => void)[] = []

function messagesFor(platform: Platform) {
  let messages = messagesOf.get(platform.settings)
  if (!messages) {
    messages = openMessages()
    messagesOf.set(platform.settings, messages)
  }
  return messages
}

/** Not at each mail: the run is one item that all its workers share. */
async function noteMoved(platform: Platform, run: Run): Promise<void> {
  const now = platform.now()
  await changeRun(platform, run.id, (current) => {
    const age = now.getTime() - Date.parse(current.movedAt)
    if (!isOpen(current) || (current.state === 'sending' && age >= 0 && age < 30_000))
      return undefined
    return { ...current, state: 'sending', movedAt: now.toISOString() }
  })
}
