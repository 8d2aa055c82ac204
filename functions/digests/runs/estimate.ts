import { type DayRoom, dayRoom } from '../../mail/day-budget.ts'
import { bulkADay, effectiveQuota, rateOf } from '../../mail/quota.ts'
import type { Platform, Quota } from '../../platform.ts'
import { type RealClock, realClock } from '../../real-clock.ts'
import type { Run, RunCounts } from './run.ts'

/** How long a run will take. */
export interface Estimate {
  /** Mails a second: what the quota allows, else how fast the run has gone so far. */
  perSecond?: number
  /** Deliveries whose end is open. */
  remaining: number
  /** Absent while nothing tells how fast it goes. */
  seconds?: number
  /** RFC 3339: now and so many seconds. */
  until?: string
}

const daySeconds = 86_400
/** Before so much was done nothing is said about speed. */
const leastSettled = 100
const leastSeconds = 10

type Source = Pick<Platform, 'records' | 'mailer' | 'settings' | 'now'>

/** The estimate of a run that is open. While it is still planned, of the readers found so far. */
export async function estimateRun(
  platform: Source,
  run: Pick<Run, 'gen' | 'createdAt'>,
  counts: RunCounts,
): Promise<Estimate> {
  const seconds = (platform.now().getTime() - Date.parse(run.createdAt)) / 1000
  const settled = counts.candidates - counts.pending
  const isTelling = run.gen === 0 && settled >= leastSettled && seconds >= leastSeconds
  return estimateFor(platform, counts.pending, isTelling ? settled / seconds : undefined)
}

/** The estimate for so many mails, sent from now on. `seenPerSecond` counts where no quota says it. */
export async function estimateFor(
  platform: Source,
  remaining: number,
  seenPerSecond?: number,
  clock: RealClock = realClock,
): Promise<Estimate> {
  // A page about a run is shown without SES as well; then what was seen counts.
  const quota: Quota = await effectiveQuota(platform, clock).catch(() => ({}))
  const perSecond = quota.perSecond === undefined ? seenPerSecond : rateOf(quota.perSecond)
  const room = await dayRoom(platform, quota, clock)
  const seconds = secondsFor(remaining, perSecond, quota.perDay, room, clock.now())
  return {
    ...(perSecond === undefined ? {} : { perSecond: Number(perSecond.toPrecision(3)) }),
    remaining,
    ...(seconds === undefined
      ? {}
      : { seconds, until: new Date(platform.now().getTime() + seconds * 1000).toISOString() }),
  }
}

function secondsFor(
  remaining: number,
  perSecond: number | undefined,
  perDay: number | undefined,
  room: DayRoom | undefined,
  now: number,
): number | undefined {
  if (remaining === 0) return 0
  const sending = (mails: number) => (perSecond === undefined ? 0 : mails / perSecond)
  const left = Math.max(0, room?.left ?? remaining)
  if (remaining <= left || perDay === undefined) {
    return perSecond === undefined ? undefined : Math.ceil(sending(remaining))
  }
  const eachDay = Math.max(1, bulkADay(perDay))
  const days = Math.ceil((remaining - left) / eachDay)
  // Today's mails leave the count a day after they went; before that nothing more may go.
  const toNextDay = room?.moreAt ? Math.max(0, room.moreAt.getTime() - now) / 1000 : daySeconds
  return Math.ceil(
    Math.max(toNextDay, sending(left)) +
      (days - 1) * daySeconds +
      sending(remaining - left - (days - 1) * eachDay),
  )
}
