import { everything } from '../../functions/keys.ts'
import { scheduleOf } from '../../functions/subscribers/schedule.ts'
import type { Preferences, Subscriber } from '../../functions/subscribers/subscriber.ts'

export const readerId = '0123456789abcdef0123456789abcdef'

/** Preferences with everything that a test does not care about filled in. */
export function preferencesFor(given: Partial<Preferences> = {}): Preferences {
  return {
    categories: [],
    cadence: 'daily',
    at: '08:00',
    timeZone: 'UTC',
    locale: 'en',
    ...given,
  }
}

/** A confirmed reader as one item, such as a test's start, with other choices and fields. */
export function aReader(
  given: Partial<Subscriber> = {},
  preferences: Partial<Preferences> = {},
): Subscriber {
  const { categories, ...rhythm } = preferencesFor(preferences)
  const slugs = categories.length > 0 ? categories : [everything]
  return {
    id: readerId,
    email: 'reader@example.org',
    state: 'confirmed',
    categories: Object.fromEntries(slugs.map((slug) => [slug, 0])),
    ...rhythm,
    schedule: scheduleOf(rhythm).id,
    watermark: 0,
    createdAt: '2026-01-01T00:00:00.000Z',
    ...given,
  }
}
