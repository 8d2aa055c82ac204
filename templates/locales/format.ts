/** Dates, numbers and plurals in a reader's language. `Intl` objects are dear to make and kept. */

const kept = new Map<string, unknown>()

function keep<T>(key: string, make: () => T): T {
  let value = kept.get(key) as T | undefined
  if (value === undefined) {
    // Zones and locales come from readers: what is kept stays bounded.
    if (kept.size > 2_000) kept.clear()
    value = make()
    kept.set(key, value)
  }
  return value
}

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }

/** The form for this count, `#` being the number as the language writes it. */
export function plural(
  locale: string,
  count: number,
  forms: Forms,
  type: Intl.PluralRuleType = 'cardinal',
): string {
  const rule = keep(`plural ${type} ${locale}`, () => new Intl.PluralRules(locale, { type }))
  return (forms[rule.select(count)] ?? forms.other).replace('#', formatNumber(locale, count))
}

export function formatNumber(locale: string, value: number): string {
  return keep(`number ${locale}`, () => new Intl.NumberFormat(locale)).format(value)
}

type DateStyle = 'day' | 'weekday' | 'time'

const dateStyles: Record<DateStyle, Intl.DateTimeFormatOptions> = {
  /** 2 March 2026 */
  day: { year: 'numeric', month: 'long', day: 'numeric' },
  /** Monday, 2 March 2026 */
  weekday: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' },
  /** Monday, 2 March 2026 at 08:00 */
  time: {
    weekday: 'long',
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  },
}

/** An instant (RFC 3339) as a local date. Empty for what is no date: a page never fails over one. */
export function formatDate(
  locale: string,
  instant: string | Date,
  timeZone: string,
  style: DateStyle = 'day',
): string {
  return written(`${style} ${locale} ${timeZone} ${+new Date(instant)}`, () => {
    const date = new Date(instant)
    return Number.isNaN(date.getTime()) ? '' : dateFormat(locale, timeZone, style).format(date)
  })
}

/** `23 February – 1 March 2026`; one date when both ends are the same local day. */
export function formatPeriod(
  locale: string,
  from: string | undefined,
  until: string,
  timeZone: string,
): string {
  return written(`period ${locale} ${timeZone} ${from} ${until}`, () =>
    writePeriod(locale, from, until, timeZone),
  )
}

const texts = new Map<string, string>()

/** The same few dates stand in thousands of mails, and `formatRange` takes a fifth of a millisecond. */
function written(key: string, write: () => string): string {
  let text = texts.get(key)
  if (text === undefined) {
    if (texts.size > 5_000) texts.clear()
    text = write()
    texts.set(key, text)
  }
  return text
}

function writePeriod(
  locale: string,
  from: string | undefined,
  until: string,
  timeZone: string,
): string {
  const start = from === undefined ? undefined : new Date(from)
  const end = new Date(until)
  if (Number.isNaN(end.getTime())) return ''
  const format = dateFormat(locale, timeZone, 'day')
  if (!start || Number.isNaN(start.getTime()) || start > end) {
    return formatDate(locale, end, timeZone, 'weekday')
  }
  if (format.format(start) === format.format(end)) {
    return formatDate(locale, end, timeZone, 'weekday')
  }
  const joint = joints[locale.split('-')[0] ?? '']
  if (joint) return `${format.format(start)}${joint}${endOfPeriod(locale, start, end, timeZone)}`
  // Thin and no-break spaces are missing in some mail fonts.
  return format.formatRange(start, end).replaceAll(/[\u2009\u00a0\u202f]/g, ' ')
}

/** Where `formatRange` falls back to figures and slashes. */
const joints: Record<string, string> = { zh: '至', ja: '～' }

/** The end without what the start has said: `3月2日` after `2026年2月23日`. */
function endOfPeriod(locale: string, start: Date, end: Date, timeZone: string): string {
  const partOf = (date: Date, options: Intl.DateTimeFormatOptions) =>
    date.toLocaleDateString(locale, { ...options, timeZone })
  if (partOf(start, { year: 'numeric' }) !== partOf(end, { year: 'numeric' })) {
    return formatDate(locale, end, timeZone)
  }
  const isSameMonth = partOf(start, { month: 'numeric' }) === partOf(end, { month: 'numeric' })
  return partOf(end, isSameMonth ? { day: 'numeric' } : { month: 'long', day: 'numeric' })
}

function dateFormat(locale: string, timeZone: string, style: DateStyle): Intl.DateTimeFormat {
  return keep(
    `date ${style} ${locale} ${timeZone}`,
    () => new Intl.DateTimeFormat(locale, { ...dateStyles[style], timeZone }),
  )
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof weekdays)[number]
export { weekdays }

/** The name of `mon` … `sun`. */
export function weekdayName(locale: string, weekday: Weekday): string {
  const format = keep(
    `weekday ${locale}`,
    () => new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' }),
  )
  // 5 January 2026 was a Monday.
  return format.format(new Date(Date.UTC(2026, 0, 5 + weekdays.indexOf(weekday))))
}

/** `A, B and C`. */
export function formatList(locale: string, items: readonly string[]): string {
  return keep(`list ${locale}`, () => new Intl.ListFormat(locale, { type: 'conjunction' })).format(
    items,
  )
}
