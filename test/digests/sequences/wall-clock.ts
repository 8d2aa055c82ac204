/**
 * When a rhythm comes due, told by what a clock on the wall of its zone shows: an answer of its own
 * beside the product's, which asks a library.
 */

export interface Rhythm {
  cadence: 'daily' | 'weekly' | 'monthly'
  /** Weekly `mon`…`sun`; monthly `1`…`31` or `first-mon`…`last-sun`. */
  day?: string
  /** `HH:MM`, on the quarters of an hour. */
  at: string
  zone: string
}

const quarterMs = 900_000
const dayMs = 86_400_000
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/**
 * The first instant at which the clock shows the time or more: the end of a gap in spring, the first
 * of two in autumn. Clocks change, and differ from UTC, by quarters of an hour.
 */
export function firstShown(date: string, at: string, zone: string): number {
  const name = `${date} ${at} ${zone}`
  let instant = known.get(name)
  if (instant === undefined) {
    instant = search(date, at, zone)
    known.set(name, instant)
  }
  return instant
}
const known = new Map<string, number>()

function search(date: string, at: string, zone: string): number {
  const wanted = Date.parse(`${date}T${at}:00Z`)
  const [low, high] = [wanted - 15 * 3_600_000, wanted + 15 * 3_600_000]
  const shift = shiftOf(low, zone)
  if (shift === shiftOf(high, zone)) return wanted - shift
  for (let instant = low; instant <= high; instant += quarterMs) {
    if (instant + shiftOf(instant, zone) >= wanted) return instant
  }
  throw new Error(`${zone} never shows ${date} ${at}`)
}

/** How far the clock of a zone is ahead of UTC, in milliseconds. */
export function shiftOf(instant: number, zone: string): number {
  return Date.parse(`${shown(instant, zone).replace(' ', 'T')}:00Z`) - instant
}

/** `YYYY-MM-DD HH:MM` on the zone's wall. */
export function shown(instant: number, zone: string): string {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'short',
    })
    formats.set(zone, format)
  }
  return format.format(instant)
}
const formats = new Map<string, Intl.DateTimeFormat>()

/** Every occurrence after an instant, up to another, ascending. */
export function occurrences(rhythm: Rhythm, after: number, upTo: number): number[] {
  const found: number[] = []
  const first = Date.parse(`${shown(after, rhythm.zone).slice(0, 10)}T00:00Z`) - dayMs
  const last = Date.parse(`${shown(upTo, rhythm.zone).slice(0, 10)}T00:00Z`) + dayMs
  for (let day = first; day <= last; day += dayMs) {
    if (!isItsDay(rhythm, day)) continue
    const date = new Date(day).toISOString().slice(0, 10)
    const instant = firstShown(date, rhythm.at, rhythm.zone)
    if (instant > after && instant <= upTo) found.push(instant)
  }
  return found
}

/** `day` is the start of a date, as if in UTC. */
function isItsDay({ cadence, day = '' }: Rhythm, instant: number): boolean {
  const date = new Date(instant)
  const [weekday, ofMonth] = [date.getUTCDay(), date.getUTCDate()]
  if (cadence === 'daily') return true
  if (cadence === 'weekly') return weekdays[weekday] === day
  const lastOfMonth = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0))
  const length = lastOfMonth.getUTCDate()
  const [which, name] = day.split('-')
  if (name === undefined) return ofMonth === Math.min(Number(day), length)
  if (weekdays[weekday] !== name) return false
  return which === 'first' ? ofMonth <= 7 : ofMonth > length - 7
}
