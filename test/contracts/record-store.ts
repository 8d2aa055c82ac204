import { describe, expect, it } from 'vitest'
import type { RecordStore } from '../../functions/platform.ts'
import { recordQueryContract } from './record-queries.ts'

export interface OpenRecordStore {
  records: RecordStore
  /** Moves the clock that decides what has expired. */
  advance(ms: number): Promise<void>
  /** The present of that clock. */
  now(): Date
  /** The same data through a second adapter. */
  again(): Promise<RecordStore>
  close(): Promise<void>
}

const key = { partition: 'p', sort: 's' }

/** Opens a store for a test and closes it whatever happens. */
export type Using = (test: (store: OpenRecordStore) => Promise<void>) => Promise<void>

/** What `RecordStore` promises. */
export function recordStoreContract(name: string, open: () => Promise<OpenRecordStore>): void {
  const using: Using = async (test) => {
    const store = await open()
    try {
      await test(store)
    } finally {
      await store.close()
    }
  }

  describe(`${name} as a record store`, () => {
    it('gives back any JSON value, exactly', () =>
      using(async ({ records, again }) => {
        const value = {
          text: 'naïve 日本語 😀 \u0000 \u2028 "quoted" \\',
          lone: '\ud800',
          empty: '',
          numbers: [0, -1, 1.5, 1e-7, 9007199254740991, 1.7976931348623157e308],
          nested: { a: [{ b: null }, [], {}], yes: true, no: false },
          '': 'an empty name',
          constructor: 'no trap',
        }
        const put = await records.put({ ...key, value })
        for (const store of [records, await again()]) {
          expect(await store.get(key)).toEqual({
            ...key,
            value,
            version: put.status === 'stored' ? put.version : '',
          })
        }
        for (const bare of [null, 0, '', false, [], 'text', 12.5]) {
          await records.put({ ...key, value: bare })
          expect((await records.get(key))?.value).toEqual(bare)
        }
        await records.put({ ...key, value: { a: undefined, b: 1 } })
        expect((await records.get(key))?.value).toEqual({ b: 1 })
      }))

    it('gives many in the order asked, with gaps where there is none', () =>
      using(async ({ records }) => {
        const keys = Array.from({ length: 250 }, (_, i) => ({
          partition: `p${i % 3}`,
          sort: `${i}`,
        }))
        await records.putMany(keys.filter((_, i) => i % 2).map((k) => ({ ...k, value: k.sort })))
        const found = await records.getMany<string>([...keys.toReversed(), keys[1] as typeof key])
        expect(found.map((record) => record?.value)).toEqual([
          ...keys.map(({ sort }, i) => (i % 2 ? sort : undefined)).toReversed(),
          '1',
        ])
        expect(await records.getMany([])).toEqual([])
      }))

    it('puts and deletes under a condition only when it holds', () =>
      using(async ({ records }) => {
        expect(await records.put({ ...key, value: 0 }, { ifVersion: 'none' })).toEqual({
          status: 'conflict',
        })
        const first = await records.put({ ...key, value: 1 }, { ifAbsent: true })
        expect(await records.put({ ...key, value: 2 }, { ifAbsent: true })).toEqual({
          status: 'conflict',
        })
        const version = first.status === 'stored' ? first.version : ''
        expect((await records.get(key))?.version).toBe(version)
        const second = await records.put({ ...key, value: 3 }, { ifVersion: version })
        expect(second.status).toBe('stored')
        expect(await records.put({ ...key, value: 4 }, { ifVersion: version })).toEqual({
          status: 'conflict',
        })
        expect(await records.delete(key, { ifVersion: version })).toEqual({ status: 'conflict' })
        expect((await records.get(key))?.value).toBe(3)
        const last = second.status === 'stored' ? second.version : ''
        expect(await records.delete(key, { ifVersion: last })).toEqual({ status: 'deleted' })
        expect(await records.get(key)).toBeUndefined()
        expect(await records.delete(key)).toEqual({ status: 'deleted' })
        expect(await records.delete(key, { ifVersion: last })).toEqual({ status: 'conflict' })
        expect(await records.put({ ...key, value: 5 }, { ifVersion: last })).toEqual({
          status: 'conflict',
        })
      }))

    it('never gives a key the same version twice, not after a delete either', () =>
      using(async ({ records, again }) => {
        const versions: string[] = []
        for (const store of [records, await again(), records, await again()]) {
          for (let i = 0; i < 3; i++) {
            const put = await store.put({ ...key, value: 'same' })
            if (put.status === 'stored') versions.push(put.version)
            await store.delete(key)
          }
        }
        expect(new Set(versions).size).toBe(12)
      }))

    it('lets one of 32 racers make, replace or delete an item', () =>
      using(async ({ records }) => {
        const race = <T extends { status: string }>(go: (i: number) => Promise<T>) =>
          Promise.all(Array.from({ length: 32 }, (_, i) => go(i)))
        const won = (outcomes: { status: string }[]) =>
          outcomes.flatMap(({ status }, i) => (status === 'conflict' ? [] : [i]))
        const makers = won(await race((i) => records.put({ ...key, value: i }, { ifAbsent: true })))
        expect(makers).toHaveLength(1)
        const made = await records.get(key)
        expect(made?.value).toBe(makers[0])
        const ifVersion = made?.version ?? ''
        const replacers = won(await race((i) => records.put({ ...key, value: i }, { ifVersion })))
        expect(replacers).toHaveLength(1)
        const replaced = await records.get(key)
        expect(replaced?.value).toBe(replacers[0])
        const version = replaced?.version ?? ''
        expect(won(await race(() => records.delete(key, { ifVersion: version })))).toHaveLength(1)
      }))

    it('shows a writer its own write at once', () =>
      using(async ({ records }) => {
        for (let i = 0; i < 20; i++) {
          await records.put({ ...key, value: i })
          expect((await records.get(key))?.value).toBe(i)
          expect((await records.query('p')).records[0]?.value).toBe(i)
        }
      }))

    it('takes an item whose time has passed for absent, in every operation', () =>
      using(async ({ records, advance, now }) => {
        const expiresAt = new Date(now().getTime() + 60_000)
        const item = {
          ...key,
          value: { count: 7 },
          index: { partition: 'i', sort: 'x' },
          expiresAt,
        }
        const put = await records.put(item)
        const version = put.status === 'stored' ? put.version : ''
        const before = await records.get(key)
        expect(Math.abs((before?.expiresAt?.getTime() ?? 0) - expiresAt.getTime())).toBeLessThan(
          1000,
        )
        await advance(61_000)
        expect(await records.get(key)).toBeUndefined()
        expect(await records.getMany([key])).toEqual([undefined])
        expect((await records.query('p')).records).toEqual([])
        expect((await records.query('i', { index: true })).records).toEqual([])
        expect(await records.put({ ...key, value: 1 }, { ifVersion: version })).toEqual({
          status: 'conflict',
        })
        expect(await records.delete(key, { ifVersion: version })).toEqual({ status: 'conflict' })
        expect(await records.delete(key)).toEqual({ status: 'deleted' })
        await records.put({ ...item, expiresAt: new Date(now().getTime() + 60_000) })
        await advance(61_000)
        expect(await records.add(key, 2)).toBe(2)
        expect((await records.get(key))?.value).toEqual({ count: 2 })
        await records.put({ ...item, expiresAt: new Date(now().getTime() + 60_000) })
        await advance(61_000)
        expect((await records.put({ ...key, value: 2 }, { ifAbsent: true })).status).toBe('stored')
        await advance(86_400_000)
        const revived = await records.get(key)
        expect(revived?.value).toBe(2)
        expect(revived).not.toHaveProperty('expiresAt')
      }))

    it('counts with `add`, one step at a time, and leaves the rest of the item alone', () =>
      using(async ({ records, now }) => {
        const sums = await Promise.all(Array.from({ length: 50 }, () => records.add(key, 2)))
        expect(sums.toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: 50 }, (_, i) => 2 * i + 2),
        )
        expect((await records.get(key))?.value).toEqual({ count: 100 })
        const before = (await records.get(key))?.version
        await records.put({ ...key, value: { count: 5, note: 'kept' } })
        expect(await records.add(key, -7)).toBe(-2)
        const after = await records.get(key)
        expect(after?.value).toEqual({ count: -2, note: 'kept' })
        expect(after?.version).not.toBe(before)
        await records.add(key, 1, { expiresAt: new Date(now().getTime() + 60_000) })
        expect((await records.get(key))?.expiresAt).toBeInstanceOf(Date)
        expect(await records.add(key, 0)).toBe(-1)
      }))

    it('makes a version stale by `add`, too', () =>
      using(async ({ records }) => {
        const put = await records.put({ ...key, value: { count: 1 } })
        await records.add(key, 1)
        const ifVersion = put.status === 'stored' ? put.version : ''
        expect(await records.put({ ...key, value: { count: 9 } }, { ifVersion })).toEqual({
          status: 'conflict',
        })
      }))

    it('takes an item of 350,000 bytes, keys included, and refuses one more', () =>
      using(async ({ records }) => {
        const room = 350_000 - 'p'.length - 's'.length - '""'.length
        await records.put({ ...key, value: 'x'.repeat(room) })
        expect((await records.get<string>(key))?.value.length).toBe(room)
        await expect(records.put({ ...key, value: 'y'.repeat(room + 1) })).rejects.toThrow(Error)
        await expect(records.put({ ...key, value: '報'.repeat(120_000) })).rejects.toThrow(Error)
        await expect(records.putMany([{ ...key, value: 'z'.repeat(room + 1) }])).rejects.toThrow(
          Error,
        )
        expect((await records.get<string>(key))?.value[0]).toBe('x')
        await records.put({ partition: 'ü'.repeat(500), sort: '報'.repeat(333), value: 1 })
        await expect(
          records.put({ partition: 'p', sort: '報'.repeat(334), value: 1 }),
        ).rejects.toThrow(Error)
        await expect(
          records.put({ partition: 'p'.repeat(1001), sort: 's', value: 1 }),
        ).rejects.toThrow(Error)
        await expect(records.put({ partition: '', sort: 's', value: 1 })).rejects.toThrow(Error)
        await expect(records.put({ partition: 'p', sort: '', value: 1 })).rejects.toThrow(Error)
      }))

    it('refuses a key with half a surrogate pair, which would be another key in UTF-8', () =>
      using(async ({ records }) => {
        for (const half of ['a\ud800', '\udc00b']) {
          await expect(records.put({ partition: half, sort: 's', value: 1 })).rejects.toThrow(Error)
          await expect(records.put({ partition: 'p', sort: half, value: 1 })).rejects.toThrow(Error)
        }
      }))

    recordQueryContract(using)
  })
}
