import type { Platform } from '../../platform.ts'
import type { Run } from './run.ts'
import { getChunk, getRow, isToRetry } from './run-store.ts'

type Looking = Pick<Platform, 'records'>

/** Whether a run has still to come to a reader: it is being planned, or it has them and no end of theirs. */
export async function isToCome(platform: Looking, run: Run, readerId: string): Promise<boolean> {
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
