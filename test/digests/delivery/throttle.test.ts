import { afterEach, describe, expect, it } from 'vitest'
import { deliverChunk } from '../../../functions/digests/delivery/deliver.ts'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import { makeDueRuns } from '../../../functions/digests/runs/make-runs.ts'
import { planRun } from '../../../functions/digests/runs/plan.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import type { Platform } from '../../../functions/platform.ts'
import { type FakeProvider, fakeProvider } from '../../support/fake-provider.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { type SimulatedClock, simulatedClock } from '../../support/simulated-clock.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'

let scratch: ScratchPlatform
afterEach(() => scratch.close())

const runId = 'daily-0800-UTC_20260302T080000Z'

interface World {
  clock: SimulatedClock
  provider: FakeProvider
  platform: Platform
  run(): Promise<Run>
}

/** A planned run, with a provider and a clock in simulated time. */
async function start(readers: number, perSecond: number): Promise<World> {
  scratch = await scratchPlatform({ now: '2026-03-01T18:00:00Z' })
  await tickAt(scratch, '2026-03-01T18:00:00Z')
  for (let i = 0; i < readers; i++) await confirmReader(scratch, `reader${i}@example.org`)
  await publishArticle(scratch, { title: 'Post A' })
  const clock = simulatedClock(Date.parse('2026-03-02T08:00:00Z'))
  const provider = fakeProvider(clock, { perSecond })
  const platform = { ...scratch, mailer: provider, now: () => new Date(clock.now()) }
  await makeDueRuns(platform, new Date('2026-03-02T07:59:00Z'))
  await planRun(platform, runId)
  return {
    clock,
    provider,
    platform,
    run: async () => (await getRun(platform, runId))?.value as Run,
  }
}

describe('a provider that throttles', () => {
  it('more than its quota says slows the run down and fails nobody', async () => {
    const { clock, provider, platform, run } = await start(120, 40)
    // It takes less than it promises.
    provider.quota = async () => ({ perSecond: 200 })
    for (let visits = 0; (await run()).state !== 'done'; visits++) {
      expect(visits).toBeLessThan(20)
      await clock.runUntil(deliverChunk(platform, runId, 0, clock))
      await clock.runUntil(clock.sleep(2000))
    }
    expect(provider.throttled.length).toBeGreaterThan(0)
    // Each refusal is followed by a moment of quiet, not by five hundred more.
    expect(provider.throttled.length).toBeLessThan(provider.taken.length)
    expect(await countsOf(platform, await run())).toMatchObject({ accepted: 120, failed: 0 })
    expect(provider.taken).toHaveLength(120)
  })

  it('is never given reason to by a run at 160 a second in two processes', async () => {
    const { clock, provider, platform, run } = await start(500, 160)
    const began = clock.now()
    const process = () => deliverChunk({ ...platform, mailer: { ...provider } }, runId, 0, clock)
    await clock.runUntil(Promise.all([process(), process()]))
    expect((await run()).state).toBe('done')
    expect(provider.throttled).toEqual([])
    expect(provider.taken).toHaveLength(500)
    expect(provider.most()).toBeLessThanOrEqual(160)
    // Two on one chunk get in each other's way; still it takes seconds, not minutes.
    expect(clock.now() - began).toBeLessThan(10_000)
  })
})

describe('a job whose time is up', () => {
  const enqueued = async () => {
    const received = await scratch.jobs.receive('mail', { limit: 10, leaseSeconds: 60 })
    for (const { receipt } of received) await scratch.jobs.complete(receipt)
    return received.map(({ job }) => job)
  }

  it('has another go on when mails left meanwhile', async () => {
    const { clock, platform, run } = await start(60, 1)
    await enqueued()
    await clock.runUntil(deliverChunk(platform, runId, 0, clock))
    const { accepted, pending } = await countsOf(platform, await run())
    expect(accepted).toBeGreaterThan(0)
    expect(pending).toBe(60 - accepted)
    expect(await enqueued()).toEqual([{ kind: 'deliver', runId, chunk: 0 }])
  })

  it('is left to the tick when none did, or jobs would call each other for nothing', async () => {
    const { clock, provider, platform } = await start(60, 1)
    await enqueued()
    let asked = 0
    // Its process was held up before the first mail.
    const late = { ...clock, now: () => clock.now() + (asked++ === 0 ? 0 : 20_000) }
    await clock.runUntil(deliverChunk(platform, runId, 0, late))
    expect(provider.taken).toEqual([])
    expect(await enqueued()).toEqual([])
  })
})
