import { Temporal } from 'temporal-polyfill'
import { chooseLocale } from '../../templates/locales/index.ts'
import { type FieldError, invalid } from '../errors.ts'
import { everything } from '../keys.ts'
import type { Settings } from '../settings/settings.ts'
import { isMonthDay, isWeekday } from './days.ts'
import { presentPreferences, presentSlugs } from './present-names.ts'
import { type Cadence, cadences, type Preferences, type Subscriber } from './subscriber.ts'

/** What preferences are checked against. */
export interface PreferencesContext {
  settings: Pick<Settings, 'digests' | 'site' | 'categories'>
  /** Those that exist; anything with a slug. */
  categories: readonly { slug: string }[]
  /** Where a field that is absent is taken from; without it from the settings. */
  current?: Preferences
}

const maxCategories = 500

type Fault = FieldError & { path: keyof Preferences }

/**
 * Reads preferences from a form, JSON or CSV. A field that is absent or an empty string keeps its
 * `current` value, else the default of the settings; `categories` may be a list or one text with blanks between, and none
 * of them means everything. A valid `day` beside a cadence that has none is dropped, because a form
 * without script always sends it.
 *
 * @throws `subscriber.categories`, `.cadence`, `.day`, `.at`, `.timeZone` or `.locale` (the first
 * that is wrong), with every fault named in `errors`.
 */
export function checkPreferences(
  input: Readonly<Record<string, unknown>>,
  context: PreferencesContext,
): Preferences {
  const errors: Fault[] = []
  const { digests, site } = context.settings
  const current = context.current
  const text = (name: keyof Preferences): string | undefined => {
    const value = input[name]
    if (value === undefined || value === null) return undefined
    if (typeof value === 'number' && name === 'day') return String(value)
    if (typeof value !== 'string' || value.length > 100) {
      errors.push({ path: name, message: `\`${name}\` must be one short text.` })
      return undefined
    }
    return value.trim() === '' ? undefined : value.trim()
  }

  const categories = readCategories(input.categories, context, errors)
  const cadence = readCadence(text('cadence'), context, errors)
  const day = readDay(text('day'), cadence, context, errors)

  let at = text('at') ?? current?.at ?? digests.at
  if (/^\d:\d\d$/.test(at)) at = `0${at}`
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(at)) {
    errors.push({ path: 'at', message: 'The time must be `HH:MM`, from `00:00` to `23:59`.' })
  }

  const wantedZone = text('timeZone')
  // A setting may say `europe/berlin`; one zone has one spelling, and so one schedule.
  const usualZone = zoneOf(digests.timeZone) ?? digests.timeZone
  const timeZone = wantedZone === undefined ? (current?.timeZone ?? usualZone) : zoneOf(wantedZone)
  if (timeZone === undefined) {
    errors.push({
      path: 'timeZone',
      message: 'The time zone must be an IANA name such as `Europe/Berlin` or `UTC`.',
    })
  }

  const wantedLocale = text('locale')
  const locale =
    wantedLocale === undefined ? (current?.locale ?? site.language) : languageTag(wantedLocale)
  if (locale === undefined) {
    errors.push({ path: 'locale', message: 'The language must be a tag such as `en` or `zh-CN`.' })
  }

  const first = errors[0]
  if (first) {
    throw invalid(`subscriber.${first.path}`, errors.map((error) => error.message).join(' '), {
      errors,
    })
  }
  return {
    categories,
    cadence,
    ...(day === undefined ? {} : { day }),
    at,
    timeZone: timeZone ?? 'UTC',
    locale: chooseLocale(locale, context.settings),
  }
}

/**
 * What a reader chose, as far as it is known, by the present names of categories: of an unconfirmed
 * one, what was asked for.
 */
export function preferencesOf(
  subscriber: Subscriber,
  settings: Pick<Settings, 'categories'>,
): Preferences {
  if (subscriber.state === 'pending' && subscriber.wanted) {
    return presentPreferences(subscriber.wanted, settings)
  }
  const { categories, cadence, day, at, timeZone, locale } = subscriber
  return {
    categories: everything in categories ? [] : presentSlugs(Object.keys(categories), settings),
    cadence,
    ...(day === undefined ? {} : { day }),
    at,
    timeZone,
    locale,
  }
}

function readCategories(
  value: unknown,
  { categories, current, settings }: PreferencesContext,
  errors: Fault[],
): string[] {
  if (value === undefined || value === null) return current?.categories ?? []
  const list = typeof value === 'string' ? value.split(/\s+/) : value
  if (!Array.isArray(list) || !list.every((slug) => typeof slug === 'string')) {
    errors.push({ path: 'categories', message: 'Categories must be a list of slugs.' })
    return []
  }
  const wanted = new Set(list.map((slug) => slug.trim().normalize('NFC')).filter(Boolean))
  if (wanted.size > maxCategories) {
    errors.push({ path: 'categories', message: `Choose at most ${maxCategories} categories.` })
    return []
  }
  if (wanted.has(everything)) return []
  const known = new Set([...categories.map(({ slug }) => slug), ...(current?.categories ?? [])])
  // Forms, programs and lists may still use a name that a category had before.
  const present = presentSlugs([...wanted], settings)
  for (const slug of present) {
    if (known.has(slug)) continue
    const named = slug.length <= 100 ? `\`${slug}\`` : 'One of the names'
    errors.push({
      path: 'categories',
      message: `${named} is not a category here. Choose from those listed, or none for everything.`,
    })
    break
  }
  return present
}

function readCadence(
  value: string | undefined,
  { settings: { digests }, current }: PreferencesContext,
  errors: Fault[],
): Cadence {
  const offered = digests.cadences
  const fallback = offered.includes(digests.cadence)
    ? digests.cadence
    : (offered[0] ?? digests.cadence)
  if (value === undefined) return current?.cadence ?? fallback
  const cadence = cadences.find((name) => name === value)
  // A cadence that is no longer offered may be kept by those who have it.
  if (cadence && (offered.includes(cadence) || cadence === current?.cadence)) return cadence
  errors.push({
    path: 'cadence',
    message: `The frequency must be one of ${offered.map((name) => `\`${name}\``).join(', ')}.`,
  })
  return fallback
}

function readDay(
  value: string | undefined,
  cadence: Cadence,
  { settings: { digests }, current }: PreferencesContext,
  errors: Fault[],
): string | undefined {
  const day = value?.toLowerCase().replace(/^0(?=\d$)/, '')
  if (day !== undefined && !isWeekday(day) && !isMonthDay(day)) {
    errors.push({
      path: 'day',
      message:
        'The day must be `mon` to `sun`, `1` to `31`, or `first-` or `last-` with `mon` to `sun`.',
    })
    return undefined
  }
  if (cadence !== 'weekly' && cadence !== 'monthly') return undefined
  const fits = cadence === 'weekly' ? isWeekday : isMonthDay
  // A form without script sends the day that was shown although another frequency was chosen.
  if (day === undefined || (!fits(day) && day === current?.day)) {
    const candidates = [current?.day, digests.day]
    return (
      candidates.find((known) => known !== undefined && fits(known)) ??
      (cadence === 'weekly' ? 'mon' : '1')
    )
  }
  if (!fits(day)) {
    errors.push({
      path: 'day',
      message:
        cadence === 'weekly'
          ? 'A weekly mail needs a day from `mon` to `sun`.'
          : 'A monthly mail needs a day from `1` to `31`, or `first-` or `last-` with `mon` to `sun`.',
    })
  }
  return day
}

/** The zone with its letters' usual case, an alias as itself, or `undefined` when there is none of that name. */
function zoneOf(name: string): string | undefined {
  // Offsets such as `+02:00` are taken by Temporal too, but know no clock change.
  if (name.length > 50 || !/^[a-z][\w+-]*(\/[\w+-]+)*$/i.test(name)) return undefined
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId
  } catch {
    return undefined
  }
}

function languageTag(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0]
  } catch {
    return undefined
  }
}
