import { isIP } from 'node:net'
import { runInNewContext } from 'node:vm'
import * as v from 'valibot'
import { mailModes } from '../posts/post.ts'

/** The kinds of values that `broadsheet.yaml` holds. Messages continue the sentence "`key` …". */

export const text = (limit: number) =>
  v.pipe(
    v.string('must be a text'),
    v.trim(),
    v.nonEmpty('must not be empty'),
    v.maxLength(limit, `must have at most ${limit} characters`),
  )

export const line = (limit: number) =>
  v.pipe(text(limit), v.regex(/^\P{Cc}*$/u, 'must be a single line'))

export const count = (from: number, to: number) =>
  v.pipe(
    v.number(`must be a number from ${from} to ${to}`),
    v.integer(`must be a whole number from ${from} to ${to}`),
    v.minValue(from, `must be a number from ${from} to ${to}`),
    v.maxValue(to, `must be a number from ${from} to ${to}`),
  )

export const fraction = (from: number, to: number) =>
  v.pipe(
    v.number(`must be a number from ${from} to ${to}`),
    v.minValue(from, `must be a number from ${from} to ${to}`),
    v.maxValue(to, `must be a number from ${from} to ${to}`),
  )

const dayMessage = 'must be a day such as `"2026-03-01"`'

/** `YYYY-MM-DD`. YAML reads one without quotes as an instant, and hands that over. */
export const day = v.pipe(
  v.union([v.string(), v.date()], dayMessage),
  v.transform((value) =>
    typeof value === 'string'
      ? value
      : Number.isNaN(+value)
        ? ''
        : value.toISOString().slice(0, 10),
  ),
  v.check((value) => isDay(value), dayMessage),
)

/** `90m`, `6h`, `30d`, or a bare number of the unit that the key is counted in. */
export const duration = (unit: 'h' | 'd' | 'm', from: number, to: number) => {
  const names = { m: 'minutes', h: 'hours', d: 'days' }
  const message = `must be a number of ${names[unit]} or such as \`${from}${unit}\`, from ${from}${unit} to ${to}${unit}`
  const minutes = { m: 1, h: 60, d: 1440 }
  return v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d{1,6}\s?(m|min|h|d)$/, message))], message),
    v.transform((value) => {
      if (typeof value === 'number') return value
      const given = value.replace(/[^mhd]/g, '').charAt(0) as 'm' | 'h' | 'd'
      return (Number.parseInt(value, 10) * minutes[given]) / minutes[unit]
    }),
    v.check((value) => value >= from && value <= to, message),
  )
}

export const timeZone = v.pipe(
  line(64),
  v.check(isTimeZone, 'must be the IANA name of a time zone such as `Europe/Berlin`'),
)

export const webAddress = (what: string) =>
  v.pipe(
    line(1000),
    v.check(isWebAddress, `must be ${what}, beginning with \`https://\` or \`http://\``),
  )

export const mailbox = v.pipe(
  line(320),
  v.regex(
    /^(?:[^<>@,;]*<[^\s<>@,;]{1,64}@[^\s<>@,;]{1,255}>|[^\s<>@,;]{1,64}@[^\s<>@,;]{1,255})$/u,
    'must be one address: `name@example.com` or `Name <name@example.com>`',
  ),
)

export const slug = v.pipe(
  v.string(),
  v.maxLength(80, 'must have at most 80 characters'),
  v.regex(
    /^[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:-[\p{L}\p{N}\p{M}]+)*$/u,
    'must be a slug: letters and digits, joined by single hyphens, as in `local-news`',
  ),
  v.check(
    (value) => value === value.toLowerCase().normalize('NFC'),
    'must be written in small letters',
  ),
  v.check((value) => value !== 'history', 'must have another name: `history` is reserved'),
)

export const mailMode = v.picklist(mailModes, 'must be `digest`, `letter` or `none`')

export const language = v.pipe(
  line(35),
  v.check(isLanguage, 'must be a language tag such as `en`, `de` or `zh-CN`'),
  v.transform((value) => Intl.getCanonicalLocales(value)[0] ?? value),
)

/** The address of a host and nothing behind it; yields the origin. */
export const origin = v.pipe(
  webAddress('the address of the site'),
  v.check(isOrigin, 'must be the address of a host, without path, query, fragment or password'),
  v.transform((value) => new URL(value).origin),
)

export const addressRange = v.pipe(
  line(64),
  v.check(isAddressRange, 'must be an IP address or a range such as `10.0.0.0/8`'),
)

/** Such as `/posts/index.xml` is none: other programs keep feeds there. */
const ownPage =
  /^\/(?:subscribe|(?:feeds|archive|outbox)\/|(?:categories|posts|archive)\/[^/]+\/)?$/

/** Where a feed was elsewhere. A page of ours, from which one is led there, would lead in a circle. */
export const oldPath = v.pipe(
  v.string(),
  v.maxLength(500, 'must have at most 500 characters'),
  v.regex(/^\/[^\s?#\\]*$/u, 'must be a path that begins with `/`'),
  v.check((path) => !ownPage.test(path), 'must not be the address of a page of this service'),
)

/** A regular expression for whole lines, as a text. */
export const linePattern = v.pipe(
  v.string('must be a text'),
  v.nonEmpty('must not be empty'),
  v.maxLength(500, 'must have at most 500 characters'),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed && patternFault(dataset.value)
    if (message) addIssue({ message })
  }),
)

function isTimeZone(value: string): boolean {
  if (!/^[A-Za-z][\w/+-]*$/.test(value)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
    return true
  } catch {
    return false
  }
}

function isDay(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(+date) && date.toISOString().startsWith(value)
}

function isLanguage(value: string): boolean {
  try {
    return Intl.getCanonicalLocales(value).length === 1
  } catch {
    return false
  }
}

function isWebAddress(value: string): boolean {
  return /^https?:\/\//i.test(value) && URL.canParse(value)
}

function isOrigin(value: string): boolean {
  if (!isWebAddress(value)) return true
  const url = new URL(value)
  return url.pathname === '/' && !url.search && !url.hash && !url.username && !url.password
}

function isAddressRange(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
  )
}

/** A pattern runs on what others wrote, so it must not only compile but also end. */
function patternFault(line: string): string | undefined {
  let pattern: RegExp
  try {
    pattern = new RegExp(`^(?:${line})$`, 'iu')
  } catch (error) {
    return `is not a regular expression: ${error instanceof Error ? error.message : error}`
  }
  const letters = [...new Set(['a', ' ', '1', ...line])].slice(0, 60)
  const probes = letters.flatMap((letter) => [letter.repeat(300), `${letter.repeat(300)}\0`])
  try {
    runInNewContext(
      'for (const probe of probes) pattern.test(probe)',
      { pattern, probes },
      { timeout: 300 },
    )
    return undefined
  } catch {
    return 'takes too long on some texts: avoid a repetition inside a repetition, such as `(a+)+`'
  }
}
