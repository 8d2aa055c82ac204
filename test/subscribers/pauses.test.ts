import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import { changeSubscriber } from '../../functions/subscribers/memberships.ts'
import { endPauses } from '../../functions/subscribers/pauses.ts'
import { aReader } from './readers.ts'
import { headNumber, readersPlatform } from './readers-platform.ts'

const ada = 'ada@example.org'

describe('a pause', () => {
  it('ends by itself at the start of the day in the reader’s zone, and owes nothing from meanwhile', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await join(ada, { categories: 'tech', timeZone: 'Asia/Tokyo' })
    await post(link('preferences', ada), { action: 'pause', pausedUntil: '2026-03-10' })
    expect(await readerOf(ada)).toMatchObject({
      state: 'paused',
      pausedUntil: '2026-03-09T15:00:00.000Z',
    })
    await headNumber(platform, 8)
    platform.setNow('2026-03-09T14:59:59Z')
    expect(await endPauses(platform)).toBe(0)
    expect((await readerOf(ada))?.state).toBe('paused')
    platform.setNow('2026-03-09T15:00:00Z')
    expect(await endPauses(platform)).toBe(1)
    const reader = await readerOf(ada)
    expect(reader).toMatchObject({ state: 'confirmed', categories: { tech: 8 }, watermark: 0 })
    expect(reader).not.toHaveProperty('pausedUntil')
    expect(await endPauses(platform)).toBe(0)
    expect((await platform.records.query(recordKeys.pauses)).records).toEqual([])
  })

  it('can be moved and ended by hand', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await join(ada)
    await post(link('preferences', ada), { action: 'pause', pausedUntil: '2026-03-10' })
    await post(link('preferences', ada), { action: 'pause', pausedUntil: '2026-04-10' })
    platform.setNow('2026-03-11T00:00:00Z')
    expect(await endPauses(platform)).toBe(0)
    await post(link('preferences', ada), { action: 'resume' })
    expect((await readerOf(ada))?.state).toBe('confirmed')
    platform.setNow('2026-05-01T00:00:00Z')
    expect(await endPauses(platform)).toBe(0)
    expect((await platform.records.query(recordKeys.pauses)).records).toEqual([])
  })

  it('keeps what is changed meanwhile', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await join(ada)
    await post(link('preferences', ada), { pausedUntil: '2026-03-10' })
    await post(link('preferences', ada), { cadence: 'daily', categories: 'tech' })
    expect(await readerOf(ada)).toMatchObject({ state: 'paused', cadence: 'daily' })
    platform.setNow('2026-03-11T00:00:00Z')
    await endPauses(platform)
    expect(await readerOf(ada)).toMatchObject({ state: 'confirmed', schedule: 'daily-0800-UTC' })
  })

  it.each(['', 'soon', '2026-03-02', '2025-01-01', '2027-03-04', '2026-02-30'])(
    'cannot end on %j',
    async (pausedUntil) => {
      const { join, post, link, readerOf } = await readersPlatform()
      const reader = await join(ada)
      const response = await post(link('preferences', ada), { action: 'pause', pausedUntil })
      expect(response.status).toBe(422)
      expect(await readerOf(ada)).toEqual(reader)
    },
  )

  it('ends for many readers in one tick', async () => {
    const { platform, idOf, readerOf } = await readersPlatform()
    const names = Array.from({ length: 1200 }, (_, i) => `reader${i}@example.org`)
    await Promise.all(
      names.map((email) =>
        changeSubscriber(platform, idOf(email), () =>
          aReader({
            id: idOf(email),
            email,
            state: 'paused',
            pausedUntil: '2026-03-05T00:00:00.000Z',
          }),
        ),
      ),
    )
    platform.setNow('2026-03-06T00:00:00Z')
    const ended = await Promise.all([endPauses(platform), endPauses(platform)])
    expect(ended[0] + ended[1]).toBeGreaterThanOrEqual(1200)
    expect((await readerOf(names[7] ?? ''))?.state).toBe('confirmed')
    expect(await endPauses(platform)).toBe(0)
  }, 60_000)
})
