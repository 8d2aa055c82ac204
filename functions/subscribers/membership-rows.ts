import { recordKeys, shardOf } from '../keys.ts'
import type { RecordKey } from '../platform.ts'
import { catchUpScheduleId } from './schedule.ts'
import type { Subscriber } from './subscriber.ts'

/**
 * The rows that lead planners and ticks to a reader. They are written before the reader's item and
 * removed after it, so there is never one too few; the item decides.
 *
 * Confirmed: the schedule (not `instant`, whose readers are found by category), each category with
 * `*` for everything, each once more for instant readers, and `catch-up`. Paused: the pause's end.
 */
export function membershipRows(subscriber: Subscriber): RecordKey[] {
  const { id, state, schedule, cadence, catchUp, pausedUntil } = subscriber
  if (state === 'paused') return pausedUntil ? [recordKeys.pause(pausedUntil, id)] : []
  if (state !== 'confirmed') return []
  const slugs = Object.keys(subscriber.categories)
  return [
    ...slugs.map((slug) => categoryRow(slug, id)),
    ...(cadence === 'instant'
      ? slugs.map((slug) => instantRow(slug, id))
      : [scheduleRow(schedule, id)]),
    ...(catchUp ? [scheduleRow(catchUpScheduleId, id)] : []),
  ]
}

export const scheduleRow = (scheduleId: string, id: string): RecordKey => ({
  partition: recordKeys.scheduleMembers(scheduleId, shardOf(id)),
  sort: id,
})

export const categoryRow = (slug: string, id: string): RecordKey => ({
  partition: recordKeys.categoryMembers(slug, shardOf(id)),
  sort: id,
})

export const instantRow = (slug: string, id: string): RecordKey => ({
  partition: recordKeys.instantMembers(slug, shardOf(id)),
  sort: id,
})

/** A category may be called `constructor`, which every object seems to have. */
export function ownSince(
  categories: Readonly<Record<string, number>>,
  slug: string,
): number | undefined {
  return Object.hasOwn(categories, slug) ? categories[slug] : undefined
}
