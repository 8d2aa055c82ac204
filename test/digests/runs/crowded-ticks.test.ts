import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordKeys, shards } from '../../../functions/keys.ts'
import type { Platform } from '../../../functions/platform.ts'
import { pauseUntil } from '../../../functions/subscribers/pauses.ts'
import { type TickReport, tick } from '../../../functions/tick.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { type SimulatedClock, simulatedClock } from '../../support/simulated-clock.ts'
import { changeChoices, confirmReader, publishArticle, tickAt } from '../newsroom.ts'

/** So much slower than the real table as the lists here are shorter than those of a large service. */
const callMs = 100
/** After a minute the function is stopped, and what it had not come to begins anew. */
const mostMs = 60_000
const many = 300

let platform: ScratchPlatform
let clock: SimulatedClock
beforeEach(async () => {
  clock = simulatedClock()
  platform = await scratchPlatform({ now: '2026-12-30T06:00:00Z' })
  await tickAt(platform, '2026-12-30T06:00:00Z')
})
afterEach(() => platform.close())

function slow<T extends object>(calls: T): T {
  const wait = async (call: (...args: never[]) => unknown, args: never[]) => {
    await clock.sleep(callMs)
    return call(...args)
  }
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [name, (...args: never[]) => wait(call, args)]),
  ) as T
}

/** One tick a minute from an instant on, each within the function's time. */
async function* ticksFrom(instant: string): AsyncGenerator<TickReport> {
  const { enqueue } = slow({ enqueue: platform.jobs.enqueue })
  const jobs = { ...platform.jobs, enqueue }
  const world: Platform = { ...platform, records: slow(platform.records), jobs }
  for (let minute = 0; minute < 10; minute++) {
    platform.setNow(new Date(Date.parse(instant) + minute * 60_000).toISOString())
    const begun = clock.now()
    yield await clock.runUntil(tick(world, { clock }))
    expect(clock.now() - begun).toBeLessThan(mostMs)
  }
}

async function onCatchUp(): Promise<number> {
  const pages = await Promise.all(
    shards.map((shard) => platform.records.query(recordKeys.scheduleMembers('catch-up', shard))),
  )
  return pages.reduce((sum, { records }) => sum + records.length, 0)
}

describe('a tick with more to do than it has time', () => {
  it('makes the runs that are due at a midnight when hundreds of pauses end', async () => {
    for (let i = 0; i < many; i++) {
      const id = await confirmReader(platform, `r${i}@example.org`, { at: '06:00' })
      await pauseUntil(platform, id, new Date('2027-01-01T00:00:00Z'))
    }
    await confirmReader(platform, 'ada@example.org', { at: '00:00' })
    await tickAt(platform, '2026-12-31T23:59:30Z')
    const ended: number[] = []
    for await (const { runs, endedPauses } of ticksFrom('2027-01-01T00:00:30Z')) {
      if (ended.length === 0) {
        expect(runs.map(({ id }) => id)).toEqual(['daily-0000-UTC_20270101T000000Z'])
      }
      ended.push(endedPauses)
    }
    expect(ended[0]).toBeLessThan(many)
    expect(ended.reduce((sum, n) => sum + n)).toBe(many)
  })

  it('makes the runs that are due while hundreds who have caught up leave the catch-up', async () => {
    const ids: string[] = []
    for (let i = 0; i < many; i++) ids.push(await confirmReader(platform, `r${i}@example.org`))
    await confirmReader(platform, 'ada@example.org', { at: '00:00' })
    await publishArticle(platform, {})
    for (const id of ids) await changeChoices(platform, id, { cadence: 'instant' })
    await tickAt(platform, '2026-12-31T23:58:30Z')
    expect(await onCatchUp()).toBe(many)
    let ticks = 0
    for await (const { runs } of ticksFrom('2027-01-01T00:00:30Z')) {
      if (ticks++ > 0) continue
      expect(runs.map(({ id }) => id)).toEqual(['daily-0000-UTC_20270101T000000Z'])
      expect(await onCatchUp()).toBeGreaterThan(0)
    }
    expect(await onCatchUp()).toBe(0)
  })

  it('makes up for a standstill tick by tick, each run once', async () => {
    for (let i = 0; i < many; i++) {
      const at = `${String(i % 24).padStart(2, '0')}:${30 + Math.floor(i / 24)}`
      await confirmReader(platform, `r${i}@example.org`, { at })
    }
    const made: string[] = []
    const marks = new Set<unknown>()
    for await (const { runs } of ticksFrom('2026-12-31T08:00:30Z')) {
      made.push(...runs.map(({ id }) => id))
      if (made.length < many) marks.add((await platform.records.get(recordKeys.clock))?.value)
    }
    // Nothing counts as done before all is.
    expect([...marks]).toEqual(Array.from(marks, () => ({ at: '2026-12-30T06:00:00.000Z' })))
    expect(marks.size).toBeGreaterThan(0)
    expect(made).toHaveLength(many)
    expect(new Set(made).size).toBe(many)
  })
})
