import { Temporal } from 'temporal-polyfill'
import { firstYear } from '../format-instant.ts'

/** A local date and time, before a zone makes an instant of it. */
interface LocalTime {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

const clock = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?(?:[ ]?([AaPp])\.?[Mm]\.?)?`
const zone = String.raw`([Zz]|(?:UTC|GMT)?[+-]\d{1,2}:?\d{2}|(?:UTC|GMT)[+-]\d{1,2}|[+-]\d{2}|UTC|GMT|[A-Z][A-Za-z_]+\/[A-Za-z_/+-]+)`
const weekday = `(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?[ ]+)?`
const monthName = String.raw`(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?`
const time = String.raw`(?:(?:[Tt]|,?[ ]+(?:at[ ]+)?)${clock}(?:[ ]*${zone})?(?:\[[\w/+-]{1,60}\])?)?`

/** Where a local time stands that a clock change skips. */
type Skipped = 'as far' | 'first'

type Order = 'ymd' | 'dmy' | 'mdy'
const forms: { order: Order; pattern: RegExp }[] = [
  // 2022-02-23 12:08:51 +0800, 2022-2-3T04:05Z, 2022/02/03, 2022.2.3
  { order: 'ymd', pattern: new RegExp(String.raw`^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})${time}$`) },
  // 2021年12月1日 13:33, 2021년 12월 1일
  {
    order: 'ymd',
    pattern: new RegExp(
      String.raw`^(\d{4})([年년])[ ]?(\d{1,2})[月월][ ]?(\d{1,2})[日일](?:[ ]*${clock}(?:[ ]*${zone})?)?$`,
    ),
  },
  // 20220223, 20220223T040851Z
  {
    order: 'ymd',
    pattern: /^(\d{4})()(\d{2})(\d{2})(?:[Tt](\d{2})(\d{2})(\d{2})?()([Zz]|[+-]\d{2}:?\d{2})?)?$/,
  },
  // Wed, 23 Feb 2022 04:08:51 GMT (RFC 5322), 23rd February 2022
  {
    order: 'dmy',
    pattern: new RegExp(
      String.raw`^${weekday}(\d{1,2})()(?:st|nd|rd|th)?[ -]+${monthName},?[ -]+(\d{4})${time}$`,
      'i',
    ),
  },
  // February 23, 2022 at 4:08 pm
  {
    order: 'mdy',
    pattern: new RegExp(
      String.raw`^${weekday}${monthName}()[ ]+(\d{1,2})(?:st|nd|rd|th)?,?[ ]+(\d{4})${time}$`,
      'i',
    ),
  },
]
/** `date`'s own form puts the year last: Wed Feb 23 04:08:51 UTC 2022. */
const unixForm =
  /^([A-Za-z]{3} [A-Za-z]{3} +\d{1,2}) (\d{2}:\d{2}:\d{2}) ([A-Z]{3} |[+-]\d{4} )?(\d{4})$/

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/**
 * The instant that a date as people write it means, in whole seconds; a bare day is its first
 * instant, and what has no zone is local time in `timeZone` (a time skipped in spring is as far behind
 * the gap as it is in it, or with `first` the first instant behind it; one repeated in autumn is the
 * first of the two). `undefined` for everything
 * that is not one certain date between 1900 and 9999: numbers (`800`, epochs), `01/02/2020`, zone
 * letters such as `CST`, days that the month does not have. Nothing is guessed.
 */
export function readDate(
  value: string,
  timeZone: string,
  skipped: Skipped = 'as far',
): Date | undefined {
  const text = value.trim().replace(unixForm, '$1 $4 $2 $3').trim()
  if (text.length > 80) return undefined
  for (const { order, pattern } of forms) {
    const match = pattern.exec(text)
    if (!match) continue
    // The second group is the separator, empty where a form has none, so that all count alike.
    const [, a = '', , b = '', c = '', hour, minute, second, half, zoneText] = match
    const [year, month, day] = order === 'ymd' ? [a, b, c] : order === 'dmy' ? [c, b, a] : [c, a, b]
    return instant(
      {
        year: Number(year),
        month: /\d/.test(month) ? Number(month) : months.indexOf(month.toLowerCase()) + 1,
        day: Number(day),
        hour: hour24(Number(hour ?? 0), half),
        minute: Number(minute ?? 0),
        second: Number(second ?? 0),
      },
      zoneText ?? timeZone,
      skipped,
    )
  }
  return undefined
}

/** The first instant of a day in a zone; `undefined` when there is no such day. */
export function startOfDay(day: CalendarDay, timeZone: string): Date | undefined {
  return instant({ ...day, hour: 0, minute: 0, second: 0 }, timeZone)
}

export interface CalendarDay {
  year: number
  month: number
  day: number
}

function hour24(hour: number, half: string | undefined): number {
  if (half === undefined) return hour
  if (hour < 1 || hour > 12) return Number.NaN
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0)
}

function instant(
  local: LocalTime,
  zoneText: string,
  skipped: Skipped = 'as far',
): Date | undefined {
  if (!isReal(local)) return undefined
  const { year, month, day, hour, minute, second } = local
  const utc = Date.UTC(year, month - 1, day, hour, minute, second)
  const offset = offsetMinutes(zoneText)
  if (offset !== undefined) {
    return Math.abs(offset) > 18 * 60 ? undefined : inRange(utc - offset * 60_000)
  }
  try {
    const wanted = new Temporal.PlainDateTime(year, month, day, hour, minute, second)
    const zoned = wanted.toZonedDateTime(zoneText)
    const isSkipped = !zoned.toPlainDateTime().equals(wanted)
    // It stands as far behind the change as the wanted time is in the gap.
    const change = isSkipped && skipped === 'first' && zoned.getTimeZoneTransition('previous')
    return inRange((change || zoned).epochMilliseconds)
  } catch {
    // A name in the post that is no zone.
    return undefined
  }
}

function isReal({ year, month, day, hour, minute, second }: LocalTime): boolean {
  if (year < firstYear || month < 1 || month > 12 || day < 1) return false
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return false
  return hour >= 0 && hour <= 23 && minute <= 59 && second <= 59
}

function inRange(milliseconds: number): Date | undefined {
  const date = new Date(milliseconds)
  const year = date.getUTCFullYear()
  return year >= firstYear && year <= 9999 ? date : undefined
}

/** `undefined` when the text names a zone instead of an offset. */
function offsetMinutes(text: string): number | undefined {
  if (/^(z|utc|gmt)$/i.test(text)) return 0
  const [, sign, hours, minutes] = /^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?$/i.exec(text) ?? []
  if (sign === undefined) return undefined
  if (Number(minutes ?? 0) > 59) return Number.POSITIVE_INFINITY
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes ?? 0))
}
