import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import {
  checkPreferences,
  type PreferencesContext,
} from '../../functions/subscribers/preferences.ts'
import { preferencesFor } from './readers.ts'

const context: PreferencesContext = {
  settings: defaultSettings,
  categories: [{ slug: 'tech' }, { slug: 'life' }, { slug: 'éducation' }, { slug: 'constructor' }],
}

const check = (input: Record<string, unknown>, more: Partial<PreferencesContext> = {}) =>
  checkPreferences(input, { ...context, ...more })

const faultsOf = (input: Record<string, unknown>, more: Partial<PreferencesContext> = {}) => {
  try {
    check(input, more)
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    expect(error.status).toBe(422)
    return [error.code, ...error.errors.map(({ path }) => path)]
  }
  return []
}

describe('checkPreferences', () => {
  it('takes everything that is absent from the settings', () => {
    expect(check({})).toEqual({
      categories: [],
      cadence: 'weekly',
      day: 'mon',
      at: '08:00',
      timeZone: 'UTC',
      locale: 'en',
    })
  })

  it.each<[Record<string, unknown>, Record<string, unknown>]>([
    [{ categories: ['tech', 'life', 'tech'] }, { categories: ['tech', 'life'] }],
    [{ categories: 'tech  life' }, { categories: ['tech', 'life'] }],
    [{ categories: '' }, { categories: [] }],
    [{ categories: ['', 'tech'] }, { categories: ['tech'] }],
    [{ categories: ['*'] }, { categories: [] }],
    [{ categories: ['tech', '*'] }, { categories: [] }],
    [{ categories: ['e\u0301ducation'] }, { categories: ['éducation'] }],
    [{ categories: ['constructor'] }, { categories: ['constructor'] }],
    [{ cadence: 'daily' }, { cadence: 'daily', day: undefined }],
    [{ cadence: 'daily', day: 'fri' }, { day: undefined }],
    [
      { cadence: 'instant', day: '31' },
      { cadence: 'instant', day: undefined },
    ],
    [{ day: 'SUN' }, { cadence: 'weekly', day: 'sun' }],
    [{ cadence: 'monthly' }, { day: '1' }],
    [{ cadence: 'monthly', day: '31' }, { day: '31' }],
    [{ cadence: 'monthly', day: '07' }, { day: '7' }],
    [{ cadence: 'monthly', day: 15 }, { day: '15' }],
    [{ cadence: 'monthly', day: 'last-fri' }, { day: 'last-fri' }],
    [{ at: '23:59' }, { at: '23:59' }],
    [{ at: '7:05' }, { at: '07:05' }],
    [{ timeZone: 'europe/berlin' }, { timeZone: 'Europe/Berlin' }],
    [{ timeZone: 'Asia/Kolkata' }, { timeZone: 'Asia/Kolkata' }],
    [{ timeZone: 'utc' }, { timeZone: 'UTC' }],
    [{ locale: 'de-at' }, { locale: 'de' }],
    [
      { cadence: ' daily ', at: null, day: '' },
      { cadence: 'daily', at: '08:00' },
    ],
  ])('takes %j', (input, expected) => {
    expect({ day: undefined, ...check(input) }).toMatchObject(expected)
  })

  it.each<[Record<string, unknown>, ...string[]]>([
    [{ categories: ['nope'] }, 'categories'],
    [{ categories: ['toString'] }, 'categories'],
    [{ categories: ['__proto__'] }, 'categories'],
    [{ categories: [1] }, 'categories'],
    [{ categories: { tech: true } }, 'categories'],
    [{ categories: Array.from({ length: 501 }, (_, i) => `c${i}`) }, 'categories'],
    [{ categories: ['x'.repeat(10_000)] }, 'categories'],
    [{ cadence: 'hourly' }, 'cadence'],
    [{ cadence: 'Daily' }, 'cadence'],
    [{ cadence: ['daily'] }, 'cadence'],
    [{ day: 'someday' }, 'day'],
    [{ day: '15' }, 'day'],
    [{ day: 'first-mon' }, 'day'],
    [{ cadence: 'monthly', day: 'mon' }, 'day'],
    [{ cadence: 'monthly', day: '0' }, 'day'],
    [{ cadence: 'monthly', day: '32' }, 'day'],
    [{ cadence: 'monthly', day: 'second-mon' }, 'day'],
    [{ cadence: 'daily', day: 'never' }, 'day'],
    [{ at: '24:00' }, 'at'],
    [{ at: '12:60' }, 'at'],
    [{ at: 'noon' }, 'at'],
    [{ at: '08:00:00' }, 'at'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ timeZone: '+02:00' }, 'timeZone'],
    [{ timeZone: `Europe/Berlin\n${'x'.repeat(40)}` }, 'timeZone'],
    [{ locale: 'not a tag' }, 'locale'],
    [{ locale: 'x'.repeat(200) }, 'locale'],
    [{ categories: ['nope'], cadence: 'hourly', at: '25:00' }, 'categories', 'cadence', 'at'],
  ])('refuses %j', (input, ...paths) => {
    expect(faultsOf(input)).toEqual([`subscriber.${paths[0]}`, ...paths])
  })

  it('offers only the cadences of the settings, and leaves others to those who have them', () => {
    const settings = {
      ...defaultSettings,
      digests: { ...defaultSettings.digests, cadences: ['daily' as const, 'monthly' as const] },
    }
    expect(check({}, { settings }).cadence).toBe('daily')
    expect(faultsOf({ cadence: 'weekly' }, { settings })).toContain('cadence')
    const current = preferencesFor({ cadence: 'weekly', day: 'fri' })
    expect(check({ cadence: 'weekly' }, { settings, current })).toMatchObject({ day: 'fri' })
  })

  it('keeps what is not named, categories that have gone included', () => {
    const current = preferencesFor({
      categories: ['gone', 'tech'],
      cadence: 'weekly',
      day: 'fri',
      at: '06:30',
      timeZone: 'Asia/Tokyo',
      locale: 'de',
    })
    expect(check({}, { current })).toEqual(current)
    expect(check({ categories: ['gone'] }, { current }).categories).toEqual(['gone'])
    expect(check({ cadence: 'daily' }, { current })).toMatchObject({
      cadence: 'daily',
      at: '06:30',
    })
  })

  it('takes the usual day when a form sends the old one beside a new frequency', () => {
    const current = preferencesFor({ cadence: 'weekly', day: 'fri' })
    expect(check({ cadence: 'monthly', day: 'fri' }, { current }).day).toBe('1')
    expect(faultsOf({ cadence: 'monthly', day: 'sat' }, { current })).toContain('day')
  })

  it('gives the nearest language that there are words for', () => {
    expect(check({ locale: 'de-AT' }).locale).toBe('de')
    expect(check({ locale: 'fi' }).locale).toBe('en')
  })
})
