import { expect, it } from 'vitest'
import type { NewRecord, QueryOptions, RecordStore } from '../../functions/platform.ts'
import type { Using } from './record-store.ts'

async function all(records: RecordStore, partition: string, options: QueryOptions = {}) {
  const found = []
  let cursor: string | undefined
  do {
    const page = await records.query(partition, {
      ...options,
      ...(cursor === undefined ? {} : { cursor }),
    })
    if (options.limit) expect(page.records.length).toBeLessThanOrEqual(options.limit)
    found.push(...page.records)
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}

/** What `RecordStore.query` promises: part of the record store's contract. */
export function recordQueryContract(using: Using): void {
  it('orders a partition by the bytes of the sort keys, both ways', () =>
    using(async ({ records }) => {
      const sorts = [
        'a',
        'a#1',
        'a-',
        'aa',
        'b',
        'B',
        '10',
        '9',
        ' ',
        '~',
        'é',
        '日本',
        '報',
        '\ue000',
        '\ufb01',
        '😀',
        '𠮷',
        '\u{10ffff}',
      ]
      await records.putMany(sorts.map((sort) => ({ partition: 'p', sort, value: sort })))
      await records.put({ partition: 'p2', sort: 'other', value: 0 })
      const inBytes = sorts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      const found = async (options?: QueryOptions) =>
        (await all(records, 'p', options)).map(({ sort }) => sort)
      expect(await found()).toEqual(inBytes)
      expect(await found({ reverse: true })).toEqual(inBytes.toReversed())
      expect(await found({ limit: 4 })).toEqual(inBytes)
      expect(await found({ limit: 4, reverse: true })).toEqual(inBytes.toReversed())
    }))

  it('queries a range with both its ends, or a prefix', () =>
    using(async ({ records }) => {
      const sorts = ['a', 'b', 'ba', 'bz', 'b\u{10ffff}', 'c', 'd', '😀', '😀x', '😁']
      await records.putMany(sorts.map((sort) => ({ partition: 'p', sort, value: sort })))
      const found = async (options: QueryOptions) =>
        (await all(records, 'p', options)).map(({ sort }) => sort)
      expect(await found({ from: 'b', to: 'c' })).toEqual(['b', 'ba', 'bz', 'b\u{10ffff}', 'c'])
      expect(await found({ from: 'b', to: 'c', reverse: true, limit: 2 })).toEqual([
        'c',
        'b\u{10ffff}',
        'bz',
        'ba',
        'b',
      ])
      expect(await found({ from: 'bb' })).toEqual([
        'bz',
        'b\u{10ffff}',
        'c',
        'd',
        '😀',
        '😀x',
        '😁',
      ])
      expect(await found({ to: 'b' })).toEqual(['a', 'b'])
      expect(await found({ from: 'x', to: 'b' })).toEqual([])
      expect(await found({ prefix: 'b' })).toEqual(['b', 'ba', 'bz', 'b\u{10ffff}'])
      expect(await found({ prefix: 'b', reverse: true, limit: 1 })).toEqual([
        'b\u{10ffff}',
        'bz',
        'ba',
        'b',
      ])
      expect(await found({ prefix: '😀' })).toEqual(['😀', '😀x'])
      expect(await found({ prefix: 'zz' })).toEqual([])
    }))

  it('pages through large items', () =>
    using(async ({ records }) => {
      const value = 'x'.repeat(100_000)
      const items = Array.from({ length: 25 }, (_, i) => ({
        partition: 'p',
        sort: String(i + 10),
        value,
      }))
      await records.putMany(items)
      expect((await all(records, 'p')).map(({ sort }) => sort)).toEqual(
        items.map(({ sort }) => sort),
      )
    }))

  it('finds items by their second key, in its order', () =>
    using(async ({ records }) => {
      const item = (sort: string, at: string): NewRecord => ({
        partition: `p${sort}`,
        sort,
        value: at,
        index: { partition: 'by-date', sort: at },
      })
      await records.putMany([
        item('a', '2026-03'),
        item('b', '2026-01'),
        item('c', '2026-02'),
        item('d', '2026-02'),
      ])
      await records.put({ partition: 'x', sort: 'x', value: 'none' })
      const found = async (options: QueryOptions = {}) =>
        (await all(records, 'by-date', { ...options, index: true })).map(({ value }) => value)
      const settled = (wanted: unknown[], options?: QueryOptions) =>
        expect.poll(() => found(options), { timeout: 5000 }).toEqual(wanted)
      await settled(['2026-01', '2026-02', '2026-02', '2026-03'])
      await settled(['2026-01', '2026-02', '2026-02', '2026-03'], { limit: 1 })
      await settled(['2026-03', '2026-02', '2026-02', '2026-01'], { reverse: true, limit: 1 })
      await settled(['2026-02', '2026-02'], { from: '2026-02', to: '2026-02' })
      await settled(['2026-01', '2026-02', '2026-02', '2026-03'], { prefix: '2026' })
      const kept = await records.get({ partition: 'pa', sort: 'a' })
      expect(kept?.index).toEqual({ partition: 'by-date', sort: '2026-03' })
      await records.put({ ...item('a', '2025-12'), value: '2025-12' })
      await records.put({ partition: 'pb', sort: 'b', value: 'left the index' })
      await records.delete({ partition: 'pc', sort: 'c' })
      await settled(['2025-12', '2026-02'])
      expect((await records.query('by-date')).records).toEqual([])
    }))

  it('pages past expired items to those that are left', () =>
    using(async ({ records, advance, now }) => {
      const expiresAt = new Date(now().getTime() + 60_000)
      await records.putMany(
        Array.from({ length: 60 }, (_, i) => ({
          partition: 'p',
          sort: String(i + 10),
          value: i,
          ...(i % 20 === 19 ? {} : { expiresAt }),
        })),
      )
      await advance(61_000)
      expect((await all(records, 'p', { limit: 5 })).map(({ value }) => value)).toEqual([
        19, 39, 59,
      ])
    }))

  it('refuses a cursor that no page gave', () =>
    using(async ({ records }) => {
      await expect(records.query('p', { cursor: 'no such cursor' })).rejects.toThrow(Error)
    }))

  it(
    'pages through more than a thousand items, each once',
    () =>
      using(async ({ records }) => {
        const sorts = Array.from({ length: 1205 }, (_, i) => String(i).padStart(5, '0'))
        await records.putMany(sorts.map((sort) => ({ partition: 'p', sort, value: { sort } })))
        const first = await records.query('p')
        expect(first.records.length).toBeLessThanOrEqual(1000)
        expect(first.cursor).toBeDefined()
        for (const options of [{}, { limit: 100 }, { limit: 1000 }]) {
          expect((await all(records, 'p', options)).map(({ sort }) => sort)).toEqual(sorts)
        }
        const backwards = await all(records, 'p', { reverse: true, limit: 300 })
        expect(backwards.map(({ sort }) => sort)).toEqual(sorts.toReversed())
      }),
    60_000,
  )
}
