import { everything } from '../keys.ts'
import type { Settings } from '../settings/settings.ts'
import { ownSince } from './membership-rows.ts'
import { preferencesOf } from './preferences.ts'
import { presentSinces } from './present-names.ts'
import { scheduleOf } from './schedule.ts'
import type { Preferences, Subscriber } from './subscriber.ts'

type Names = Pick<Settings, 'categories'>

/**
 * The reader with other preferences, `head` being the log's highest number (protocol M3, M4). What
 * is newly chosen is owed from now on, what stays keeps its `since`; the watermark and the note are
 * not touched, so no post comes twice or is lost by a change of any kind.
 */
export function withPreferences(
  current: Subscriber,
  preferences: Preferences,
  head: number,
  settings: Names,
): Subscriber {
  const { catchUp, day: _day, ...rest } = current
  const next: Subscriber = {
    ...rest,
    ...rhythmOf(preferences),
    categories: chosenCategories(
      presentSinces(current.categories, settings),
      preferences.categories,
      head,
    ),
  }
  if (current.state !== 'confirmed') return next
  // A schedule of their own brings what is owed with its next run.
  const isSame = next.schedule === current.schedule
  const mustCatchUp = isSame ? catchUp : next.cadence === 'instant' && mayBeOwed(current, head)
  return mustCatchUp ? { ...next, catchUp: true } : next
}

/**
 * The reader as a confirmed one who starts now: at a confirmation, a return and the end of a pause.
 * Nothing listed before is owed; watermark and note are kept over everything, because a mail may
 * still be in flight.
 */
export function startingNow(
  current: Subscriber,
  preferences: Preferences,
  head: number,
): Subscriber {
  const {
    catchUp: _catchUp,
    day: _day,
    reason: _reason,
    wanted: _wanted,
    expires: _expires,
    pausedUntil: _pausedUntil,
    unsubscribedAt: _unsubscribedAt,
    movedTo: _movedTo,
    ...rest
  } = current
  const slugs = preferences.categories.length > 0 ? preferences.categories : [everything]
  return {
    ...rest,
    ...rhythmOf(preferences),
    state: 'confirmed',
    categories: Object.fromEntries(slugs.map((slug) => [slug, head])),
  }
}

/** The same reader without one category, or `undefined` when nothing would be left. */
export function withoutCategory(
  current: Subscriber,
  slug: string,
  known: readonly string[],
  head: number,
  settings: Names,
): Subscriber | undefined {
  const preferences = preferencesOf(current, settings)
  const chosen = preferences.categories
  const left = (chosen.length > 0 ? chosen : known).filter((other) => other !== slug)
  if (left.length === 0) return undefined
  return withPreferences(current, { ...preferences, categories: left }, head, settings)
}

/** Whether two sets of preferences mean the same, whatever the order of their categories. */
export function samePreferences(a: Preferences, b: Preferences): boolean {
  return (
    scheduleOf(a).id === scheduleOf(b).id &&
    a.at === b.at &&
    a.timeZone === b.timeZone &&
    a.locale === b.locale &&
    a.categories.length === b.categories.length &&
    a.categories.every((slug) => b.categories.includes(slug))
  )
}

/** The fields of a reader's item that say when and how to write, its schedule included. */
export function rhythmOf(preferences: Preferences) {
  const { cadence, day, at, timeZone, locale } = preferences
  return {
    cadence,
    ...(day === undefined ? {} : { day }),
    at,
    timeZone,
    locale,
    schedule: scheduleOf(preferences).id,
  }
}

function chosenCategories(
  current: Readonly<Record<string, number>>,
  slugs: readonly string[],
  head: number,
): Record<string, number> {
  const all = ownSince(current, everything)
  // `*` keeps the named entries beside it: they reach further back.
  if (slugs.length === 0) return { ...current, [everything]: all ?? head }
  return Object.fromEntries(
    slugs.map((slug) => [slug, Math.min(ownSince(current, slug) ?? head, all ?? head)]),
  )
}

/** Whether posts up to the log's highest number may still be owed, or on their way, to a reader. */
export function mayBeOwed(
  current: Pick<Subscriber, 'note' | 'watermark' | 'categories'>,
  head: number,
): boolean {
  const { note, watermark } = current
  if (note?.phase === 'fly' || note?.phase === 'deferred') return true
  const lowest = Object.values(current.categories).reduce((a, b) => Math.min(a, b), head)
  return Math.max(watermark, lowest) < head
}
