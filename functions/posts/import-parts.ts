import { allRecords } from '../all-records.ts'
import { recordKeys } from '../keys.ts'
import type { NewRecord, Platform } from '../platform.ts'
import type { Met } from './store-drafts.ts'

/** One part of an import that is sent in several requests, one after the other. */
export interface ImportPart {
  /** Names the import; chosen by whoever sends it, never used for another one. */
  id: string
  /** Number of its first line in the whole, from 1. */
  firstLine: number
}

/** How long parts may be apart, milliseconds. */
const keptFor = 86_400_000

/**
 * What the parts before this one have met, so that two files which lead to one post are told apart
 * from one that is edited, as within one request. A part may be sent again: what it met itself, or a
 * later one, is left out.
 */
export async function readMet(
  { records }: Pick<Platform, 'records'>,
  { id, firstLine }: ImportPart,
): Promise<Met> {
  const met: Met = { posts: new Map(), identities: new Map() }
  const rows = allRecords<{ line: number; post: string }>({ records }, recordKeys.importMet(id))
  for await (const { sort, value } of rows) {
    if (value.line >= firstLine) continue
    if (sort.startsWith('key#')) met.identities.set(sort.slice('key#'.length), value.post)
    // The order of no line of this part.
    else met.posts.set(value.post, -1)
  }
  return met
}

/** Keeps what a part has met beyond what is in `kept`, and adds it there. */
export async function keepMet(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  { id, firstLine }: ImportPart,
  met: Met,
  kept: Set<string>,
): Promise<void> {
  const expiresAt = new Date(now().getTime() + keptFor)
  const rows: NewRecord[] = []
  const add = (sort: string, post: string) => {
    if (kept.has(sort)) return
    kept.add(sort)
    const value = { line: firstLine, post }
    rows.push({ partition: recordKeys.importMet(id), sort, value, expiresAt })
  }
  for (const [post, order] of met.posts) if (order >= 0) add(`post#${post}`, post)
  for (const [hash, post] of met.identities) add(`key#${hash}`, post)
  await records.putMany(rows)
}
