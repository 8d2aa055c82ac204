import { afterEach, describe, expect, it } from 'vitest'
import { listDeliveries } from '../../../functions/digests/delivery/list-deliveries.ts'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import { runJob } from '../../../functions/jobs.ts'
import type { Platform } from '../../../functions/platform.ts'
import { startingNow } from '../../../functions/subscribers/choices.ts'
import { membershipRows } from '../../../functions/subscribers/membership-rows.ts'
import { keepSchedule, scheduleOf } from '../../../functions/subscribers/schedule.ts'
import { newReader } from '../../../functions/subscribers/subscribe.ts'
import { tick } from '../../../functions/tick.ts'
import { countingRecords } from '../../support/counting-records.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
afterEach(() => platform.close())

const runId = 'daily-0800-UTC_20260302T080000Z'
const preferences = {
  categories: [],
  cadence: 'daily' as const,
  at: '08:00',
  timeZone: 'UTC',
  locale: 'en',
}

/** Readers written past the forms, the evening before their run. */
async function start(readers: number) {
  mailer = scriptedMailer()
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  await keepSchedule(platform, scheduleOf(preferences))
  const items = Array.from({ length: readers }, (_, n) => {
    const id = (n * 2654435761).toString(16).padStart(32, '0').slice(-8).padEnd(32, 'e')
    return {
      ...startingNow(newReader(id, preferences, platform.now()), preferences, 0),
      email: `reader${n}@example.org`,
    }
  })
  await platform.records.putMany(
    items.flatMap((reader) => [
      { partition: `subscribers:${reader.id[0]}`, sort: reader.id, value: reader as never },
      ...membershipRows(reader).map((row) => ({ ...row, value: {} })),
    ]),
  )
  await publishArticle(platform, { title: 'Post A' })
  platform.setNow('2026-03-02T08:00:00Z')
}

/** Does the jobs of a lane one by one, at most `most`. */
async function work(on: Platform, lane: 'work' | 'mail', most = Number.POSITIVE_INFINITY) {
  for (let done = 0; done < most; done++) {
    const [received] = await on.jobs.receive(lane, { limit: 1, leaseSeconds: 120 })
    if (!received) return
    await runJob(on, received.job)
    await on.jobs.complete(received.receipt)
  }
}

const run = async () => (await getRun(platform, runId))?.value as Run

describe('a run', () => {
  it('reads and writes as much for each of many readers as for each of few', async () => {
    const costs = []
    for (const readers of [1000, 4000]) {
      await start(readers)
      const { records, counts } = countingRecords(platform.records)
      const counted = { ...platform, records }
      await tick(counted)
      await work(counted, 'work')
      const planning = { ...counts }
      await work(counted, 'mail')
      expect(mailer.sent).toHaveLength(readers)
      expect((await run()).state).toBe('done')
      costs.push({
        plannedRows: planning.found / readers,
        planningWrites: planning.writes / readers,
        gets: (counts.gets - planning.gets) / readers,
        found: (counts.found - planning.found) / readers,
        writes: (counts.writes - planning.writes) / readers,
        largestPage: counts.largestPage,
      })
      if (readers === 1000) await platform.close()
    }
    const [few, many] = costs as [(typeof costs)[0], (typeof costs)[0]]
    // One membership row is read for each, however the chunks are cut.
    expect(many.plannedRows).toBeLessThan(1.1)
    expect(many.planningWrites).toBeLessThan(0.02)
    // The reader and the row before it; the claim and the row.
    expect(many.writes).toBeLessThan(2.05)
    for (const what of ['gets', 'found', 'writes'] as const) {
      expect(many[what]).toBeLessThanOrEqual(few[what] * 1.02)
    }
    expect(many.largestPage).toBeLessThanOrEqual(1000)
  }, 60_000)

  it('shows its books, before, halfway and at its end, without reading what is settled', async () => {
    await start(4000)
    await tick(platform)
    await work(platform, 'work')
    const look = async (current: Run) => {
      const { records, counts } = countingRecords(platform.records)
      const books = await countsOf({ records }, current)
      return { ...books, read: counts.gets + counts.found }
    }
    expect(await look(await run())).toMatchObject({ candidates: 4000, pending: 4000 })
    // The chunks alone.
    expect((await look(await run())).read).toBeLessThan(30)

    mailer.answer = ({ to }) => {
      if (to.endsWith('7@example.org')) return { status: 'rejected', reason: 'no' }
      if (to.endsWith('33@example.org')) {
        return { status: 'deferred', reason: 'full', retryAfterSeconds: 3600, address: true }
      }
      return undefined
    }
    await work(platform, 'mail', 4)
    const half = await look(await run())
    expect(half.candidates).toBe(4000)
    expect(half.accepted + half.failed).toBeGreaterThan(1800)
    expect(half.pending).toBeGreaterThan(2000)
    // Of four chunks gone through, only the twenty or so that are open are looked up.
    expect(half.read).toBeLessThan(80)

    await work(platform, 'mail')
    mailer.answer = () => undefined
    await tickAt(platform, '2026-03-02T09:30:00Z')
    expect((await run()).state).toBe('done')
    expect(await look(await run())).toEqual({
      candidates: 4000,
      accepted: 3600,
      failed: 400,
      suppressed: 0,
      unknown: 0,
      empty: 0,
      pending: 0,
      read: 0,
    })
  }, 60_000)

  it('lists whose delivery failed without reading the others', async () => {
    await start(2500)
    mailer.answer = ({ to }) =>
      to.endsWith('99@example.org') ? { status: 'rejected', reason: 'no' } : undefined
    await tickAt(platform, '2026-03-02T08:00:00Z')
    const { records, counts } = countingRecords(platform.records)
    const seen = new Set<string>()
    let cursor: string | undefined
    do {
      const page = await listDeliveries({ records }, await run(), {
        state: 'failed',
        limit: 10,
        cursor,
      })
      for (const { subscriberId } of page.items) seen.add(subscriberId)
      cursor = page.cursor
    } while (cursor)
    expect(seen.size).toBe(25)
    expect(counts.gets + counts.found).toBeLessThan(120)
  }, 60_000)
})
