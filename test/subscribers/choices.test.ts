import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { everything } from '../../functions/keys.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import {
  startingNow,
  withoutCategory,
  withPreferences,
} from '../../functions/subscribers/choices.ts'
import { ownSince } from '../../functions/subscribers/membership-rows.ts'
import { preferencesOf } from '../../functions/subscribers/preferences.ts'
import type { DeliveryNote, Subscriber } from '../../functions/subscribers/subscriber.ts'
import { aReader, preferencesFor } from './readers.ts'

const chosen = (...categories: string[]) => preferencesFor({ categories })
const flying: DeliveryNote = {
  run: 'r',
  chunk: 0,
  try: 0,
  from: 3,
  to: 9,
  token: 't',
  at: '2026-03-02T08:00:00.000Z',
  born: '2026-03-02T08:00:00.000Z',
  phase: 'fly',
  sends: 1,
  doubt: false,
  expires: '2027-03-02T08:00:00.000Z',
}

describe('from when a category is owed', () => {
  it.each<[string, Record<string, number>, string[], Record<string, number>]>([
    ['a new one from now on', { a: 3 }, ['a', 'b'], { a: 3, b: 10 }],
    ['one chosen again from now on', { b: 4 }, ['a', 'b'], { a: 10, b: 4 }],
    [
      'those named after everything since everything was chosen',
      { '*': 5 },
      ['a', 'b'],
      { a: 5, b: 5 },
    ],
    ['everything from now on, what was named since it was named', { a: 3 }, [], { a: 3, '*': 10 }],
    ['nothing changes when everything is chosen again', { a: 3, '*': 5 }, [], { a: 3, '*': 5 }],
    ['the earlier of both when named again', { a: 3, '*': 5 }, ['a', 'b'], { a: 3, b: 5 }],
    [
      'a category with the name of an object’s member',
      { '*': 5 },
      ['constructor'],
      { constructor: 5 },
    ],
    ['such a one when new', { a: 3 }, ['a', 'toString'], { a: 3, toString: 10 }],
  ])('%s', (_title, categories, slugs, expected) => {
    const reader = aReader({ categories })
    expect(withPreferences(reader, chosen(...slugs), 10, defaultSettings).categories).toEqual(
      expected,
    )
  })

  it('is exactly what the reader kept wanting since it was listed', () => {
    const slugs = ['a', 'b', 'c']
    const subset = fc.subarray(slugs)
    const event = fc.oneof(
      fc.record({ kind: fc.constant('choose' as const), slugs: subset }),
      fc.record({ kind: fc.constant('list' as const), slugs: subset }),
      fc.record({ kind: fc.constant('deliver' as const), slugs: fc.constant([]) }),
    )
    fc.assert(
      fc.property(subset, fc.array(event, { maxLength: 30 }), (first, events) => {
        let reader = startingNow(aReader(), chosen(...first), 0)
        const posts: string[][] = []
        /** Pairs of post and category (`''`: as one of everything) that were wanted all along. */
        let wanted = new Set<string>()
        const wants = (slug: string) =>
          ownSince(reader.categories, everything) !== undefined ||
          (slug !== '' && preferencesOf(reader, defaultSettings).categories.includes(slug))
        const isOwed = (n: number, categories: readonly string[]) => {
          const sinces = [...categories, everything]
            .map((slug) => ownSince(reader.categories, slug))
            .filter((since) => since !== undefined)
          return n > reader.watermark && sinces.some((since) => n > since)
        }
        for (const step of events) {
          if (step.kind === 'choose') {
            reader = withPreferences(reader, chosen(...step.slugs), posts.length, defaultSettings)
            wanted = new Set([...wanted].filter((pair) => wants(pair.split(' ')[1] ?? '')))
          } else if (step.kind === 'list') {
            posts.push(step.slugs)
            for (const slug of [...step.slugs, '']) {
              if (wants(slug)) wanted.add(`${posts.length} ${slug}`)
            }
          } else {
            reader = { ...reader, watermark: posts.length }
            wanted.clear()
          }
          const owed = posts.map((categories, i) => isOwed(i + 1, categories))
          const expected = posts.map((_, i) =>
            [...wanted].some((pair) => pair.startsWith(`${i + 1} `)),
          )
          expect(owed).toEqual(expected)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('withPreferences', () => {
  it('touches neither the watermark nor the note', () => {
    const reader = aReader({ watermark: 7, note: flying })
    const changed = withPreferences(
      reader,
      preferencesFor({ cadence: 'weekly', day: 'fri' }),
      10,
      defaultSettings,
    )
    expect([changed.watermark, changed.note]).toEqual([7, flying])
    expect(changed.schedule).toBe('weekly-fri-0800-UTC')
    expect(withPreferences(changed, preferencesFor(), 10, defaultSettings)).toEqual(reader)
  })

  it.each<[string, Partial<Subscriber>, boolean]>([
    ['something was listed since the last mail', { watermark: 7 }, true],
    ['all was mailed', { watermark: 10 }, false],
    ['all was listed before the categories were chosen', { categories: { a: 10 } }, false],
    ['a mail is in flight that may fail', { watermark: 10, note: flying }, true],
    ['a mail was put off', { watermark: 10, note: { ...flying, phase: 'deferred' } }, true],
    [
      'the last mail failed and its window came back',
      { watermark: 3, note: { ...flying, phase: 'failed' } },
      true,
    ],
    ['the reader is paused', { watermark: 7, state: 'paused' }, false],
  ])('puts one who moves to instant into catch-up: %s', (_title, given, isCaughtUp) => {
    const instant = preferencesFor({ cadence: 'instant' })
    const moved = withPreferences(aReader(given), instant, 10, defaultSettings)
    expect(moved.catchUp ?? false).toBe(isCaughtUp)
    expect(withPreferences(moved, instant, 12, defaultSettings).catchUp).toBe(moved.catchUp)
    expect(withPreferences(moved, preferencesFor(), 12, defaultSettings).catchUp).toBeUndefined()
  })

  it('leaves one who is to catch up at a new address in it, unless another schedule brings it', () => {
    const moved = aReader({ catchUp: true })
    const save = (given: Parameters<typeof preferencesFor>[0]) =>
      withPreferences(moved, preferencesFor(given), 12, defaultSettings).catchUp
    expect(save({ locale: 'de' })).toBe(true)
    expect(save({ at: '09:00' })).toBeUndefined()
  })
})

describe('startingNow', () => {
  it('owes nothing that was listed before, and keeps the watermark and the mail in flight', () => {
    const left = aReader({
      state: 'unsubscribed',
      watermark: 4,
      note: flying,
      catchUp: true,
      unsubscribedAt: '2026-02-01T00:00:00.000Z',
      pausedUntil: '2026-05-01T00:00:00.000Z',
    })
    const back = startingNow(left, chosen('a'), 10)
    expect(back).toMatchObject({
      state: 'confirmed',
      watermark: 4,
      note: flying,
      categories: { a: 10 },
    })
    for (const field of ['catchUp', 'unsubscribedAt', 'pausedUntil']) {
      expect(back).not.toHaveProperty(field)
    }
  })
})

describe('withoutCategory', () => {
  it('leaves the others as they are, and nothing when it was the last', () => {
    const reader = aReader({ categories: { a: 3, b: 4 } })
    const left = withoutCategory(reader, 'a', ['a', 'b', 'c'], 10, defaultSettings)
    expect(left?.categories).toEqual({ b: 4 })
    expect(
      withoutCategory(left as Subscriber, 'b', ['a', 'b', 'c'], 10, defaultSettings),
    ).toBeUndefined()
  })

  it('names all others for a reader of everything, since everything was chosen', () => {
    const reader = aReader({ categories: { '*': 5 } })
    expect(withoutCategory(reader, 'a', ['a', 'b', 'c'], 10, defaultSettings)?.categories).toEqual({
      b: 5,
      c: 5,
    })
  })
})
