import { invalid } from '../errors.ts'
import type {
  Json,
  NewRecord,
  PutCondition,
  PutOutcome,
  QueryOptions,
  RecordKey,
  RecordPage,
  RecordStore,
  StoredRecord,
} from '../platform.ts'
import { assertRecord } from '../record-limits.ts'
import { afterPrefix } from './byte-order.ts'
import type { LocalDatabase } from './database.ts'

export interface SqliteRecordStoreOptions {
  database: LocalDatabase
  /** Decides what has expired. */
  now: () => Date
}

/** Adds what only one machine has. */
export interface SqliteRecordStore extends RecordStore {
  /** Removes up to `limit` expired items, which are absent already. Returns how many. */
  prune(limit?: number): Promise<number>
  /** The same records by another clock. */
  at(now: () => Date): SqliteRecordStore
}

/** An item as it lies in the table `records`. */
export interface Row {
  partition: string
  sort: string
  value: string
  version: string
  expires_at: number | null
  index_partition: string | null
  index_sort: string | null
}

/** Like DynamoDB's page of 1 MB, so that callers who forget the cursor are found out here. */
const pageBytes = 1_000_000
export const columns = 'partition, sort, value, version, expires_at, index_partition, index_sort'
const alive = '(expires_at IS NULL OR expires_at > ?)'
const select = `SELECT ${columns} FROM records WHERE partition = ? AND sort = ? AND ${alive}`
const upsert = `INSERT INTO records (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (partition, sort) DO UPDATE SET value = excluded.value, version = excluded.version,
    expires_at = excluded.expires_at, index_partition = excluded.index_partition,
    index_sort = excluded.index_sort`
/** An item whose time has passed is absent, so it may be made anew. */
const insert = `${upsert} WHERE expires_at <= ?`
const update = `UPDATE records SET value = ?, version = ?, expires_at = ?, index_partition = ?,
  index_sort = ? WHERE partition = ? AND sort = ? AND version = ? AND ${alive}`

/**
 * Records in one SQLite table. `synchronous=FULL` and group commit (see `database.ts`): a write is
 * answered when it would survive a power cut.
 */
export function sqliteRecordStore({ database, now }: SqliteRecordStoreOptions): SqliteRecordStore {
  const { db } = database
  db.exec(`
    CREATE TABLE IF NOT EXISTS records (
      id INTEGER PRIMARY KEY,
      partition TEXT NOT NULL,
      sort TEXT NOT NULL,
      value TEXT NOT NULL,
      version TEXT NOT NULL,
      expires_at INTEGER,
      index_partition TEXT,
      index_sort TEXT,
      UNIQUE (partition, sort)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS records_by_index ON records
      (index_partition, index_sort, partition, sort) WHERE index_partition IS NOT NULL;
    CREATE INDEX IF NOT EXISTS records_by_expiry ON records (expires_at)
      WHERE expires_at IS NOT NULL;
    CREATE TABLE IF NOT EXISTS openings (n INTEGER PRIMARY KEY) STRICT;
  `)
  // A version is the number of this opening and a count within it, so none is ever given twice,
  // also not for a key whose item was deleted, and no counter must be stored with each write.
  const opening = db.prepare('INSERT INTO openings DEFAULT VALUES').run().lastInsertRowid
  db.prepare('DELETE FROM openings WHERE n < ?').run(opening)
  let count = 0
  const nextVersion = () => `${opening.toString(36)}.${(count++).toString(36)}`
  return storeAt(database, nextVersion, now)
}

function storeAt(
  database: LocalDatabase,
  nextVersion: () => string,
  now: () => Date,
): SqliteRecordStore {
  const { prepare, write } = database
  const find = (key: RecordKey): Row | undefined =>
    prepare(select).get(key.partition, key.sort, now().getTime()) as Row | undefined

  /** `undefined` when the condition does not hold. One statement: no read comes before it. */
  function store(
    key: RecordKey,
    value: string,
    rest: Pick<NewRecord, 'index' | 'expiresAt'>,
    condition?: PutCondition,
  ): string | undefined {
    const version = nextVersion()
    const stored = [
      value,
      version,
      rest.expiresAt?.getTime() ?? null,
      rest.index?.partition ?? null,
      rest.index?.sort ?? null,
    ]
    if (condition && 'ifVersion' in condition) {
      const { changes } = prepare(update).run(
        ...stored,
        key.partition,
        key.sort,
        condition.ifVersion,
        now().getTime(),
      )
      return changes === 0 ? undefined : version
    }
    if (condition) {
      const { changes } = prepare(insert).run(key.partition, key.sort, ...stored, now().getTime())
      return changes === 0 ? undefined : version
    }
    prepare(upsert).run(key.partition, key.sort, ...stored)
    return version
  }

  async function get<T = Json>(key: RecordKey): Promise<StoredRecord<T> | undefined> {
    const row = find(key)
    return row && recordOf<T>(row)
  }

  async function getMany<T = Json>(
    keys: readonly RecordKey[],
  ): Promise<(StoredRecord<T> | undefined)[]> {
    return keys.map((key) => {
      const row = find(key)
      return row && recordOf<T>(row)
    })
  }

  async function put<T = Json>(
    record: NewRecord<T>,
    condition?: PutCondition,
  ): Promise<PutOutcome> {
    const value = checked(record)
    return write((): PutOutcome => {
      const version = store(record, value, record, condition)
      return version === undefined ? { status: 'conflict' } : { status: 'stored', version }
    })
  }

  async function putMany(records: readonly NewRecord[]): Promise<void> {
    const values = records.map((record) => checked(record))
    await Promise.all(
      records.map((record, i) => write(() => store(record, values[i] as string, record))),
    )
  }

  async function remove(key: RecordKey, condition?: { ifVersion: string }) {
    return write(() => {
      if (condition) {
        const { changes } = prepare(
          `DELETE FROM records WHERE partition = ? AND sort = ? AND version = ? AND ${alive}`,
        ).run(key.partition, key.sort, condition.ifVersion, now().getTime())
        return { status: changes === 0 ? 'conflict' : 'deleted' } as const
      }
      prepare('DELETE FROM records WHERE partition = ? AND sort = ?').run(key.partition, key.sort)
      return { status: 'deleted' } as const
    })
  }

  async function query<T = Json>(
    partition: string,
    options: QueryOptions = {},
  ): Promise<RecordPage<T>> {
    const { sql, values } = queryText(partition, options, now())
    const limit = Math.min(Math.max(options.limit ?? 1000, 1), 1000)
    const records: StoredRecord<T>[] = []
    let bytes = 0
    let last: Row | undefined
    for (const found of prepare(sql).iterate(...values)) {
      const row = found as unknown as Row
      if (last && (records.length >= limit || bytes >= pageBytes)) {
        return { records, cursor: cursorOf(last, options) }
      }
      records.push(recordOf<T>(row))
      bytes += row.value.length
      last = row
    }
    return { records }
  }

  async function add(
    key: RecordKey,
    amount: number,
    { expiresAt }: { expiresAt?: Date } = {},
  ): Promise<number> {
    checked({ ...key, value: { count: amount } })
    return write(() => {
      const row = find(key)
      const current = row ? (JSON.parse(row.value) as { count?: unknown }) : {}
      const sum = (typeof current.count === 'number' ? current.count : 0) + amount
      const rest: Pick<NewRecord, 'index' | 'expiresAt'> = row ? restOf(row) : {}
      if (expiresAt) rest.expiresAt = expiresAt
      store(key, checked({ ...key, value: { ...current, count: sum } }), rest)
      return sum
    })
  }

  async function prune(limit = 500): Promise<number> {
    const expired = now().getTime()
    const isAny = prepare('SELECT 1 FROM records WHERE expires_at <= ? LIMIT 1').get(expired)
    if (!isAny) return 0
    return write(
      () =>
        Number(
          prepare(
            `DELETE FROM records WHERE id IN
               (SELECT id FROM records WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
          ).run(expired, limit).changes,
        ),
      { isHint: true },
    )
  }

  return {
    get,
    getMany,
    put,
    putMany,
    delete: remove,
    query,
    add,
    prune,
    at: (clock) => storeAt(database, nextVersion, clock),
  }
}

function queryText(partition: string, options: QueryOptions, now: Date) {
  const column = options.index ? 'index_sort' : 'sort'
  const conditions = [options.index ? 'index_partition = ?' : 'partition = ?']
  const values: (string | number)[] = [partition]
  const and = (condition: string, ...more: (string | number)[]) => {
    conditions.push(condition)
    values.push(...more)
  }
  if (options.prefix !== undefined && options.prefix !== '') {
    and(`${column} >= ?`, options.prefix)
    const end = afterPrefix(options.prefix)
    if (end !== undefined) and(`${column} < ?`, end)
  }
  if (options.from !== undefined) and(`${column} >= ?`, options.from)
  if (options.to !== undefined) and(`${column} <= ?`, options.to)
  if (options.cursor !== undefined) {
    const place = placeOf(options.cursor, options.index ? 3 : 1)
    const over = options.reverse ? '<' : '>'
    if (options.index) and(`(index_sort, partition, sort) ${over} (?, ?, ?)`, ...place)
    else and(`sort ${over} ?`, ...place)
  }
  and('(expires_at IS NULL OR expires_at > ?)', now.getTime())
  const direction = options.reverse ? 'DESC' : 'ASC'
  const order = options.index
    ? `index_sort ${direction}, partition ${direction}, sort ${direction}`
    : `sort ${direction}`
  const sql = `SELECT ${columns} FROM records WHERE ${conditions.join(' AND ')} ORDER BY ${order}`
  return { sql, values }
}

function cursorOf(row: Row, { index }: QueryOptions): string {
  const place = index ? [row.index_sort, row.partition, row.sort] : [row.sort]
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

// A cursor comes back from outside, through the API.
function placeOf(cursor: string, length: number): string[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (
      Array.isArray(place) &&
      place.length === length &&
      place.every((part): part is string => typeof part === 'string')
    ) {
      return place
    }
  } catch {
    // Refused below, like any other text that no page gave.
  }
  throw invalid(
    'cursor',
    'This `cursor` was not given by a page of this list. Start again without it.',
  )
}

export function recordOf<T>(row: Row): StoredRecord<T> {
  return {
    partition: row.partition,
    sort: row.sort,
    value: JSON.parse(row.value) as T,
    version: row.version,
    ...restOf(row),
  }
}

function restOf(row: Row): Pick<NewRecord, 'index' | 'expiresAt'> {
  return {
    ...(row.index_partition === null || row.index_sort === null
      ? {}
      : { index: { partition: row.index_partition, sort: row.index_sort } }),
    ...(row.expires_at === null ? {} : { expiresAt: new Date(row.expires_at) }),
  }
}

/** The value as it is stored; throws for what no platform would take. */
function checked(record: NewRecord<unknown>): string {
  const value = JSON.stringify(record.value)
  if (value === undefined) throw new Error('a record needs a value that JSON can hold')
  assertRecord(record, value)
  if (record.index) assertRecord(record.index, '')
  if (record.expiresAt && Number.isNaN(record.expiresAt.getTime())) {
    throw new Error("a record's expiry must be a date")
  }
  return value
}
