import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Delivery, Run } from '../../functions/digests/runs/run.ts'
import type { StoredPost } from '../../functions/posts/stored-post.ts'
import type { Subscriber } from '../../functions/subscribers/subscriber.ts'
import { marksIn } from './mailbox.ts'

/** Looks into the records of a data folder from outside, whether or not a process is at work there. */
function readAll<T>(data: string, where: string): T[] {
  const db = new DatabaseSync(join(data, 'broadsheet.sqlite'))
  try {
    db.exec('PRAGMA busy_timeout = 10000')
    const rows = db.prepare(`SELECT value FROM records WHERE ${where}`).all()
    return rows.map((row) => JSON.parse(row.value as string) as T)
  } finally {
    db.close()
  }
}

/** Every row of the ledger. */
export const ledgerRows = (data: string) => readAll<Delivery>(data, "partition LIKE 'ledger:%'")

export const storedRuns = (data: string) =>
  readAll<Run>(data, "partition LIKE 'run:%' AND sort = 'run'")

/** Runs that are not over. */
export const openIn = (data: string) =>
  storedRuns(data)
    .filter(({ state }) => state === 'planned' || state === 'sending')
    .map(({ id }) => id)

/** Runs that are over and left a delivery failed. */
export function failedIn(data: string): string[] {
  const done = new Set(
    storedRuns(data)
      .filter(({ state }) => state === 'done')
      .map(({ id }) => id),
  )
  const failed = ledgerRows(data).filter(
    ({ outcome, run }) => outcome === 'failed' && done.has(run),
  )
  return [...new Set(failed.map(({ run }) => run))]
}

/** The log's numbers of the posts, by the marks in their titles. */
export function numbersOfPosts(data: string): Map<string, number> {
  const posts = readAll<StoredPost>(data, "partition LIKE 'post:%'")
  return new Map(posts.map(({ title, number = 0 }) => [marksIn(title)[0] ?? '', number]))
}

/** Tokens of claims that are under way and have no row: what the death of this moment put at stake. */
export function claimsUnderWay(data: string): string[] {
  const flying = readAll<Subscriber>(
    data,
    `partition LIKE 'subscribers:%' AND value LIKE '%"phase":"fly"%'`,
  )
  const notes = flying.flatMap(({ id, note }) => (note?.phase === 'fly' ? [{ id, note }] : []))
  if (notes.length === 0) return []
  const db = new DatabaseSync(join(data, 'broadsheet.sqlite'))
  try {
    const find = db.prepare('SELECT value FROM records WHERE partition = ? AND sort = ?')
    return notes
      .filter(({ id, note }) => {
        const row = find.get(`ledger:${note.run}:${note.chunk}`, id)
        return !row || (JSON.parse(row.value as string) as Delivery).try < note.try
      })
      .map(({ note }) => note.token)
  } finally {
    db.close()
  }
}
