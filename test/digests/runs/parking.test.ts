import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { noteAccepted } from '../../../functions/digests/feedback/evidence.ts'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import { describeRun } from '../../../functions/digests/runs/run-view.ts'
import type { Mailer, Quota } from '../../../functions/platform.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
// Pace keeps to the real clock, so the real clock is what a test moves.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-02T08:00:00Z') })
})
afterEach(async () => {
  vi.useRealTimers()
  await platform.close()
})

const morning = '2026-03-02T08:00:00Z'
const run = async () => (await getRun(platform, 'daily-0800-UTC_20260302T080000Z'))?.value as Run

async function start(
  quota: () => Quota,
  readers: number,
  categories: string[] = [],
  answers: Partial<Mailer> = {},
) {
  mailer = { ...scriptedMailer({ hasEvidence: false }), ...answers }
  mailer.quota = async () => quota()
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  for (let i = 0; i < readers; i++) {
    await confirmReader(platform, `reader${i}@example.org`, { categories })
  }
}

describe('a run whose mails are more than the day’s quota', () => {
  it('waits, says why and for how long, and goes on by itself with the next tick that finds room', async () => {
    let perDay = 10
    await start(() => ({ perDay }), 30)
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, morning)
    expect(mailer.sent).toHaveLength(10)
    const view = await describeRun(platform, await run())
    expect(view).toMatchObject({
      state: 'sending',
      reason: expect.stringContaining('quota of 24 hours'),
      counts: { candidates: 30, accepted: 10, pending: 20, failed: 0 },
      estimate: { remaining: 20 },
    })
    // At 10 a day, and none before all of today’s have left the 24 hours.
    expect(view.estimate?.seconds).toBeGreaterThan(2 * 86_400)

    for (let minute = 1; minute < 5; minute++) {
      await tickAt(platform, new Date(Date.parse(morning) + minute * 60_000).toISOString())
    }
    expect(mailer.sent).toHaveLength(10)
    expect((await run()).parkedAt).toBe('2026-03-02T08:00:00.000Z')

    perDay = 1000
    vi.advanceTimersByTime(60_000)
    await tickAt(platform, '2026-03-02T08:05:00Z')
    expect(mailer.sent).toHaveLength(30)
    expect((await run()).state).toBe('done')
    expect(await describeRun(platform, await run())).not.toHaveProperty('reason')
    expect(await countsOf(platform, await run())).toMatchObject({ accepted: 30, failed: 0 })
  })

  it('settles meanwhile what was in flight: by its proof, or as unknown once nobody can tell', async () => {
    const asked: string[] = []
    await start(() => ({ perDay: 10 }), 30, [], {
      evidenceDelaySeconds: 600,
      send: async ({ deliveryId }) => {
        asked.push(deliveryId)
        return asked.length <= 2
          ? { status: 'unclear', reason: 'the line broke' }
          : { status: 'sent' }
      },
    })
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, morning)
    expect(asked).toHaveLength(10)
    await noteAccepted(platform, asked[0] as string)
    for (let minute = 1; minute < 20; minute++) {
      const at = Date.parse(morning) + minute * 60_000
      vi.setSystemTime(at)
      await tickAt(platform, new Date(at).toISOString())
    }
    expect((await run()).parkedAt).toBeDefined()
    expect(asked).toHaveLength(10)
    expect(await countsOf(platform, await run())).toMatchObject({
      accepted: 9,
      unknown: 1,
      pending: 20,
    })
  })

  it('sends one a day where one a day is all there is', async () => {
    await start(() => ({ perDay: 1 }), 2)
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, morning)
    expect(mailer.sent).toHaveLength(1)
    const later = Date.parse(morning) + 25 * 3_600_000
    vi.setSystemTime(later)
    await tickAt(platform, new Date(later).toISOString())
    expect(new Set(mailer.sent.map(({ to }) => to)).size).toBe(2)
  })

  it('takes nothing off the quota for readers who are owed nothing', async () => {
    await start(() => ({ perDay: 10 }), 30, ['rust'])
    await confirmReader(platform, 'ada@example.org', { categories: ['go'] })
    await publishArticle(platform, { title: 'Post A', categories: ['go'] })
    await tickAt(platform, morning)
    expect(mailer.sent.map(({ to }) => to)).toEqual(['ada@example.org'])
    expect((await run()).state).toBe('done')
  })
})
