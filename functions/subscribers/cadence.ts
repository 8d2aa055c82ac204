import { Temporal } from 'temporal-polyfill'
import { isWeekday, weekdays } from './days.ts'
import type { Schedule } from './schedule.ts'

/** A schedule's rule alone: what an occurrence depends on. */
export type Rhythm = Pick<Schedule, 'cadence' | 'day' | 'at' | 'timeZone'>

/**
 * The first occurrence after an instant. A local time that a clock change skips is taken at the
 * first instant after the gap; one that comes twice is taken the first time only. Month days are
 * clamped to the month.
 */
export function nextOccurrence(rhythm: Rhythm, after: Date): Date {
  const start = localDate(rhythm, after)
  // One step back, because a gap can push an occurrence past midnight.
  for (let step = -1; step <= maxSteps; step++) {
    const instant = occurrence(rhythm, start, step)
    if (instant !== undefined && instant > after.getTime()) return new Date(instant)
  }
  throw new Error('a schedule has an occurrence in every two months')
}

/** The last occurrence at or before an instant, by the rules of `nextOccurrence`. */
export function latestOccurrence(rhythm: Rhythm, notAfter: Date): Date {
  const start = localDate(rhythm, notAfter)
  for (let step = 1; step >= -maxSteps; step--) {
    const instant = occurrence(rhythm, start, step)
    if (instant !== undefined && instant <= notAfter.getTime()) return new Date(instant)
  }
  throw new Error('a schedule has an occurrence in every two months')
}

/** Days for a daily or weekly rule, months for a monthly one: each covers any gap between occurrences. */
const maxSteps = 9

function localDate({ cadence, timeZone }: Rhythm, instant: Date): Temporal.PlainDate {
  if (cadence === 'instant') throw new Error('an instant reader has no occurrences')
  return Temporal.Instant.fromEpochMilliseconds(instant.getTime())
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
}

/** The occurrence `steps` days or months from a date, in milliseconds, if that day or month has one. */
function occurrence(rhythm: Rhythm, from: Temporal.PlainDate, steps: number): number | undefined {
  if (rhythm.cadence === 'monthly') {
    const month = from.toPlainYearMonth().add({ months: steps })
    return instantOf(rhythm, dayOfMonth(month, rhythm.day ?? '1'))
  }
  const date = from.add({ days: steps })
  if (rhythm.cadence === 'weekly' && weekdays[date.dayOfWeek - 1] !== (rhythm.day ?? 'mon')) {
    return undefined
  }
  return instantOf(rhythm, date)
}

function dayOfMonth(month: Temporal.PlainYearMonth, day: string): Temporal.PlainDate {
  const [which, weekday = ''] = day.split('-')
  if (!isWeekday(weekday)) {
    return month.toPlainDate({ day: Math.min(Number(day), month.daysInMonth) })
  }
  const wanted = weekdays.indexOf(weekday) + 1
  if (which === 'first') {
    const first = month.toPlainDate({ day: 1 })
    return first.add({ days: (wanted - first.dayOfWeek + 7) % 7 })
  }
  const last = month.toPlainDate({ day: month.daysInMonth })
  return last.subtract({ days: (last.dayOfWeek - wanted + 7) % 7 })
}

function instantOf({ at, timeZone }: Rhythm, date: Temporal.PlainDate): number {
  const local = date.toPlainDateTime(Temporal.PlainTime.from(at))
  const zoned = local.toZonedDateTime(timeZone, { disambiguation: 'earlier' })
  if (zoned.toPlainDateTime().equals(local)) return zoned.epochMilliseconds
  // Skipped: `earlier` stands as far before the change as the wanted time stands after it.
  const change = zoned.getTimeZoneTransition('next')
  return (change ?? zoned).epochMilliseconds
}
