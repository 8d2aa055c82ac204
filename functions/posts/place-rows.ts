import { recordKeys } from '../keys.ts'
import type { NewRecord, Platform, RecordKey } from '../platform.ts'
import { datedFeedOf } from './stored-post.ts'

/** A row at the version at which it was put or read. */
export interface Row extends RecordKey {
  version: string
}

/**
 * Puts rows, each as a new version even when it stands already (a racing change may be about to
 * delete it), and counts those that are new to an index by date. Repeatable.
 */
export async function putRows(
  { records }: Pick<Platform, 'records'>,
  rows: readonly NewRecord<unknown>[],
): Promise<Row[]> {
  const added: RecordKey[] = []
  const placed = await Promise.all(
    rows.map(async (row) => {
      for (;;) {
        const made = await records.put(row, { ifAbsent: true })
        if (made.status === 'stored') {
          added.push(row)
          return { partition: row.partition, sort: row.sort, version: made.version }
        }
        const standing = await records.get(row)
        if (!standing) continue
        const renewed = await records.put(row, { ifVersion: standing.version })
        if (renewed.status === 'stored') {
          return { partition: row.partition, sort: row.sort, version: renewed.version }
        }
      }
    }),
  )
  await addToCounts({ records }, added, 1)
  return placed
}

/** Deletes rows at their versions; one that was written again meanwhile stays. */
export async function deleteRows(
  { records }: Pick<Platform, 'records'>,
  rows: readonly Row[],
): Promise<void> {
  const gone: RecordKey[] = []
  await Promise.all(
    rows.map(async (row) => {
      const key = { partition: row.partition, sort: row.sort }
      const outcome = await records.delete(key, { ifVersion: row.version })
      if (outcome.status === 'deleted') gone.push(key)
    }),
  )
  await addToCounts({ records }, gone, -1)
}

/** One addition a feed, after its rows: a crash in between leaves the count behind, never the rows. */
async function addToCounts(
  { records }: Pick<Platform, 'records'>,
  rows: readonly RecordKey[],
  sign: 1 | -1,
): Promise<void> {
  const changes = new Map<string, number>()
  for (const row of rows) {
    const feed = datedFeedOf(row)
    if (feed !== undefined) changes.set(feed, (changes.get(feed) ?? 0) + sign)
  }
  await Promise.all(
    [...changes].map(([feed, change]) => records.add(recordKeys.categoryCount(feed), change)),
  )
}
