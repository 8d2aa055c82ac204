import { recordKeys } from '../keys.ts'
import type { Platform, Quota } from '../platform.ts'
import type { RealClock } from '../real-clock.ts'
import { bulkADay } from './quota.ts'

/**
 * The mails of the last 24 hours, counted in records ten minutes at a time, for all processes.
 * Counted before they leave: a crash counts some too many, never one too few.
 */
export interface DayBudget {
  /** Counts up to `wanted` mails. Returns how many there was room for. */
  reserve(quota: Quota, kind: 'bulk' | 'transactional', wanted: number): Promise<number>
  /** Takes back what was counted and did not leave. */
  giveBack(mails: number): Promise<void>
}

const stretchMs = 600_000
/** The stretch of 24 hours ago counts whole, as nobody knows when in it a mail left. */
const stretches = 145
const keptMs = stretches * stretchMs + 3_600_000

type Counting = Pick<Platform, 'records' | 'now'>

export function openDayBudget(platform: Counting, clock: RealClock): DayBudget {
  const { records } = platform
  let stretch = Number.NaN
  /** Of all stretches but the present one, which no longer change. */
  let before = 0
  let seen: number | undefined
  /** What the provider counts beside ours, in this stretch and the one before: other senders. */
  let others = 0
  let othersBefore = 0

  function count(mails: number): Promise<number> {
    // By the later clock: records expire by the platform's, which may stand far ahead.
    const expiresAt = new Date(Math.max(clock.now(), platform.now().getTime()) + keptMs)
    return records.add(recordKeys.paceStretch(stretch), mails, { expiresAt })
  }

  async function look({ sentLastDay }: Quota): Promise<void> {
    const present = Math.floor(clock.now() / stretchMs)
    if (present === stretch && sentLastDay === seen) return
    const counts = await countsUpTo(records, present)
    const sum = counts.reduce((a, b) => a + b, 0)
    before = sum - (counts[0] ?? 0)
    if (present !== stretch) {
      othersBefore = others
      others = 0
    }
    stretch = present
    seen = sentLastDay
    // The most that was seen: what we counted and is still on its way hides as many of theirs.
    others = Math.max(others, (sentLastDay ?? 0) - sum)
  }

  async function reserve(quota: Quota, kind: 'bulk' | 'transactional', wanted: number) {
    await look(quota)
    const limit = limitOf(quota, kind)
    const used = (await count(wanted)) + before + Math.max(others, othersBefore)
    const granted = Math.max(0, Math.min(wanted, wanted - (used - limit)))
    if (granted < wanted) await count(granted - wanted)
    return granted
  }

  return {
    reserve,
    giveBack: async (mails) => {
      if (mails > 0 && !Number.isNaN(stretch)) await count(-mails)
    },
  }
}

export interface DayRoom {
  /** Mails that bulk may still send now; may be below 0. */
  left: number
  /** When mails that were counted leave the 24 hours; absent when the counting is the provider's. */
  moreAt?: Date
}

/** How much of the day's quota is left for bulk. Counts nothing. `undefined`: there is no limit. */
export async function dayRoom(
  { records }: Pick<Platform, 'records'>,
  quota: Quota,
  clock: RealClock,
): Promise<DayRoom | undefined> {
  if (quota.perDay === undefined) return undefined
  const present = Math.floor(clock.now() / stretchMs)
  const counts = await countsUpTo(records, present)
  const ours = counts.reduce((a, b) => a + b, 0)
  const oldest = counts.findLastIndex((n) => n > 0)
  return {
    left: limitOf(quota, 'bulk') - Math.max(ours, quota.sentLastDay ?? 0),
    ...(oldest < 0 ? {} : { moreAt: new Date((present - oldest + stretches) * stretchMs) }),
  }
}

function limitOf({ perDay = 0 }: Quota, kind: 'bulk' | 'transactional'): number {
  return kind === 'bulk' ? bulkADay(perDay) : perDay
}

/** The present stretch first, then back through 24 hours. */
async function countsUpTo(records: Platform['records'], present: number): Promise<number[]> {
  const keys = Array.from({ length: stretches }, (_, i) => recordKeys.paceStretch(present - i))
  const found = await records.getMany<{ count: number }>(keys)
  return found.map((record) => record?.value.count ?? 0)
}
