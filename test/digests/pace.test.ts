import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openPace } from '../../functions/digests/pace.ts'
import type { Quota } from '../../functions/platform.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from './newsroom.ts'
import { scriptedMailer } from './scripted-mailer.ts'

let platform: ScratchPlatform

// The pace keeps to the real clock, so the real clock is what a test moves.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(async () => {
  vi.useRealTimers()
  await platform.close()
})

const atRest = async () => {
  for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function paced(quota: () => Quota) {
  platform = await scratchPlatform({ mailer: { ...scriptedMailer(), quota: async () => quota() } })
  return platform
}

describe('the pace', () => {
  it.each([1, 14, 160])(
    'of three workers uses a quota of %i a second and never exceeds it',
    async (perSecond) => {
      await paced(() => ({ perSecond }))
      const taken: number[] = []
      let isOver = false
      const works = Array.from({ length: 3 }, async () => {
        const pace = openPace(platform)
        while (!isOver) {
          if ((await pace.take(60_000)) !== 'token') return
          taken.push(Math.floor((performance.timeOrigin + performance.now()) / 1000))
        }
      })
      const seconds = 8
      for (let ms = 0; ms < seconds * 1000; ms += 20) {
        await vi.advanceTimersByTimeAsync(20)
        await atRest()
      }
      isOver = true
      let isDone = false
      const finishing = Promise.all(works).finally(() => {
        isDone = true
      })
      while (!isDone) {
        await vi.advanceTimersByTimeAsync(100)
        await atRest()
      }
      await finishing
      const bySecond = new Map<number, number>()
      for (const second of taken) bySecond.set(second, (bySecond.get(second) ?? 0) + 1)
      expect(Math.max(...bySecond.values())).toBeLessThanOrEqual(perSecond)
      // The first and the last second are not whole.
      const whole = [...bySecond.values()].slice(1, seconds - 1)
      const used = whole.reduce((sum, n) => sum + n, 0) / (whole.length * perSecond)
      expect(used).toBeGreaterThanOrEqual(0.93)
    },
  )

  it('lets nothing leave once the day is used up, and goes on by itself with a higher quota', async () => {
    const mailer = scriptedMailer()
    let perDay = 10
    mailer.quota = async () => ({ perDay, sentLastDay: mailer.sent.length })
    platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
    await tickAt(platform, '2026-03-01T18:00:00Z')
    for (let i = 0; i < 30; i++) await confirmReader(platform, `reader${i}@example.org`)
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(mailer.sent.length).toBeLessThanOrEqual(10)
    expect(mailer.sent.length).toBeGreaterThanOrEqual(9)
    perDay = 1000
    await tickAt(platform, '2026-03-02T09:00:00Z')
    expect(mailer.sent).toHaveLength(30)
  })

  it('takes no mail off the quota for readers who are owed nothing', async () => {
    const mailer = scriptedMailer()
    mailer.quota = async () => ({ perDay: 10 })
    platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
    await tickAt(platform, '2026-03-01T18:00:00Z')
    for (let i = 0; i < 30; i++) {
      await confirmReader(platform, `reader${i}@example.org`, { categories: ['rust'] })
    }
    await confirmReader(platform, 'ada@example.org', { categories: ['go'] })
    await publishArticle(platform, { title: 'Post A', categories: ['go'] })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(mailer.sent).toHaveLength(1)
  })
})
