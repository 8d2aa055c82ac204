import { afterEach, describe, expect, it } from 'vitest'
import { estimateFor, estimateRun } from '../../../functions/digests/runs/estimate.ts'
import { recordKeys } from '../../../functions/keys.ts'
import type { Quota } from '../../../functions/platform.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
afterEach(() => platform.close())

const now = Date.parse('2026-03-02T08:00:00Z')
const clock = { now: () => now, sleep: async () => {} }

async function withQuota(quota: Quota) {
  const mailer = { ...scriptedMailer(), quota: async () => quota }
  platform = await scratchPlatform({ now: '2026-03-02T08:00:00Z', mailer })
  return platform
}

const hours = 3600
const day = 24 * hours

describe('the estimate of a run', () => {
  it.each([
    ['a million at 14 a second: most of a day', 1_000_000, { perSecond: 14 }, 74_405],
    ['a million at 830 a second: twenty minutes', 1_000_000, { perSecond: 830 }, 1256],
    ['nothing left', 0, { perSecond: 14 }, 0],
    ['what fits into the day', 40_000, { perSecond: 14, perDay: 50_000 }, 2977],
    [
      'what takes three days: two waits, and the last part’s sending',
      100_000,
      { perSecond: 14, perDay: 50_000 },
      2 * day + Math.ceil(3000 / 13.44),
    ],
    [
      'what others have used of the day',
      10_000,
      { perSecond: 14, perDay: 50_000, sentLastDay: 48_500 },
      day + Math.ceil(10_000 / 13.44),
    ],
  ])('is made of rate and day: %s', async (_what, mails, quota, seconds) => {
    const estimate = await estimateFor(await withQuota(quota), mails, undefined, clock)
    expect(Math.abs((estimate.seconds ?? Number.NaN) - seconds)).toBeLessThanOrEqual(1)
    expect(estimate.remaining).toBe(mails)
    expect(Date.parse(estimate.until ?? '')).toBe(now + (estimate.seconds ?? 0) * 1000)
  })

  it('waits for the hour at which today’s mails leave the count', async () => {
    await withQuota({ perSecond: 10, perDay: 1000 })
    const fiveHoursAgo = Math.floor((now - 5 * hours * 1000) / 600_000)
    await platform.records.add(recordKeys.paceStretch(fiveHoursAgo), 970)
    const { seconds = 0 } = await estimateFor(platform, 96, undefined, clock)
    // Nineteen hours, the ten minutes that they were counted in, ten seconds of sending.
    expect(seconds).toBe(19 * hours + 600 + 10)
  })

  it('goes by what was seen where there is no quota, and says nothing before', async () => {
    await withQuota({})
    const counts = { suppressed: 0, failed: 0, unknown: 0, empty: 0 }
    const run = { gen: 0, createdAt: '2026-03-02T07:58:20Z' }
    expect(
      await estimateRun(platform, run, {
        ...counts,
        candidates: 3000,
        accepted: 1000,
        pending: 2000,
      }),
    ).toEqual({ perSecond: 10, remaining: 2000, seconds: 200, until: '2026-03-02T08:03:20.000Z' })
    expect(
      await estimateRun(platform, run, { ...counts, candidates: 3000, accepted: 9, pending: 2991 }),
    ).toEqual({ remaining: 2991 })
  })

  it('is made without the quota by whoever may not ask for it', async () => {
    await withQuota({})
    const mailer = { ...platform.mailer, quota: () => Promise.reject(new Error('AccessDenied')) }
    expect(await estimateFor({ ...platform, mailer }, 500, 5, clock)).toMatchObject({
      perSecond: 5,
      seconds: 100,
    })
  })
})
