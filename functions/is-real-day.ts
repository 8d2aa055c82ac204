/**
 * Whether the day that an instant begins with stands in the calendar: `Date` reads 30 February as
 * 2 March. For text that begins with `YYYY-MM-DD`.
 */
export function isRealDay(instant: string): boolean {
  const day = instant.slice(0, 10)
  const read = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(day)
}
