/** RFC 3339, UTC, whole seconds: texts of it compare as the instants do, until the year 9999. */
export function formatInstant(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}
