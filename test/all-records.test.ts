import { afterEach, beforeEach, expect, it } from 'vitest'
import { allRecords } from '../functions/all-records.ts'
import type { Platform } from '../functions/platform.ts'
import { type ScratchPlatform, scratchPlatform } from './support/scratch-platform.ts'

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
  const sorts = ['a', 'b', 'c', 'd', 'e']
  await platform.records.putMany(sorts.map((sort) => ({ partition: 'p', sort, value: sort })))
})
afterEach(() => platform.close())

/** The records, and how many pages of them were read. */
function counted(): Pick<Platform, 'records'> & { pages: number } {
  const counting = {
    pages: 0,
    records: {
      ...platform.records,
      query: ((...of) => {
        counting.pages++
        return platform.records.query(...of)
      }) as Platform['records']['query'],
    },
  }
  return counting
}

it.each([
  [{ limit: 2 }, 'abcde', 3],
  [{}, 'abcde', 1],
  [{ limit: 2, from: 'b', to: 'd' }, 'bcd', 2],
  [{ limit: 2, reverse: true }, 'edcba', 3],
])('every page of %o is gone through, in its order', async (options, found, pages) => {
  const store = counted()
  const rows = await Array.fromAsync(allRecords(store, 'p', options), ({ value }) => value)
  expect([rows.join(''), store.pages]).toEqual([found, pages])
})

it('whoever has enough reads no further page', async () => {
  const store = counted()
  const seen: string[] = []
  for await (const { sort } of allRecords(store, 'p', { limit: 2 })) {
    seen.push(sort)
    if (seen.length === 2) break
  }
  expect([seen, store.pages]).toEqual([['a', 'b'], 1])
})
