import { afterEach, describe, expect, it } from 'vitest'
import { deliverChunk } from '../../functions/digests/delivery/deliver.ts'
import { makeDueRuns } from '../../functions/digests/runs/make-runs.ts'
import { planRun } from '../../functions/digests/runs/plan.ts'
import { noRoom } from '../../functions/no-room.ts'
import type { Platform } from '../../functions/platform.ts'
import { fakeProvider } from '../support/fake-provider.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { simulatedClock } from '../support/simulated-clock.ts'
import { confirmReader, publishArticle, tickAt } from '../digests/newsroom.ts'

let scratch: ScratchPlatform
afterEach(() => scratch.close())
const runId = 'daily-0800-UTC_20260302T080000Z'

describe('D2: a line that stands still for 3 s (API calls side by side)', () => {
  it.each([14, 50, 160])('at %i a second', async (perSecond) => {
    scratch = await scratchPlatform({ now: '2026-03-01T18:00:00Z' })
    await tickAt(scratch, '2026-03-01T18:00:00Z')
    for (let i = 0; i < 450; i++) await confirmReader(scratch, `reader${i}@example.org`)
    await publishArticle(scratch, { title: 'Post A' })
    const clock = simulatedClock(Date.parse('2026-03-02T08:00:00Z'))
    const provider = fakeProvider(clock, { perSecond })
    const stall = { from: clock.now() + 2000, to: clock.now() + 5000 }
    const real = provider.send
    provider.send = async (m, u, leave) => { if (leave && !(await leave())) return noRoom; if (clock.now() >= stall.from) await clock.sleep(stall.to - clock.now()); return real(m, u) }
    const platform: Platform = { ...scratch, mailer: provider, now: () => new Date(clock.now()) }
    await makeDueRuns(platform, new Date('2026-03-02T07:59:00Z'))
    await planRun(platform, runId)
    await clock.runUntil(deliverChunk(platform, runId, 0, clock))
    console.log(perSecond, 'most', provider.most(), 'throttled', provider.throttled.length, provider.taken.length, JSON.stringify([...provider.taken, ...provider.throttled].sort((a,b)=>a-b).map((t)=>Math.round(t-stall.to)).filter((t)=>t>-400&&t<1500)))
    expect(provider.most()).toBeLessThanOrEqual(perSecond)
  }, 60_000)
})
