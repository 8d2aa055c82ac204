import { allRecords } from '../../all-records.ts'
import { recordKeys } from '../../keys.ts'
import type { Platform, RecordKey } from '../../platform.ts'
import type { ChunkCount, Delivery, DeliveryState, Run, RunCounts } from './run.ts'
import { booksOf, getBook, getChunk, isToRetry, lastChunk, rowsOf } from './run-store.ts'

type Store = Pick<Platform, 'records'>

/** Chunks whose rows are read side by side. */
const atATime = 16
const mostKeys = 1000

/**
 * How a run stands. There are no counters to drift: a chunk's book says what of it is settled for
 * good, the rows tell of the rest, and what has no row is pending. So the sum is always the number of
 * candidates.
 */
export async function countsOf(store: Store, run: Run): Promise<RunCounts> {
  const counts: RunCounts = {
    candidates: 0,
    accepted: 0,
    suppressed: 0,
    failed: 0,
    unknown: 0,
    empty: 0,
    pending: 0,
  }
  const late = await lateChanges(store, run.id)
  if (run.totals) await addTotals(store, run, run.totals, late, counts)
  else await addChunks(store, run, late, counts)
  const { candidates: _, ...parts } = counts
  return { ...counts, candidates: Object.values(parts).reduce((sum, n) => sum + n, 0) }
}

/** Pending is what has no row yet, or is to be tried again. */
export function stateOf(
  row: Delivery | undefined,
  run: Pick<Run, 'gen'>,
): DeliveryState | 'pending' {
  return !row || isToRetry(row, run) ? 'pending' : row.outcome
}

/** Of each chunk, whose settled rows may have become `accepted` since they were counted. */
type LateChanges = ReadonlyMap<number, ReadonlySet<string>>

async function lateChanges(store: Store, runId: string): Promise<LateChanges> {
  const late = new Map<number, Set<string>>()
  const rows = allRecords(store, recordKeys.runParts(runId), { prefix: 'late#' })
  for await (const { sort } of rows) {
    const [, chunk, reader = ''] = sort.split('#')
    const readers = late.get(Number(chunk)) ?? new Set()
    late.set(Number(chunk), readers.add(reader))
  }
  return late
}

/** A run that is over: its sums, but for what changed since. */
async function addTotals(
  store: Store,
  run: Run,
  totals: NonNullable<Run['totals']>,
  late: LateChanges,
  counts: RunCounts,
): Promise<void> {
  Object.assign(counts, totals)
  const rows = openRows(store, run, counts)
  for (const [k, readers] of late) {
    const counted = (await getBook(store, run.id, k))?.value.counted
    for (const state of ['failed', 'unknown'] as const) {
      for (const reader of counted?.[state] ?? []) {
        if (!readers.has(reader)) continue
        counts[state]--
        await rows.add(k, reader)
      }
    }
  }
  await rows.end()
}

async function addChunks(
  store: Store,
  run: Run,
  late: LateChanges,
  counts: RunCounts,
): Promise<void> {
  const rows = openRows(store, run, counts)
  const chunks = run.chunks ?? ((await lastChunk(store, run.id))?.k ?? -1) + 1
  const uncounted: { k: number; readers?: number }[] = []
  let next = 0
  for await (const { k, book } of booksOf(store, run.id)) {
    if (k >= chunks) break
    while (next < k) uncounted.push({ k: next++ })
    next++
    if (book.counted) await addCounted(run, k, book.counted, late.get(k), counts, rows)
    else if (book.begun) uncounted.push({ k, readers: book.readers })
    else counts.pending += book.readers
  }
  while (next < chunks) uncounted.push({ k: next++ })
  await rows.end()
  for (let i = 0; i < uncounted.length; i += atATime) {
    await Promise.all(
      uncounted
        .slice(i, i + atATime)
        .map(({ k, readers }) => addUncounted(store, run, k, readers, counts)),
    )
  }
}

async function addCounted(
  run: Run,
  k: number,
  counted: ChunkCount,
  late: ReadonlySet<string> | undefined,
  counts: RunCounts,
  rows: Rows,
): Promise<void> {
  counts.accepted += counted.accepted
  counts.suppressed += counted.suppressed
  counts.empty += counted.empty
  for (const reader of counted.open) await rows.add(k, reader)
  const isRetried = counted.gen < run.gen
  for (const state of ['failed', 'unknown'] as const) {
    for (const reader of counted[state]) {
      const mayDiffer = late?.has(reader) || (isRetried && state === 'failed')
      if (mayDiffer) await rows.add(k, reader)
      else counts[state]++
    }
  }
}

/** A chunk on its first way through, or one whose book a crash left out. */
async function addUncounted(
  store: Store,
  run: Run,
  k: number,
  readers: number | undefined,
  counts: RunCounts,
): Promise<void> {
  const most = readers ?? (await getChunk(store, run.id, k))?.value.readers.length ?? 0
  const rows = await rowsOf(store, run.id, k)
  for (const row of rows.values()) counts[stateOf(row, run)]++
  counts.pending += Math.max(0, most - rows.size)
}

interface Rows {
  add(chunk: number, reader: string): Promise<void>
  end(): Promise<void>
}

/** Counts single deliveries by their rows as they stand, read many at a time. */
function openRows({ records }: Store, run: Run, counts: RunCounts): Rows {
  let keys: RecordKey[] = []
  const end = async () => {
    if (keys.length === 0) return
    const wanted = keys
    keys = []
    for (const row of await records.getMany<Delivery>(wanted)) counts[stateOf(row?.value, run)]++
  }
  return {
    async add(chunk, reader) {
      keys.push(recordKeys.ledgerRow(run.id, chunk, reader))
      if (keys.length >= mostKeys) await end()
    },
    end,
  }
}
