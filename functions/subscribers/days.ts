/**
 * The days that a schedule may name. Apart from what reckons with them, so that reading settings
 * loads no calendar.
 */
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

export type Weekday = (typeof weekdays)[number]

/** A day of a weekly schedule: `mon` … `sun`. */
export function isWeekday(day: string): day is Weekday {
  return (weekdays as readonly string[]).includes(day)
}

/** A day of a monthly schedule: `1` … `31`, or the month's `first-` or `last-` with a weekday. */
export function isMonthDay(day: string): boolean {
  const [which, weekday, ...rest] = day.split('-')
  if (weekday === undefined) return /^(?:[1-9]|[12]\d|3[01])$/.test(day)
  return (which === 'first' || which === 'last') && isWeekday(weekday) && rest.length === 0
}
