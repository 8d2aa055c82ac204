import { afterEach, describe, expect, it } from 'vitest'
import { deliverChunk } from '../../../functions/digests/delivery/deliver.ts'
import { driveRested, driveRun } from '../../../functions/digests/runs/drive.ts'
import type { ChunkBook, Run } from '../../../functions/digests/runs/run.ts'
import {
  changeRun,
  getRun,
  makeRun,
  putBook,
  putChunk,
} from '../../../functions/digests/runs/run-store.ts'
import { tick } from '../../../functions/tick.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
afterEach(() => platform.close())

const count = { gen: 0, accepted: 499, suppressed: 0, empty: 0, failed: [], unknown: [], open: [] }
const finished: ChunkBook = {
  readers: 500,
  begun: true,
  counted: { ...count, accepted: 500 },
}
const untouched: ChunkBook = { readers: 500 }
/** One full mailbox is left of it. */
const resting = (minutes: number): ChunkBook => ({
  readers: 500,
  begun: true,
  counted: {
    ...count,
    open: ['a'.repeat(32)],
    restsUntil: new Date(Date.parse('2026-03-02T08:00:00Z') + minutes * 60_000).toISOString(),
  },
})

/** So many wait for their next try that the book does not name them. */
const passed = (open: number, minutes: number, gen = 0): ChunkBook => ({
  readers: 500,
  begun: true,
  passed: {
    gen,
    open,
    restsUntil: new Date(Date.parse('2026-03-02T08:00:00Z') + minutes * 60_000).toISOString(),
  },
})

async function aRun(books: ChunkBook[], perSecond = 1): Promise<Run> {
  const mailer = { ...scriptedMailer(), quota: async () => ({ perSecond }) }
  platform = await scratchPlatform({ mailer })
  const dueAt = '2026-03-02T08:00:00Z'
  await makeRun(platform, { id: 'r', schedule: 's', kind: 'digest', dueAt, to: 1 })
  const run = { ...((await getRun(platform, 'r'))?.value as Run), chunks: books.length }
  for (const [k, book] of books.entries()) {
    const end = k === books.length - 1
    await putChunk(platform, run, k, { readers: ['a'.repeat(32)], end }, { ifAbsent: true })
    await putBook(platform, run, k, book, { ifAbsent: true })
  }
  return run
}

async function enqueued(): Promise<number[]> {
  const received = await platform.jobs.receive('mail', { limit: 10, leaseSeconds: 60 })
  return received.map(({ job }) => (job as { chunk: number }).chunk)
}

describe('a run that is driven on', () => {
  it('passes over chunks where nothing is due yet: full mailboxes hold up nobody else', async () => {
    const rest = Array.from({ length: 6 }, () => resting(30))
    const run = await aRun([...rest, finished, untouched, untouched, untouched])
    await driveRun(platform, run)
    // A mail a second: two chunks at a time.
    expect(await enqueued()).toEqual([7, 8])
  })

  it('passes over chunks that were gone through, however many wait in them', async () => {
    const run = await aRun([passed(200, 30), passed(300, 30), finished, untouched, untouched])
    await driveRun(platform, run)
    expect(await enqueued()).toEqual([3, 4])
  })

  it('tries chunks in which many wait again as mail can leave for them, not all at once', async () => {
    // At a mail a second two chunks’ worth; the one in which a few wait is always among them.
    const run = await aRun([
      ...Array.from({ length: 6 }, () => passed(400, -1)),
      resting(-1),
      untouched,
    ])
    await driveRested(platform, run)
    expect(await enqueued()).toEqual([0, 1, 2, 6])
    await driveRun(platform, run)
    expect((await enqueued()).sort()).toEqual([0, 1, 2, 6, 7])
  })

  it('goes through all of a chunk once more when it is retried', async () => {
    const run = await aRun([passed(200, 30), finished])
    await driveRun(platform, { ...run, gen: 1 })
    expect(await enqueued()).toEqual([0])
  })

  it('goes on behind a chunk that somebody else has done already', async () => {
    await aRun([untouched, untouched, finished, untouched, passed(200, 30), untouched, untouched])
    // A mail a second: two chunks at a time, so the second next is the one to bring.
    await deliverChunk(platform, 'r', 0)
    expect(await enqueued()).toEqual([6])
  })

  it('tries again what is due, beside new chunks, also while it moves', async () => {
    const run = await aRun([resting(-1), resting(30), resting(-5), untouched])
    await driveRested(platform, run)
    expect((await enqueued()).sort()).toEqual([0, 2])
    await driveRun(platform, run)
    expect((await enqueued()).sort()).toEqual([0, 2, 3])
  })

  it('rests as long as the longest pause, an hour and some jitter', async () => {
    const run = await aRun([resting(85)])
    await driveRun(platform, run)
    expect(await enqueued()).toEqual([])
  })

  it('takes a rest that a clock set back since has made endless for none', async () => {
    const run = await aRun([resting(48 * 60)])
    await driveRun(platform, run)
    expect(await enqueued()).toEqual([0])
  })

  it('goes on with a chunk whose book a crash left out', async () => {
    const run = await aRun([finished, untouched, untouched])
    await platform.records.delete({ partition: 'run:r', sort: 'book#000000000001' })
    await driveRun(platform, run)
    expect(await enqueued()).toEqual([1, 2])
  })

  it('has what is due again tried by each tick, also while the run moves', async () => {
    const run = await aRun([resting(-1), resting(30), untouched])
    await changeRun(platform, 'r', () => ({ ...run, movedAt: platform.now().toISOString() }))
    await tick(platform)
    expect(await enqueued()).toEqual([0])
  })
})
