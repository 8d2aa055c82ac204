import { randomBytes } from 'node:crypto'
import { type Job, laneOf } from '../jobs.ts'
import type { DeadLetter, JobQueue, Lane, ReceivedJob } from '../platform.ts'
import type { LocalDatabase } from './database.ts'

export interface SqliteJobQueueOptions {
  database: LocalDatabase
  /** Decides about delays and leases. */
  now: () => Date
}

/** Adds what a worker in the same process needs. */
export interface SqliteJobQueue extends JobQueue {
  /** Calls back after jobs of a lane were stored or given back. Returns how to stop that. */
  onWaiting(listener: (lane: Lane) => void): () => void
  /** When the next job of a lane can be received: now or later; `undefined` when none waits. */
  nextDue(lane: Lane): Date | undefined
  /** Takes those of these jobs that wait, whatever their lane. */
  take(ids: readonly string[], options: { leaseSeconds: number }): Promise<ReceivedJob[]>
  /** Resolves when each of these jobs is done, dead, or has failed once in this process. */
  settled(ids: readonly string[]): Promise<void>
  /** Which of these jobs wait or are leased. */
  unfinished(ids: readonly string[]): string[]
  /**
   * The same queue by another clock. A job that one clock has leased in this process is not received
   * by the other, however far apart they are.
   */
  at(now: () => Date): SqliteJobQueue
  /** Lets go whoever waits for jobs to settle. */
  close(): void
}

interface Row {
  id: number
  lane: Lane
  job: string
  receives: number
  receipt: string | null
  died_at: number | null
  reason: string | null
}

/** How often a job is received before it counts as poison. */
export const maxReceives = 5
const mostReceived = 10
const mostDelaySeconds = 900

/**
 * Jobs in one SQLite table. `visible_at` is when a job can be received: its delay at first, the end
 * of its lease afterwards. A job that waits unreceived and undelayed keeps its text in `merge`,
 * where a second equal one meets it.
 */
export function sqliteJobQueue({ database, now }: SqliteJobQueueOptions): SqliteJobQueue {
  const { db } = database
  db.exec(`
    CREATE TABLE IF NOT EXISTS jobs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      lane TEXT NOT NULL,
      job TEXT NOT NULL,
      merge TEXT UNIQUE,
      visible_at INTEGER NOT NULL,
      receives INTEGER NOT NULL DEFAULT 0,
      receipt TEXT UNIQUE,
      died_at INTEGER,
      reason TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS jobs_waiting ON jobs (lane, visible_at, id) WHERE died_at IS NULL;
  `)
  return queueAt(database, { listeners: new Set(), waiters: new Map(), leases: new Map() }, now)
}

/** What all clocks of one queue have in common. */
interface SharedState {
  listeners: Set<(lane: Lane) => void>
  waiters: Map<string, Set<() => void>>
  /** Whose clock a lease of this process runs by. */
  leases: Map<number, () => Date>
}

function queueAt(database: LocalDatabase, state: SharedState, now: () => Date): SqliteJobQueue {
  const { prepare, write } = database
  const { listeners, waiters, leases } = state

  function announce(lanes: Iterable<Lane>) {
    for (const lane of new Set(lanes)) for (const listener of listeners) listener(lane)
  }

  function ended(id: number | string) {
    const waiting = waiters.get(String(id))
    waiters.delete(String(id))
    for (const resolve of waiting ?? []) resolve()
  }

  async function enqueue(
    jobs: readonly Job[],
    { delaySeconds = 0 }: { delaySeconds?: number } = {},
  ): Promise<string[]> {
    if (!(delaySeconds >= 0 && delaySeconds <= mostDelaySeconds)) {
      throw new Error(`a job can be delayed by 0 to ${mostDelaySeconds} seconds`)
    }
    const ids = await Promise.all(
      jobs.map((job) => {
        const text = JSON.stringify(job)
        return write(() => {
          const merge = delaySeconds === 0 ? text : null
          const at = now().getTime() + delaySeconds * 1000
          const equal = merge && prepare('SELECT id FROM jobs WHERE merge = ?').get(merge)
          if (equal) {
            // It may come from a clock that is ahead of this one.
            prepare('UPDATE jobs SET visible_at = ? WHERE id = ? AND visible_at > ?').run(
              at,
              equal.id as number,
              at,
            )
            return String(equal.id)
          }
          const { lastInsertRowid } = prepare(
            'INSERT INTO jobs (lane, job, merge, visible_at) VALUES (?, ?, ?, ?)',
          ).run(laneOf(job), text, merge, at)
          return String(lastInsertRowid)
        })
      }),
    )
    announce(jobs.map(laneOf))
    return ids
  }

  async function receive(
    lane: Lane,
    { limit, leaseSeconds }: { limit: number; leaseSeconds: number },
  ): Promise<ReceivedJob[]> {
    const waiting = `SELECT * FROM jobs
      WHERE lane = ? AND died_at IS NULL AND visible_at <= ? ORDER BY visible_at, id LIMIT ?`
    // Most calls find nothing and then write nothing.
    if (!prepare(waiting).get(lane, now().getTime(), 1)) return []
    return write(
      () => {
        const received: ReceivedJob[] = []
        const most = Math.min(Math.max(limit, 1), mostReceived)
        const rows = prepare(waiting).all(lane, now().getTime(), most + leases.size)
        for (const found of rows) {
          if (received.length === most) break
          const row = found as unknown as Row
          if (isElsewhere(row.id)) continue
          const job = lease(row, leaseSeconds)
          if (job) received.push(job)
        }
        return received
      },
      { isHint: true },
    )
  }

  async function take(
    ids: readonly string[],
    { leaseSeconds }: { leaseSeconds: number },
  ): Promise<ReceivedJob[]> {
    return write(
      () =>
        ids.flatMap((id) => {
          const row = prepare(
            'SELECT * FROM jobs WHERE id = ? AND died_at IS NULL AND visible_at <= ?',
          ).get(Number(id), now().getTime())
          if (!row || isElsewhere(row.id as number)) return []
          return lease(row as unknown as Row, leaseSeconds) ?? []
        }),
      { isHint: true },
    )
  }

  function isElsewhere(id: number): boolean {
    const clock = leases.get(id)
    return clock !== undefined && clock !== now
  }

  function lease(row: Row, leaseSeconds: number): ReceivedJob | undefined {
    const at = now().getTime()
    if (row.receives >= maxReceives) {
      bury(row.id, row.reason ?? 'its lease ran out each time it was received')
      return undefined
    }
    const receipt = `${row.id}-${randomBytes(12).toString('base64url')}`
    prepare(
      'UPDATE jobs SET merge = NULL, receipt = ?, receives = receives + 1, visible_at = ? WHERE id = ?',
    ).run(receipt, at + leaseSeconds * 1000, row.id)
    leases.set(row.id, now)
    return {
      id: String(row.id),
      receipt,
      job: JSON.parse(row.job) as Job,
      receives: row.receives + 1,
    }
  }

  function bury(id: number, reason: string) {
    prepare(
      'UPDATE jobs SET merge = NULL, receipt = NULL, died_at = ?, reason = ? WHERE id = ?',
    ).run(now().getTime(), reason, id)
    leases.delete(id)
    ended(id)
  }

  // Only while its lease runs: after that another worker may hold the job.
  const held = (receipt: string) =>
    prepare('SELECT * FROM jobs WHERE receipt = ? AND visible_at > ?').get(
      receipt,
      now().getTime(),
    ) as Row | undefined

  async function complete(receipt: string): Promise<void> {
    const row = await write(
      () => {
        const row = held(receipt)
        if (row) prepare('DELETE FROM jobs WHERE id = ?').run(row.id)
        if (row) leases.delete(row.id)
        return row
      },
      { isHint: true },
    )
    if (row) ended(row.id)
  }

  async function release(
    receipt: string,
    { delaySeconds = 0, reason }: { delaySeconds?: number; reason?: string } = {},
  ): Promise<void> {
    const row = await write(
      () => {
        const row = held(receipt)
        if (!row) return undefined
        leases.delete(row.id)
        if (row.receives >= maxReceives) bury(row.id, reason ?? 'it was given back each time')
        else {
          prepare(
            'UPDATE jobs SET receipt = NULL, visible_at = ?, reason = coalesce(?, reason) WHERE id = ?',
          ).run(now().getTime() + delaySeconds * 1000, reason?.slice(0, 500) ?? null, row.id)
        }
        return row
      },
      { isHint: true },
    )
    if (!row) return
    ended(row.id)
    announce([row.lane])
  }

  async function deadLetters({ limit = 100 }: { limit?: number } = {}): Promise<DeadLetter[]> {
    const rows = prepare(
      'SELECT * FROM jobs WHERE died_at IS NOT NULL ORDER BY died_at, id LIMIT ?',
    ).all(limit) as unknown as Row[]
    return rows.map((row) => ({
      id: String(row.id),
      lane: row.lane,
      job: JSON.parse(row.job) as Job,
      diedAt: new Date(row.died_at ?? 0),
      ...(row.reason === null ? {} : { reason: row.reason }),
    }))
  }

  async function redrive(ids?: readonly string[]): Promise<number> {
    const dead = (ids ?? (await deadLetters({ limit: 100_000 })).map((letter) => letter.id)).map(
      Number,
    )
    const lanes = await Promise.all(
      dead.map((id) =>
        write(() => {
          const row = prepare(
            `UPDATE jobs SET died_at = NULL, reason = NULL, receives = 0, visible_at = ?
             WHERE id = ? AND died_at IS NOT NULL RETURNING lane`,
          ).get(now().getTime(), id)
          return row?.lane as Lane | undefined
        }),
      ),
    )
    const revived = lanes.filter((lane) => lane !== undefined)
    announce(revived)
    return revived.length
  }

  function unfinished(ids: readonly string[]): string[] {
    return ids.filter((id) =>
      prepare('SELECT 1 FROM jobs WHERE id = ? AND died_at IS NULL').get(Number(id)),
    )
  }

  async function settled(ids: readonly string[]): Promise<void> {
    await Promise.all(
      unfinished([...new Set(ids)]).map(
        (id) =>
          new Promise<void>((resolve) => {
            const waiting = waiters.get(id) ?? new Set()
            waiters.set(id, waiting.add(resolve))
          }),
      ),
    )
  }

  return {
    enqueue,
    receive,
    complete,
    release,
    deadLetters,
    redrive,
    onWaiting: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    nextDue: (lane) => {
      const row = prepare(
        'SELECT min(visible_at) AS at FROM jobs WHERE lane = ? AND died_at IS NULL',
      ).get(lane)
      return typeof row?.at === 'number' ? new Date(row.at) : undefined
    },
    take,
    settled,
    unfinished,
    at: (clock) => queueAt(database, state, clock),
    close: () => {
      for (const id of [...waiters.keys()]) ended(id)
    },
  }
}
