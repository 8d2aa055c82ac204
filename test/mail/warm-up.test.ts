import { expect, it } from 'vitest'
import { effectiveQuota } from '../../functions/mail/quota.ts'
import { warmUpPerDay } from '../../functions/mail/warm-up.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { scriptedMailer } from '../digests/scripted-mailer.ts'

const warmUp = { from: '2026-03-01', perDay: 200, growth: 1.5 }

it.each([
  ['2026-02-20T12:00:00Z', 200],
  ['2026-03-01T00:00:00Z', 200],
  ['2026-03-01T23:59:59Z', 200],
  ['2026-03-02T00:00:00Z', 300],
  ['2026-03-03T08:00:00Z', 450],
  ['2026-03-04T08:00:00Z', 675],
  ['2026-04-01T08:00:00Z', 57_525_317],
  ['2028-03-01T00:00:00Z', undefined],
  ['9999-03-01T00:00:00Z', undefined],
])('a ramp that began on the first of March allows at %s %s mails a day', (now, allowed) => {
  expect(warmUpPerDay(warmUp, new Date(now))).toBe(allowed)
})

it('without a ramp there is none, and one that does not grow stays', () => {
  expect(warmUpPerDay(undefined, new Date())).toBeUndefined()
  expect(warmUpPerDay({ ...warmUp, growth: 1 }, new Date('2030-01-01'))).toBe(200)
})

it.each([
  [{}, {}, 300],
  [{ perDay: 250 }, {}, 250],
  [{}, { perDay: 100, perSecond: 14 }, 100],
  [{ perDay: 1000 }, { perDay: 50_000 }, 300],
])(
  'the lowest of the ramp, the limits %j and the provider’s %j counts',
  async (limits, quota, perDay) => {
    const mailer = { ...scriptedMailer(), quota: async () => quota }
    const settings = { ...defaultSettings, mail: { ...defaultSettings.mail, limits, warmUp } }
    const clock = { now: () => Date.parse('2026-03-02T08:00:00Z') }
    expect((await effectiveQuota({ mailer, settings }, clock)).perDay).toBe(perDay)
  },
)
