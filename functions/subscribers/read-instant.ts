import { Temporal } from 'temporal-polyfill'

/**
 * An instant as people and programs write one: RFC 3339, with a blank for the `T` too, or a date
 * alone, which counts from its start in the zone. `undefined` for all else: nothing is guessed.
 */
export function readInstant(text: string, timeZone = 'UTC'): Date | undefined {
  const date = /^\d{4}-\d\d-\d\d(?=([T ].*)?$)/i.exec(text)?.[0]
  if (date === undefined) return undefined
  try {
    const instant =
      date === text
        ? Temporal.PlainDate.from(text).toZonedDateTime(timeZone)
        : Temporal.Instant.from(`${date}T${text.slice(date.length + 1)}`)
    return new Date(instant.epochMilliseconds)
  } catch {
    return undefined
  }
}
