import { openPace, paceOf, type Right } from '../../mail/pace.ts'
import { effectiveQuota } from '../../mail/quota.ts'
import type { Platform } from '../../platform.ts'
import { type RealClock, realClock } from '../../real-clock.ts'
import { readSending } from '../../sending.ts'
import { openMessages, openParcels } from '../editions/parcels.ts'
import { weighAgain } from '../feedback/guard.ts'
import type { Run } from '../runs/run.ts'
import { getRun, isOpen } from '../runs/run-store.ts'
import { deliverTo } from './claim.ts'
import { newToken } from './claim-token.ts'
import type { Ledger } from './ledger.ts'
import { pacedMailer } from './paced-mailer.ts'

/** Mails in flight in this process: what a crash can leave in doubt. */
export const mostInFlight = 96
/** Readers visited at a time by one job: enough to share a commit, few enough to bound a crash. */
const atATime = 32
/** A fast provider that is far away is served by more. */
const mostAtATime = 64
/** How long a job goes on without looking whether the run still goes on and the posts still stand. */
const freshMs = 250
const lookAgainMs = 60_000
/** Nor after how many mails, while their bounces are to be weighed as soon as there are enough. */
const freshMails = 25
/**
 * How long a visit that has sent a mail already waits for the right to a second one. It holds a claim
 * meanwhile, and what it cannot send it puts off.
 */
const anotherMs = 5000
/** The provider's wish for a moment of quiet; after some in a row the job ends. */
const shortRefusalSeconds = 2
const mostShortRefusals = 5
/**
 * After so many longer ones in a row, too. A relay hands on what one reader's server says (`451 4.7.1`,
 * a grey list) in the words of its own refusals; where mails get through in between it is no more than that.
 */
const mostLongRefusals = 16

/** One store of composed messages for all jobs of a process and platform. */
const messagesOf = new WeakMap<object, ReturnType<typeof openMessages>>()
let inFlight = 0

/** How far a job came with some readers. */
export interface End {
  settled: number
  /**
   * Why readers were left unvisited: no time, the run or all sending was held, the service refuses
   * everybody, the day's quota is used up. Absent: all were visited.
   */
  stop?: 'time' | 'closed' | 'busy' | 'spent'
  /** How long the service wants to be left alone. */
  busySeconds: number
  /** RFC 3339: when the first of those that were put off is due again. */
  dueAt?: string
}

/**
 * Visits readers of a chunk side by side until the deadline (of `clock`), each mail by a right of the
 * common pace.
 */
export async function deliverAll(
  platform: Platform,
  run: Run,
  chunk: number,
  pending: readonly string[],
  deadline: number,
  clock: RealClock = realClock,
): Promise<End> {
  const parcels = openParcels(platform, messagesFor(platform))
  const pace = clock === realClock ? paceOf(platform) : openPace(platform, clock)
  const queue = pending.values()
  const end: End = { settled: 0, busySeconds: 0 }
  let shortRefusals = 0
  let longRefusals = 0
  let freshUntil = clock.now() + (run.guard?.tooFew ? -1 : freshMs)
  let freshAfter = Number.POSITIVE_INFINITY
  /** `end.settled` when the bounces were last weighed: without a mail since, they weigh the same. */
  let weighed = -1
  let freshening: Promise<void> | undefined

  async function freshen(): Promise<void> {
    let current = (await getRun(platform, run.id))?.value
    if (current?.guard?.tooFew && isOpen(current) && end.settled > weighed) {
      weighed = end.settled
      current = await weighAgain(platform, current)
    }
    freshAfter = current?.guard?.tooFew ? end.settled + freshMails : Number.POSITIVE_INFINITY
    if (!current || !isOpen(current) || current.gen !== run.gen) end.stop = 'closed'
    else if ((await readSending(platform)).paused) end.stop = 'closed'
    else await parcels.refresh()
    freshUntil = clock.now() + freshMs
  }

  function onRefusal(seconds: number): void {
    if (seconds <= shortRefusalSeconds && shortRefusals < mostShortRefusals) {
      if (pace.hold(seconds)) shortRefusals++
      return
    }
    if (seconds > shortRefusalSeconds && ++longRefusals < mostLongRefusals) return
    // A service that refuses everybody is not asked five hundred times more.
    end.stop ??= 'busy'
    end.busySeconds = Math.max(end.busySeconds, seconds)
  }

  async function work(): Promise<void> {
    const another = async (): Promise<Right | undefined> => {
      const right = await pace.take(anotherMs)
      return typeof right === 'string' ? undefined : right
    }
    const mailer = pacedMailer(platform.mailer, another, onRefusal, () => {
      shortRefusals = 0
      longRefusals = 0
    })
    const ledger: Ledger = { platform: { ...platform, mailer }, run, chunk, parcels, newToken }
    for (;;) {
      if (clock.now() > deadline || platform.isEnding?.()) end.stop ??= 'time'
      if (end.stop) return
      if (clock.now() > freshUntil || end.settled >= freshAfter) {
        freshening ??= freshen().finally(() => {
          freshening = undefined
        })
        await freshening
        continue
      }
      // Before a claim, so that nobody waits with a reader claimed.
      const right = await pace.take(deadline - clock.now())
      if (right === 'late' || right === 'spent') {
        end.stop ??= right === 'late' ? 'time' : 'spent'
        return
      }
      mailer.use(right)
      try {
        const reader = end.stop || platform.isEnding?.() ? undefined : queue.next().value
        if (reader === undefined) return
        const attempt = await withinFlight(() => deliverTo(ledger, reader))
        if (attempt.bounced) freshUntil = Number.NEGATIVE_INFINITY
        if (attempt.status === 'settled') end.settled++
        else {
          const dueAt = attempt.dueAt ?? lookAgainAt(platform)
          if (end.dueAt === undefined || dueAt < end.dueAt) end.dueAt = dueAt
        }
      } finally {
        mailer.done()
      }
    }
  }

  const workers = Math.min(await workersFor(platform), pending.length)
  try {
    await Promise.all(Array.from({ length: workers }, work))
  } finally {
    await pace.release()
  }
  return end
}

/** For one in flight: nobody knows when its end shows, and a lease takes two minutes. */
function lookAgainAt({ now }: Pick<Platform, 'now'>): string {
  return new Date(now().getTime() + lookAgainMs).toISOString()
}

async function workersFor(platform: Platform): Promise<number> {
  const { perSecond } = await effectiveQuota(platform)
  if (perSecond === undefined) return atATime
  return Math.round(Math.min(mostAtATime, Math.max(atATime / 2, perSecond)))
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
