import { allRecords } from '../all-records.ts'
import { recordKeys, shards } from '../keys.ts'
import type { Platform } from '../platform.ts'
import type { Cadence, Preferences } from './subscriber.ts'

/** One cadence with its time and zone: all readers who share it share its runs. */
export interface Schedule {
  /** `A-Z a-z 0-9 _ -`, at most 100 characters; equal exactly when all the rest is. */
  id: string
  cadence: Cadence
  day?: string
  /** `HH:MM`, local time in `timeZone`. */
  at: string
  timeZone: string
}

/** The schedule of instant readers: it has no times, a post makes its run. */
export const instantScheduleId = 'instant'
/** Readers who moved to instant while posts were owed; its run comes with the next tick (protocol M4). */
export const catchUpScheduleId = 'catch-up'

/**
 * The schedule that serves these preferences. The id reads `weekly-mon-0800-Europe_sBerlin`: the
 * parts before the zone have a fixed form, and the zone's `/`, `_` and `+` are escaped, so no two
 * schedules share one.
 */
export function scheduleOf(
  preferences: Pick<Preferences, 'cadence' | 'day' | 'at' | 'timeZone'>,
): Schedule {
  const { cadence, day, at, timeZone } = preferences
  if (cadence === 'instant') return { id: instantScheduleId, cadence, at, timeZone }
  const zone = timeZone.replace(/[/_+]/g, (sign) => escapes[sign] ?? '')
  const hasDay = day !== undefined && cadence !== 'daily'
  const id = `${cadence}${hasDay ? `-${day}` : ''}-${at.replace(':', '')}-${zone}`
  return hasDay ? { id, cadence, day, at, timeZone } : { id, cadence, at, timeZone }
}

const escapes: Record<string, string> = { '/': '_s', _: '_u', '+': '_p' }

/** A schedule's record. */
interface StandingSchedule extends Schedule {
  /** Nobody was found on it: whoever joins writes it anew, and it is not removed then. */
  closing?: true
}

/** Every schedule that a reader is on, by id, and some that the last one has just left. */
export async function listSchedules(platform: Pick<Platform, 'records'>): Promise<Schedule[]> {
  const schedules: Schedule[] = []
  for await (const { value } of allRecords<StandingSchedule>(platform, recordKeys.schedules)) {
    const { closing: _, ...schedule } = value
    schedules.push(schedule)
  }
  return schedules
}

/**
 * Makes the schedule known to ticks: protocol M5. Done after the row of the reader who joins and
 * before their item, so that whoever removes the schedule either sees the row, or is seen here.
 * Repeatable; writes nothing where the schedule stands.
 */
export async function keepSchedule(
  { records }: Pick<Platform, 'records'>,
  schedule: Schedule,
): Promise<void> {
  const key = recordKeys.schedule(schedule.id)
  const standing = await records.get<StandingSchedule>(key)
  if (!standing || standing.value.closing) await records.put({ ...key, value: schedule })
}

/**
 * Removes a schedule that nobody is on (protocol M5), or readers could make ever more by changing
 * their minds. Gives back whether nobody is. One who joins meanwhile keeps it. Repeatable.
 */
export async function dropSchedule(
  { records }: Pick<Platform, 'records'>,
  id: string,
): Promise<boolean> {
  if (await hasReaders({ records }, id)) return false
  const key = recordKeys.schedule(id)
  const standing = await records.get<StandingSchedule>(key)
  if (!standing) return true
  const mark = await records.put(
    { ...key, value: { ...standing.value, closing: true } },
    { ifVersion: standing.version },
  )
  // After the mark: who has a row by now may have looked before it.
  if (mark.status === 'conflict' || (await hasReaders({ records }, id))) return false
  return (await records.delete(key, { ifVersion: mark.version })).status === 'deleted'
}

async function hasReaders({ records }: Pick<Platform, 'records'>, id: string): Promise<boolean> {
  const pages = await Promise.all(
    shards.map((shard) => records.query(recordKeys.scheduleMembers(id, shard), { limit: 1 })),
  )
  return pages.some((page) => page.records.length > 0)
}
