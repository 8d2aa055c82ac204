/**
 * Dates of posts begin with this year and end with 9999: RSS writes them by RFC 5322, whose years are
 * 1900 or later (§3.3), and texts of the other forms sort by themselves.
 */
export const firstYear = 1900

/** RFC 3339, UTC, whole seconds: texts of it compare as the instants do, until the year 9999. */
export function formatInstant(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}
