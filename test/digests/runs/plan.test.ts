import { afterEach, describe, expect, it } from 'vitest'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import { planRun } from '../../../functions/digests/runs/plan.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun, makeRun } from '../../../functions/digests/runs/run-store.ts'
import { recordKeys, shardOf } from '../../../functions/keys.ts'
import type { Platform } from '../../../functions/platform.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { chunksOf } from '../chunks-of.ts'
import { confirmReader, publishArticle } from '../newsroom.ts'

let platform: ScratchPlatform
afterEach(() => platform.close())

const wanted = {
  id: 'daily-0800-UTC_20260302T080000Z',
  schedule: 'daily-0800-UTC',
  kind: 'digest',
  dueAt: '2026-03-02T08:00:00Z',
  to: 1,
} as const

/** Rows of so many readers on the daily schedule; planning reads nothing else. */
async function enrol(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) =>
    `${i.toString(16).padStart(4, '0').split('').reverse().join('')}`.padEnd(32, '0'),
  )
  await platform.records.putMany(
    ids.map((id) => ({
      partition: recordKeys.scheduleMembers(wanted.schedule, shardOf(id)),
      sort: id,
      value: {},
    })),
  )
  return ids.sort()
}

async function planned(run: Run) {
  const chunks: string[][] = []
  let ends = 0
  for (const { readers, end } of await chunksOf(platform, run.id)) {
    chunks.push(readers)
    if (end) ends++
  }
  return { chunks, ends }
}

describe('planning', () => {
  it('cuts the audience into chunks of at most 500, each reader once, in order', async () => {
    platform = await scratchPlatform()
    const ids = await enrol(1203)
    const { run } = await makeRun(platform, wanted)
    await planRun(platform, run.id)
    const { chunks, ends } = await planned(run)
    expect(chunks.map(({ length }) => length)).toEqual([500, 500, 203])
    expect(chunks.flat()).toEqual(ids)
    expect(ends).toBe(1)
    expect((await getRun(platform, run.id))?.value).toMatchObject({ state: 'sending', chunks: 3 })
  })

  it('goes on after the chunk that stands, also when another planner cut it elsewhere (failure 9)', async () => {
    platform = await scratchPlatform()
    const ids = await enrol(1203)
    const { run } = await makeRun(platform, wanted)
    const { put } = platform.records
    let isFirst = true
    const records: Platform['records'] = {
      ...platform.records,
      put: async (record, condition) => {
        // Another planner was quicker, and for it a reader had left and the chunk was shorter.
        if (isFirst && record.sort.startsWith('chunk#')) {
          isFirst = false
          const readers = ids.slice(0, 301).filter((_, i) => i !== 7)
          await put({ ...record, value: { readers, end: false } })
        }
        return put(record, condition)
      },
    }
    await planRun({ ...platform, records }, run.id)
    const { chunks } = await planned(run)
    expect(chunks.map(({ length }) => length)).toEqual([300, 500, 402])
    expect(chunks.flat()).toEqual(ids.filter((_, i) => i !== 7))
  })

  it('goes on where a planner died, to the same chunks', async () => {
    platform = await scratchPlatform()
    const ids = await enrol(1203)
    const { run } = await makeRun(platform, wanted)
    for (let death = 1; death < 12; death++) {
      let writes = 0
      const put: Platform['records']['put'] = async (record, condition) => {
        if (++writes === death) throw new Error('killed')
        return platform.records.put(record, condition)
      }
      const records = { ...platform.records, put } as Platform['records']
      await planRun({ ...platform, records }, run.id).catch((error: Error) => {
        if (error.message !== 'killed') throw error
      })
    }
    await planRun(platform, run.id)
    const { chunks, ends } = await planned(run)
    expect(chunks.flat()).toEqual(ids)
    expect(ends).toBe(1)
  })

  it('of an empty audience is one empty chunk, and the run says why it was skipped', async () => {
    platform = await scratchPlatform()
    const { run } = await makeRun(platform, wanted)
    await planRun(platform, run.id)
    expect(await planned(run)).toEqual({ chunks: [[]], ends: 1 })
    const finished = (await getRun(platform, run.id))?.value
    expect(finished).toMatchObject({ state: 'skipped', reason: 'Nobody is on this schedule.' })
    expect(await countsOf(platform, finished as Run)).toMatchObject({ candidates: 0, pending: 0 })
  })

  it('of a letter counts a reader of two of its categories once (failure 6)', async () => {
    platform = await scratchPlatform()
    const ada = await confirmReader(platform, 'ada@example.org', { categories: ['go', 'rust'] })
    const post = await publishArticle(platform, { categories: ['rust', 'go'], mail: 'letter' })
    const letter = {
      id: `letter_${post}`,
      schedule: 'letter',
      kind: 'letter',
      postId: post,
    } as const
    const { run } = await makeRun(platform, { ...letter, dueAt: wanted.dueAt, to: 1 })
    await planRun(platform, run.id)
    expect((await planned(run)).chunks).toEqual([[ada]])
  })

  it('feeds the mail lane with what two minutes can send', async () => {
    platform = await scratchPlatform({ settings: { mail: { limits: { perSecond: 5 } } } })
    await enrol(2600)
    const { run } = await makeRun(platform, wanted)
    await planRun(platform, run.id)
    const jobs = await platform.jobs.receive('mail', { limit: 10, leaseSeconds: 60 })
    expect(jobs.map(({ job }) => job)).toEqual([
      { kind: 'deliver', runId: run.id, chunk: 0 },
      { kind: 'deliver', runId: run.id, chunk: 1 },
    ])
  })
})
