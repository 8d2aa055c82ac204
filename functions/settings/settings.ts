import * as v from 'valibot'
import { type FieldError, ServiceError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { MailMode } from '../posts/post.ts'
import { isMonthDay, isWeekday } from '../subscribers/days.ts'
import type { Cadence } from '../subscribers/subscriber.ts'
import { type SettingsFile, settingsSchema } from './settings-schema.ts'

/** `broadsheet.yaml` and the environment, read and checked once, every default filled in. */
export interface Settings {
  site: {
    title: string
    description: string
    /** Absolute, without a trailing slash. */
    baseUrl: string
    /** BCP 47. */
    language: string
    /** IANA name; dates without a zone are read in it, and it is the readers' default. */
    timeZone: string
    author?: string
    /** The accent of pages and mails, `#rrggbb`. */
    accent?: string
  }
  /** By slug. */
  categories: Record<
    string,
    { title?: string; description?: string; mail?: MailMode; renamedFrom?: string[] }
  >
  feeds: {
    /** A feed has at least so many entries, if there are. */
    entries: number
    content: 'full' | 'summary'
    /** WebSub hubs, announced in the feeds. */
    hubs: string[]
    /** Old path → feed (a category's slug or `*`, with `/rss.xml` and so on). */
    redirects: Record<string, string>
  }
  mail: {
    /** `Name <address>`. */
    from?: string
    replyTo?: string
    postalAddress?: string
    unsubscribeMailto?: string
    limits: { perSecond?: number; perDay?: number }
    /** What happens to a send of which nobody can say whether it went out. */
    unclear: 'hold' | 'resend'
    /** Hours for which a run tries again what was refused for now. */
    patience: number
    /** Per cent of a run's mails that may bounce, or be reported as spam, before it pauses itself. */
    guard: { bounces: number; complaints: number }
    /** Absent: no ramp. */
    warmUp?: WarmUp
    /** Hours for which a letter waits for somebody's approval; absent: it needs none. */
    approval?: number
    /** What becomes of a letter that nobody approved in time. */
    unapproved: 'skip' | 'send'
  }
  digests: {
    cadence: Cadence
    day: string
    at: string
    timeZone: string
    /** Which cadences readers are offered. */
    cadences: Cadence[]
    /** Posts in one mail; the rest stands on its page. */
    maxPosts: number
    /** A post first seen more days than this after its date is not mailed. */
    maxAgeDays: number
  }
  server: {
    /** Addresses or CIDR ranges whose forwarding headers are believed. */
    trustedProxies: string[]
  }
  content: {
    /** Regular expressions: a paragraph whose text matches one whole is dropped. */
    hiddenLines: string[]
    identity: 'path' | 'name'
    timeZone: string
  }
  sources: { url: string; category?: string; every: string }[]
  /** How long things are kept. */
  keep: { unconfirmedDays: number; runsDays: number; tombstonesDays: number }
  /** `smtp://` or `smtps://`; absent: mails go to the outbox. */
  smtpUrl?: string
}

/** A ramp for a sender whom mailbox providers do not know yet. */
export interface WarmUp {
  /** The first day, `YYYY-MM-DD`, UTC. */
  from: string
  /** Mails on that day. */
  perDay: number
  /** Each later day times the one before. */
  growth: number
}

/** Known words only, so that a post's own link (`Back to basics`) is never taken for one. */
const linkBack =
  '(返回[^|｜]{0,60}|Back to (the )?(home ?page|home|front page|index|top|overview|list|news|blog)' +
  '|Zurück (zur|zum) (Startseite|Übersicht|Liste|Anfang|Blog)|[^|｜]{0,30}[にへ]戻る|戻る)'

/** What an absent configuration means. */
export const defaultSettings: Settings = {
  site: {
    title: 'Broadsheet',
    description: 'Every post, in your feed reader and in your mailbox.',
    baseUrl: 'http://127.0.0.1:8787',
    language: 'en',
    timeZone: 'UTC',
  },
  categories: {},
  feeds: { entries: 20, content: 'full', hubs: [], redirects: {} },
  mail: {
    limits: {},
    unclear: 'hold',
    patience: 24,
    // Half of what SES puts under review, and under the tenth of a per cent of Gmail and SES:
    // https://docs.aws.amazon.com/ses/latest/dg/reputation-dashboard-messages.html
    guard: { bounces: 2.5, complaints: 0.08 },
    unapproved: 'skip',
  },
  digests: {
    cadence: 'weekly',
    day: 'mon',
    at: '08:00',
    timeZone: 'UTC',
    cadences: ['instant', 'daily', 'weekly', 'monthly'],
    maxPosts: 20,
    maxAgeDays: 30,
  },
  server: { trustedProxies: [] },
  content: {
    // Lines of nothing but links back: `返回首页`, `Back to the front page`.
    hiddenLines: [`${linkBack}(\\s*[|｜·]\\s*${linkBack})*`],
    identity: 'path',
    timeZone: 'UTC',
  },
  sources: [],
  keep: { unconfirmedDays: 7, runsDays: 400, tombstonesDays: 30 },
}

export interface SettingsSurroundings {
  /** `BROADSHEET_BASE_URL` and `BROADSHEET_SMTP_URL` win over the file. */
  env?: Readonly<Record<string, string | undefined>>
  /** Where the server listens: the base URL when nobody names one. */
  listen?: { host: string; port: number }
}

/**
 * Checks what a configuration's file holds, as parsed, and fills in every default.
 *
 * @throws ServiceError `settings.invalid` that names every fault at once, unknown keys with the
 * nearest known one.
 */
export function settingsFrom(
  given: unknown,
  { env = {}, listen }: SettingsSurroundings = {},
): Settings {
  const faults: FieldError[] = unknownKeys(given)
  const result = v.safeParse(settingsSchema, given)
  for (const issue of result.issues ?? []) {
    // Valibot stops at the first unknown key of a group; `unknownKeys` has named them all.
    if (issue.type === 'strict_object' && issue.expected === 'never') continue
    faults.push({ path: v.getDotPath(issue) ?? '', message: issue.message })
  }
  const file = result.success ? result.output : {}
  faults.push(...combinationFaults(file), ...environmentFaults(env))
  if (faults.length > 0) throw settingsInvalid(faults)
  return withDefaults(file, env, listen)
}

interface HiddenPatterns {
  hiddenLines: readonly RegExp[]
  hiddenParagraphs: readonly RegExp[]
}

const patterns = new WeakMap<readonly string[], HiddenPatterns>()

/**
 * `content.hiddenLines`, compiled once: each matches a whole line, in any case of its letters. The
 * default ones are for lines of links (`hiddenLines`), as words they may be an author's own; those
 * of a publisher are for any paragraph.
 */
export function hiddenPatterns({ content }: Pick<Settings, 'content'>): HiddenPatterns {
  let compiled = patterns.get(content.hiddenLines)
  if (!compiled) {
    const isDefault = (line: string) => defaultSettings.content.hiddenLines.includes(line)
    const compile = (line: string) => new RegExp(`^(?:${line})$`, 'iu')
    compiled = {
      hiddenLines: content.hiddenLines.filter(isDefault).map(compile),
      hiddenParagraphs: content.hiddenLines.filter((line) => !isDefault(line)).map(compile),
    }
    patterns.set(content.hiddenLines, compiled)
  }
  return compiled
}

function withDefaults(
  file: SettingsFile,
  env: Readonly<Record<string, string | undefined>>,
  listen: SettingsSurroundings['listen'],
): Settings {
  const d = defaultSettings
  const timeZone = file.site?.timeZone ?? d.site.timeZone
  const cadence = defaultCadence(file)
  const settings = {
    site: {
      ...d.site,
      ...(listen ? { baseUrl: addressOf(listen) } : {}),
      ...file.site,
      ...(env.BROADSHEET_BASE_URL ? { baseUrl: new URL(env.BROADSHEET_BASE_URL).origin } : {}),
    },
    categories: Object.fromEntries(
      Object.entries(file.categories ?? {}).map(([slug, category]) => [slug, category ?? {}]),
    ),
    feeds: { ...d.feeds, ...file.feeds },
    mail: {
      ...d.mail,
      ...file.mail,
      limits: { ...file.mail?.limits },
      guard: { ...d.mail.guard, ...file.mail?.guard },
    },
    digests: {
      ...d.digests,
      timeZone,
      cadence,
      ...(cadence === 'monthly' ? { day: '1' } : {}),
      ...file.digests,
    },
    server: { ...d.server, ...file.server },
    content: { ...d.content, timeZone, ...file.content },
    sources: file.sources ?? d.sources,
    keep: { ...d.keep, ...file.keep },
    ...(env.BROADSHEET_SMTP_URL ? { smtpUrl: env.BROADSHEET_SMTP_URL } : {}),
  }
  // Every member that may be absent is absent, not `undefined`: that is how valibot parsed it.
  return settings as Settings
}

function addressOf({ host, port }: { host: string; port: number }): string {
  // Nobody can open a wildcard address; the loopback one reaches the same server.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

/** The one that is named, else the usual one where it is offered, else the first that is. */
function defaultCadence({ digests }: SettingsFile): Cadence {
  const usual = defaultSettings.digests.cadence
  const { cadence, cadences = [usual] } = digests ?? {}
  return cadence ?? (cadences.includes(usual) ? usual : (cadences[0] ?? usual))
}

/** What is wrong only together with something else. */
function combinationFaults(file: SettingsFile): FieldError[] {
  const faults: FieldError[] = []
  const { cadences, day } = file.digests ?? {}
  const cadence = defaultCadence(file)
  if (cadences && !cadences.includes(cadence)) {
    faults.push({ path: 'digests.cadence', message: 'must be one of `digests.cadences`' })
  }
  if (day && cadence === 'monthly' && !isMonthDay(day)) {
    faults.push({
      path: 'digests.day',
      message: `must be a day of the month: \`1\` … \`31\`, or such as \`first-${day}\``,
    })
  }
  if (day && cadence === 'weekly' && !isWeekday(day)) {
    faults.push({ path: 'digests.day', message: 'must be a day of the week: `mon` … `sun`' })
  }
  return faults
}

function environmentFaults(env: Readonly<Record<string, string | undefined>>): FieldError[] {
  const faults: FieldError[] = []
  const base = env.BROADSHEET_BASE_URL
  if (base && !v.is(settingsSchema, { site: { baseUrl: base } })) {
    faults.push({
      path: 'BROADSHEET_BASE_URL',
      message: 'must be the address of a host, such as `https://news.example.com`',
    })
  }
  // The value may hold a password, so it is not repeated.
  const smtp = env.BROADSHEET_SMTP_URL
  if (smtp && !(URL.canParse(smtp) && /^smtps?:\/\/[^/]*[^/@:]/i.test(smtp))) {
    faults.push({
      path: 'BROADSHEET_SMTP_URL',
      message: 'must be such as `smtps://user:password@mail.example.com`',
    })
  }
  return faults
}

type Level = {
  wrapped?: Level
  entries?: Record<string, Level>
  value?: Level
  item?: Level
}

/** Keys that no schema knows, each with the known one that it resembles. No deeper than the schema. */
function unknownKeys(given: unknown): FieldError[] {
  const faults: FieldError[] = []
  const walk = (value: unknown, schema: Level | undefined, path: string): void => {
    if (typeof value !== 'object' || value === null || !schema || faults.length >= 50) return
    if (Array.isArray(value) && schema.entries) {
      return void faults.push({ path, message: 'must be a group of keys' })
    }
    if (schema.wrapped) return walk(value, schema.wrapped, path)
    for (const [name, inner] of Object.entries(value).slice(0, 1000)) {
      const here = path ? `${path}.${name}` : name
      if (!schema.entries) walk(inner, schema.value ?? schema.item, here)
      else if (Object.hasOwn(schema.entries, name)) walk(inner, schema.entries[name], here)
      else {
        const near = nearest(name, Object.keys(schema.entries))
        const hint = near
          ? `did you mean \`${path ? `${path}.` : ''}${near}\`?`
          : `known are ${Object.keys(schema.entries)
              .map((key) => `\`${key}\``)
              .join(', ')}`
        faults.push({ path: here, message: `is not known: ${hint}` })
      }
    }
  }
  walk(given, settingsSchema as Level, '')
  return faults
}

/** The refusal of a configuration, with every fault; one without a path is about the whole file. */
export function settingsInvalid(faults: readonly FieldError[]): ServiceError {
  const shown = faults
    .slice(0, 20)
    .map(({ path, message }) => (path ? `  \`${path}\` ${message}` : `  The file ${message}`))
  const rest = faults.length > 20 ? [`  and ${faults.length - 20} more`] : []
  return new ServiceError(
    422,
    'settings.invalid',
    ['The configuration cannot be used:', ...shown, ...rest].join('\n'),
    { errors: faults },
  )
}
