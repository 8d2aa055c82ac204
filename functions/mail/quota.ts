import type { Platform, Quota } from '../platform.ts'
import { type RealClock, realClock } from '../real-clock.ts'
import { warmUpPerDay } from './warm-up.ts'

/** The provider's limits and the publisher's own, the ramp of a new sender included; the lowest count. */
export async function effectiveQuota(
  { mailer, settings }: Pick<Platform, 'mailer' | 'settings'>,
  clock: Pick<RealClock, 'now'> = realClock,
): Promise<Quota> {
  const { limits, warmUp } = settings.mail
  const quota = await mailer.quota()
  const lower = (a: number | undefined, b: number | undefined) =>
    a === undefined ? b : b === undefined ? a : Math.min(a, b)
  const perSecond = lower(quota.perSecond, limits.perSecond)
  const ramp = warmUpPerDay(warmUp, new Date(clock.now()))
  const perDay = lower(lower(quota.perDay, limits.perDay), ramp)
  return {
    ...(perSecond === undefined ? {} : { perSecond }),
    ...(perDay === undefined ? {} : { perDay }),
    ...(quota.sentLastDay === undefined ? {} : { sentLastDay: quota.sentLastDay }),
  }
}

/**
 * Of the quota a second, what is used. Mails leave evenly, so the rest is room for a line that
 * carries one mail some 40 ms slower than the next: not even then does the provider count one too
 * many in any second.
 */
const secondShare = 0.96

/** Of the quota of 24 hours, what bulk uses where a mail more or less does not matter. */
const dayShare = 0.97

/**
 * What bulk may use of the quota of 24 hours; confirmations may use all of it. At least 95 % of any:
 * one in twenty is kept free at most, and of fewer than twenty none, as whoever may send one mail a
 * day would send none.
 */
export function bulkADay(perDay: number): number {
  return perDay - Math.min(Math.floor(perDay / 20), perDay - Math.floor(perDay * dayShare))
}

/** Mails a second that leave under a quota. */
export function rateOf(perSecond: number): number {
  // A second holds whole mails: of 14.5 a second only 14 fit into each.
  return secondShare * (perSecond >= 1 ? Math.floor(perSecond) : perSecond)
}
