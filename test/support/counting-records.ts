import type { RecordStore } from '../../functions/platform.ts'

/** What was asked of a record store, by kind. */
export interface RecordCounts {
  /** Single reads and keys of `getMany`. */
  gets: number
  /** Items that queries gave back. */
  found: number
  queries: number
  /** Puts, deletes and adds. */
  writes: number
  /** The most items of one page. */
  largestPage: number
}

/** The same store, counting. */
export function countingRecords(store: RecordStore): {
  records: RecordStore
  counts: RecordCounts
} {
  const counts: RecordCounts = { gets: 0, found: 0, queries: 0, writes: 0, largestPage: 0 }
  const records: RecordStore = {
    get: (key) => {
      counts.gets++
      return store.get(key)
    },
    getMany: (keys) => {
      counts.gets += keys.length
      return store.getMany(keys)
    },
    put: (record, condition) => {
      counts.writes++
      return store.put(record, condition)
    },
    putMany: (all) => {
      counts.writes += all.length
      return store.putMany(all)
    },
    delete: (key, condition) => {
      counts.writes++
      return store.delete(key, condition)
    },
    query: async (partition, options) => {
      const page = await store.query<never>(partition, options)
      counts.queries++
      counts.found += page.records.length
      counts.largestPage = Math.max(counts.largestPage, page.records.length)
      return page
    },
    add: (key, amount, options) => {
      counts.writes++
      return store.add(key, amount, options)
    },
  }
  return { records, counts }
}
