import type { DatabaseSync } from 'node:sqlite'
import type { RecordKey, StoredRecord } from '../platform.ts'
import { columns, type Row, recordOf } from './sqlite-record-store.ts'

/** A page ends with whichever comes first. */
const pageRecords = 1000
const pageCharacters = 1_000_000

/**
 * Every record of a data folder's database, page by page, in the order of their keys; those behind
 * `after` only. Expired ones are left out.
 *
 * Not of the port: what the product does never depends on reading everything.
 */
export function* everyRecord(
  db: DatabaseSync,
  now: Date,
  after: RecordKey = { partition: '', sort: '' },
): Generator<StoredRecord[], void, undefined> {
  const behind = db.prepare(
    `SELECT ${columns} FROM records
     WHERE (partition, sort) > (?, ?) AND (expires_at IS NULL OR expires_at > ?)
     ORDER BY partition, sort LIMIT ${pageRecords}`,
  )
  for (let last = after; ; ) {
    const records: StoredRecord[] = []
    let characters = 0
    for (const found of behind.iterate(last.partition, last.sort, now.getTime())) {
      const row = found as unknown as Row
      records.push(recordOf(row))
      characters += row.value.length
      if (characters >= pageCharacters) break
    }
    const end = records.at(-1)
    if (!end) return
    yield records
    last = { partition: end.partition, sort: end.sort }
  }
}
