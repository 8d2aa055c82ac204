import { recordKeys } from '../keys.ts'
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

/** Every schedule that a reader ever confirmed, by id; a few hundred at most in practice. */
export async function listSchedules({ records }: Pick<Platform, 'records'>): Promise<Schedule[]> {
  const schedules: Schedule[] = []
  let cursor: string | undefined
  do {
    const page = await records.query<Schedule>(recordKeys.schedules, cursor ? { cursor } : {})
    for (const record of page.records) schedules.push(record.value)
    cursor = page.cursor
  } while (cursor)
  return schedules
}

/** Makes the schedule known to ticks. Repeatable; done before the first reader enters it. */
export async function keepSchedule(
  { records }: Pick<Platform, 'records'>,
  schedule: Schedule,
): Promise<void> {
  const key = recordKeys.schedule(schedule.id)
  if (await records.get(key)) return
  await records.put({ ...key, value: schedule }, { ifAbsent: true })
}
