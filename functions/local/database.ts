import { DatabaseSync, type StatementSync } from 'node:sqlite'

/**
 * One SQLite file, shared by the record store and the job queue.
 *
 * **Group commit**: what asks to write while a commit is due is put into one transaction, each
 * operation still a step of its own with its own outcome, and answered after the commit. A commit
 * costs one wait for the disk, so a hundred concurrent writers wait about as long as one.
 *
 * Operations run without a pause between `BEGIN` and `COMMIT`, so a read through `db` never sees
 * what is not committed.
 */
export interface LocalDatabase {
  readonly db: DatabaseSync
  /** Prepares once and remembers. */
  prepare(sql: string): StatementSync
  /**
   * Runs `operation` in the next group and resolves with its result once that is durable. An
   * operation makes at most one change: what it throws undoes nothing but that change.
   *
   * `isHint` marks what may be lost in a power cut (never in a crash of this process): a group of
   * hints alone does not wait for the disk.
   */
  write<T>(operation: () => T, options?: { isHint?: boolean }): Promise<T>
  /** Runs what waits, then closes the file. */
  close(): void
}

interface Waiting {
  operation: () => unknown
  isHint: boolean
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

/** So many operations in one transaction: longer ones would keep everything else waiting. */
const largestGroup = 1000
const lockedForMs = 30_000
const sqliteBusy = 5

/** Opens or makes the file; `:memory:` for tests. */
export function openDatabase(file: string): LocalDatabase {
  const db = new DatabaseSync(file)
  // A second process (a backup, a shell) holds the lock for moments; longer waits are made below,
  // where they do not stop the server.
  db.exec('PRAGMA busy_timeout = 250')
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = FULL')
  db.exec('PRAGMA cache_size = -16000')
  // 32 MB: pages that are written again and again are brought home once instead of eight times.
  db.exec('PRAGMA wal_autocheckpoint = 8000')
  // What is erased is overwritten: freed pages would keep a reader's address.
  db.exec('PRAGMA secure_delete = ON')

  const statements = new Map<string, StatementSync>()
  let waiting: Waiting[] = []
  let isDue = false
  let isClosed = false
  let lockedSince: number | undefined
  let isFull = true

  function prepare(sql: string): StatementSync {
    let statement = statements.get(sql)
    if (!statement) {
      statement = db.prepare(sql)
      statements.set(sql, statement)
    }
    return statement
  }

  function write<T>(operation: () => T, options: { isHint?: boolean } = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (isClosed) return reject(new Error('the database is closed'))
      waiting.push({ operation, isHint: options.isHint ?? false, resolve, reject })
      if (!isDue) {
        isDue = true
        setImmediate(commit)
      }
    })
  }

  function commit(): void {
    isDue = false
    if (waiting.length === 0) return
    const group = waiting.slice(0, largestGroup)
    waiting = waiting.slice(largestGroup)
    const outcomes: ({ value: unknown } | { error: unknown })[] = []
    try {
      const mustWait = group.some((one) => !one.isHint)
      if (mustWait !== isFull) {
        db.exec(`PRAGMA synchronous = ${mustWait ? 'FULL' : 'NORMAL'}`)
        isFull = mustWait
      }
      db.exec('BEGIN IMMEDIATE')
      for (const { operation } of group) {
        try {
          outcomes.push({ value: operation() })
        } catch (error) {
          // A full disk or a failed read ends the whole transaction; anything else only this statement.
          if (!db.isTransaction) throw error
          outcomes.push({ error })
        }
      }
      db.exec('COMMIT')
      lockedSince = undefined
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      if (isBusy(error) && !isClosed) {
        lockedSince ??= performance.now()
        if (performance.now() - lockedSince < lockedForMs) {
          waiting = [...group, ...waiting]
          isDue = true
          setTimeout(commit, 50)
          return
        }
      }
      lockedSince = undefined
      for (const { reject } of group) reject(error)
      group.length = 0
    }
    for (const [i, { resolve, reject }] of group.entries()) {
      const outcome = outcomes[i]
      if (outcome && 'value' in outcome) resolve(outcome.value as never)
      else reject(outcome?.error)
    }
    if (waiting.length > 0 && !isDue) {
      isDue = true
      setImmediate(commit)
    }
  }

  function close(): void {
    if (isClosed) return
    while (waiting.length > 0) {
      isClosed = true
      commit()
    }
    isClosed = true
    statements.clear()
    db.close()
  }

  return { db, prepare, write, close }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && (error as { errcode?: number }).errcode === sqliteBusy
}
