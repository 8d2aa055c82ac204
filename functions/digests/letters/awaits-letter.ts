import type { Platform } from '../../platform.ts'
import { getPosts } from '../../posts/post.ts'
import type { Subscriber } from '../../subscribers/subscriber.ts'
import { choiceFor } from '../editions/owed.ts'
import type { Run } from '../runs/run.ts'
import { getChunk, getRow, getRun, isOver, isToRetry, listOpenRuns } from '../runs/run-store.ts'

type Looking = Pick<Platform, 'records' | 'settings'>

/**
 * Whether a letter is being mailed that has still to come to this reader: it is being planned, or it
 * is planned for them and they have no row of it. One that waits for its time or its approval is
 * planned later, for those who are its readers then.
 */
export async function awaitsLetter(platform: Looking, reader: Subscriber): Promise<boolean> {
  for (const open of await listOpenRuns(platform)) {
    if (open.kind !== 'letter') continue
    // Its maker may have died between listing it as open and making it.
    const run = (await getRun(platform, open.id))?.value ?? open
    if (run.waits || isOver(run)) continue
    const post = run.postId && (await getPosts(platform, [run.postId]))[0]
    if (!post || choiceFor(reader, post, run.to, platform.settings) === undefined) continue
    if (await isToCome(platform, run, reader.id)) return true
  }
  return false
}

async function isToCome(platform: Looking, run: Run, readerId: string): Promise<boolean> {
  if (run.chunks === undefined) return true
  const chunk = await chunkWith(platform, run.id, run.chunks, readerId)
  if (chunk === undefined) return false
  const row = await getRow(platform, run.id, chunk, readerId)
  return !row || isToRetry(row.value, run)
}

/** The chunk that a reader is in: readers are in the order of their ids, within chunks and over all. */
async function chunkWith(
  platform: Looking,
  runId: string,
  chunks: number,
  readerId: string,
): Promise<number | undefined> {
  let low = 0
  let high = chunks - 1
  while (low <= high) {
    const k = Math.floor((low + high) / 2)
    const readers = (await getChunk(platform, runId, k))?.value.readers ?? []
    const last = readers.at(-1)
    // Only the last chunk may be empty.
    if (last === undefined || readerId < (readers[0] ?? '')) high = k - 1
    else if (readerId > last) low = k + 1
    else return readers.includes(readerId) ? k : undefined
  }
  return undefined
}
