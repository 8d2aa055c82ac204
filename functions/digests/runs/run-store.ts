import { allRecords } from '../../all-records.ts'
import { recordKeys } from '../../keys.ts'
import type {
  Platform,
  PutCondition,
  PutOutcome,
  RecordPage,
  StoredRecord,
} from '../../platform.ts'
import type { Chunk, ChunkBook, Delivery, Run } from './run.ts'

type Store = Pick<Platform, 'records'>
const dayMs = 86_400_000

/** What its maker decides about a run; the rest follows. */
export type NewRun = Pick<Run, 'id' | 'schedule' | 'kind' | 'dueAt' | 'to'> &
  Partial<Pick<Run, 'after' | 'postId' | 'waits' | 'state' | 'reason'>>

/**
 * Makes a run once, whoever asks and how often (protocol R1): what stands first, its `to` above
 * all, stays. The run is listed as open before it exists and the open record holds all of it, so a
 * crash in between leaves a tick everything it needs.
 */
export async function makeRun(
  platform: Pick<Platform, 'records' | 'settings' | 'now'>,
  wanted: NewRun,
): Promise<{ run: Run; isNew: boolean }> {
  const existing = await getRun(platform, wanted.id)
  if (existing) return { run: existing.value, isNew: false }
  const run = newRun(platform, wanted)
  await platform.records.put({ ...recordKeys.openRun(run.id), value: run }, { ifAbsent: true })
  return insertRun(platform, run)
}

/** A run as it is when it is made. */
export function newRun(platform: Pick<Platform, 'settings' | 'now'>, wanted: NewRun): Run {
  const now = platform.now().toISOString()
  const expires = expiryOf(platform, wanted.dueAt)
  return { state: 'planned', ...wanted, gen: 0, createdAt: now, movedAt: now, expires }
}

/** RFC 3339: when a run and its rows may go, counted from now or from when it is due, if that is later. */
export function expiryOf(
  { settings, now }: Pick<Platform, 'settings' | 'now'>,
  dueAt: string,
): string {
  const from = Math.max(now().getTime(), Date.parse(dueAt))
  return new Date(from + settings.keep.runsDays * dayMs).toISOString()
}

/** The second half of making a run; a tick repeats it for an open record whose run never came. */
export async function insertRun(store: Store, run: Run): Promise<{ run: Run; isNew: boolean }> {
  const outcome = await putRun(store, run, { ifAbsent: true })
  if (outcome.status === 'stored') return { run, isNew: true }
  return { run: (await getRun(store, run.id))?.value ?? run, isNew: false }
}

export function getRun({ records }: Store, runId: string): Promise<StoredRecord<Run> | undefined> {
  return records.get<Run>(recordKeys.run(runId))
}

export function putRun({ records }: Store, run: Run, condition: PutCondition): Promise<PutOutcome> {
  return records.put(
    {
      ...recordKeys.run(run.id),
      value: run,
      index: { partition: recordKeys.runsByDue, sort: `${run.dueAt}#${run.id}` },
      expiresAt: new Date(run.expires),
    },
    condition,
  )
}

/**
 * Changes a run by conditional writes until one holds. `change` sees the run as it stands and may
 * answer `undefined`: leave it. Returns the run as it then is, `undefined` when there is none.
 */
export async function changeRun(
  store: Store,
  runId: string,
  change: (run: Run) => Run | undefined,
): Promise<Run | undefined> {
  for (;;) {
    const stored = await getRun(store, runId)
    if (!stored) return undefined
    const next = change(stored.value)
    if (!next) return stored.value
    const outcome = await putRun(store, next, { ifVersion: stored.version })
    if (outcome.status === 'stored') return next
  }
}

/** Open runs as they were made, by id: whoever drives one reads the run itself. */
export function listOpenRuns(store: Store): Promise<Run[]> {
  return Array.fromAsync(allRecords<Run>(store, recordKeys.openRuns), ({ value }) => value)
}

/** Runs of every kind, by the instant they were due, the latest first. */
export function newestRuns(
  { records }: Store,
  page: { limit: number; cursor?: string },
): Promise<RecordPage<Run>> {
  return records.query<Run>(recordKeys.runsByDue, { index: true, reverse: true, ...page })
}

/** Lists a run as open, also one that already is: somebody may be about to take it off the list. */
export async function openRun({ records }: Store, run: Run): Promise<void> {
  await records.put({ ...recordKeys.openRun(run.id), value: run })
}

/**
 * Takes a run that is over off the list of open ones. The run is written unchanged first, so that
 * one who opens it again at this moment (list, then run) either sees the list without it or fails
 * and starts over.
 */
export async function closeRun(store: Store, runId: string): Promise<void> {
  const open = await store.records.get(recordKeys.openRun(runId))
  if (!open) return
  const run = await getRun(store, runId)
  if (run) {
    if (!isOver(run.value)) return
    const outcome = await putRun(store, run.value, { ifVersion: run.version })
    if (outcome.status === 'conflict') return
  }
  await store.records.delete(recordKeys.openRun(runId), { ifVersion: open.version })
}

/** Nothing is left to do: every chunk has its totals. */
export function isOver(run: Pick<Run, 'state'>): boolean {
  return run.state === 'done' || run.state === 'skipped'
}

/** Deliveries may be claimed. */
export function isOpen(run: Pick<Run, 'state' | 'waits'>): boolean {
  return (run.state === 'planned' || run.state === 'sending') && !run.waits
}

/** A delivery that failed is visited once more after each `retry` of its run (protocol R4). */
export function isToRetry(row: Delivery, run: Pick<Run, 'gen'>): boolean {
  return row.outcome === 'failed' && row.try < run.gen
}

/** Letters go beside the digests: they neither use nor move the reader's watermark. */
export function movesWatermark(run: Pick<Run, 'kind'>): boolean {
  return run.kind !== 'letter'
}

export function getChunk(
  { records }: Store,
  runId: string,
  chunk: number,
): Promise<StoredRecord<Chunk> | undefined> {
  return records.get<Chunk>(recordKeys.chunk(runId, chunk))
}

export function putChunk(
  { records }: Store,
  run: Run,
  chunk: number,
  value: Chunk,
  condition: PutCondition,
): Promise<PutOutcome> {
  return records.put(
    { ...recordKeys.chunk(run.id, chunk), value, expiresAt: new Date(run.expires) },
    condition,
  )
}

export function getBook(
  { records }: Store,
  runId: string,
  chunk: number,
): Promise<StoredRecord<ChunkBook> | undefined> {
  return records.get<ChunkBook>(recordKeys.chunkBook(runId, chunk))
}

export function putBook(
  { records }: Store,
  run: Run,
  chunk: number,
  value: ChunkBook,
  condition: PutCondition,
): Promise<PutOutcome> {
  return records.put(
    { ...recordKeys.chunkBook(run.id, chunk), value, expiresAt: new Date(run.expires) },
    condition,
  )
}

/** The books of a run's chunks in order, from chunk `first` on. One is missing where a planner died behind its chunk. */
export async function* booksOf(
  store: Store,
  runId: string,
  first = 0,
): AsyncGenerator<{ k: number; book: ChunkBook }> {
  const range = { from: recordKeys.chunkBook(runId, first).sort, to: 'book#~' }
  for await (const { sort, value } of allRecords<ChunkBook>(
    store,
    recordKeys.runParts(runId),
    range,
  )) {
    yield { k: Number(sort.slice('book#'.length)), book: value }
  }
}

/** Nothing in a chunk is pending for the run's present `gen`. */
export function isFinished({ counted }: ChunkBook, run: Pick<Run, 'gen'>): boolean {
  if (counted === undefined || counted.open.length > 0) return false
  return counted.gen >= run.gen || counted.failed.length === 0
}

/** Each of a chunk was visited: whatever is left of it is to be tried again, and holds up nobody else. */
export function isGoneThrough({ counted, passed }: ChunkBook, run: Pick<Run, 'gen'>): boolean {
  return counted !== undefined || (passed !== undefined && passed.gen >= run.gen)
}

/** The last planned chunk so far. */
export async function lastChunk(
  { records }: Store,
  runId: string,
): Promise<{ k: number; chunk: Chunk } | undefined> {
  const page = await records.query<Chunk>(recordKeys.runParts(runId), {
    prefix: 'chunk#',
    reverse: true,
    limit: 1,
  })
  const record = page.records[0]
  return record && { k: Number(record.sort.slice('chunk#'.length)), chunk: record.value }
}

/** The rows of a chunk by reader. At most 500. */
export async function rowsOf(
  store: Store,
  runId: string,
  chunk: number,
): Promise<Map<string, Delivery>> {
  const rows = new Map<string, Delivery>()
  for await (const { sort, value } of allRecords<Delivery>(
    store,
    recordKeys.ledger(runId, chunk),
  )) {
    rows.set(sort, value)
  }
  return rows
}

/** The rows of some readers of a chunk. */
export async function rowsNamed(
  { records }: Store,
  runId: string,
  chunk: number,
  readers: readonly string[],
): Promise<Map<string, Delivery>> {
  const rows = new Map<string, Delivery>()
  const keys = readers.map((reader) => recordKeys.ledgerRow(runId, chunk, reader))
  for (const record of await records.getMany<Delivery>(keys)) {
    if (record) rows.set(record.sort, record.value)
  }
  return rows
}

export function getRow(
  { records }: Store,
  runId: string,
  chunk: number,
  readerId: string,
): Promise<StoredRecord<Delivery> | undefined> {
  return records.get<Delivery>(recordKeys.ledgerRow(runId, chunk, readerId))
}

/** A day longer than the run: a note is settled by its run's expiry only once its row no longer counts. */
export function rowExpiry(runExpires: string): Date {
  return new Date(Date.parse(runExpires) + dayMs)
}
