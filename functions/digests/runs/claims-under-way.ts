import type { Platform, StoredRecord } from '../../platform.ts'
import { getSubscribers } from '../../subscribers/store.ts'
import type { DeliveryNote, Subscriber } from '../../subscribers/subscriber.ts'
import { isInFlight } from '../delivery/ledger.ts'
import type { ChunkBook, Run } from './run.ts'
import { booksOf, getChunk, isFinished, rowsOf } from './run-store.ts'

/** A reader whose claim in a run has no end yet. */
export interface ClaimUnderWay {
  chunk: number
  item: StoredRecord<Subscriber>
  note: DeliveryNote
}

/** The claims of a run that have no end, by its chunks that were begun and are not finished. */
export async function* claimsUnderWay(
  platform: Pick<Platform, 'records'>,
  run: Run,
): AsyncGenerator<ClaimUnderWay, void, undefined> {
  for await (const { k, book } of booksOf(platform, run.id)) {
    if (!book.begun || isFinished(book, run)) continue
    const readers = await openReaders(platform, run, k, book)
    for (const item of await getSubscribers(platform, readers)) {
      const note = item?.value.note
      if (!item || !note || note.run !== run.id || note.chunk !== k || !isInFlight(note)) continue
      yield { chunk: k, item, note }
    }
  }
}

async function openReaders(
  platform: Pick<Platform, 'records'>,
  run: Run,
  k: number,
  { counted }: ChunkBook,
): Promise<readonly string[]> {
  if (counted && counted.gen >= run.gen) return counted.open
  const readers = counted
    ? [...counted.open, ...counted.failed]
    : ((await getChunk(platform, run.id, k))?.value.readers ?? [])
  const rows = await rowsOf(platform, run.id, k)
  return readers.filter((reader) => (rows.get(reader)?.try ?? -1) < run.gen)
}
