import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RecordKey } from '../../functions/platform.ts'
import {
  categoryRow,
  instantRow,
  scheduleRow,
} from '../../functions/subscribers/membership-rows.ts'
import {
  categoryReaders,
  instantReaders,
  scheduleReaders,
} from '../../functions/subscribers/reader-streams.ts'
import { modelRecordStore } from '../support/stepped-record-store.ts'
import { readersPlatform } from './readers-platform.ts'

const idOf = (n: number) =>
  (BigInt(n) * 0x9e3779b97f4a7c15f39cc0605cedc835n).toString(16).slice(-32).padStart(32, '0')
const rowsFor = (rows: readonly RecordKey[]) => rows.map((row) => ({ ...row, value: {} }))

describe('readers by their rows', () => {
  it('come in the order of their ids, each once, across pages and shards', async () => {
    const { platform } = await readersPlatform()
    const ids = Array.from({ length: 20_000 }, (_, i) => idOf(i))
    await platform.records.putMany(rowsFor(ids.map((id) => categoryRow('tech', id))))
    await platform.records.putMany(
      rowsFor(ids.filter((_, i) => i % 3 === 0).map((id) => categoryRow('*', id))),
    )
    const all = await Array.fromAsync(categoryReaders(platform, ['tech', '*', 'none']))
    expect(all).toEqual([...ids].sort())
    const middle = all[12_345] ?? ''
    expect(await Array.fromAsync(categoryReaders(platform, ['*', 'tech'], middle))).toEqual(
      all.slice(12_346),
    )
  }, 60_000)

  it('are those of any of the partitions, from any place on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom('a', 'b', '*')), {
          maxLength: 60,
        }),
        fc.subarray(['a', 'b', '*', 'c']),
        fc.integer({ min: -1, max: 60 }),
        async (members, slugs, from) => {
          const records = modelRecordStore()
          await records.putMany(rowsFor(members.map(([n, slug]) => instantRow(slug, idOf(n)))))
          await records.putMany(
            rowsFor(members.map(([n, slug]) => categoryRow(`x${slug}`, idOf(n)))),
          )
          const after = from < 0 ? undefined : idOf(from)
          const expected = new Set(
            members.filter(([, slug]) => slugs.includes(slug)).map(([n]) => idOf(n)),
          )
          const found = await Array.fromAsync(instantReaders({ records }, slugs, after))
          expect(found).toEqual([...expected].filter((id) => id > (after ?? '')).sort())
        },
      ),
      { numRuns: 200 },
    )
  })

  it('stop when nobody wants more, and know schedules apart', async () => {
    const records = modelRecordStore()
    await records.putMany(rowsFor([1, 2, 3].map((n) => scheduleRow('daily-0800-UTC', idOf(n)))))
    await records.putMany(rowsFor([4].map((n) => scheduleRow('daily-0800-UTCx', idOf(n)))))
    const seen: string[] = []
    for await (const id of scheduleReaders({ records }, 'daily-0800-UTC')) {
      seen.push(id)
      if (seen.length === 2) break
    }
    expect(seen).toEqual([1, 2, 3].map(idOf).sort().slice(0, 2))
    expect(await Array.fromAsync(scheduleReaders({ records }, 'daily-0800-UTC'))).toHaveLength(3)
  })
})
