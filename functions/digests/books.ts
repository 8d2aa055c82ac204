import { recordKeys } from '../keys.ts'
import type { Platform, RecordPage } from '../platform.ts'
import { getSubscriber } from '../subscribers/store.ts'
import { isToRetry } from './claim.ts'
import { deliveryIdOf, isInFlight } from './ledger.ts'
import type { Chunk, Delivery, DeliveryState, Run, RunCounts } from './run.ts'
import { chunksOf, getChunk, rowsOf } from './run-store.ts'

/** A delivery as the API shows it. Pending is what has no row yet, or is to be tried again. */
export interface DeliveryView {
  id: string
  runId: string
  subscriberId: string
  state: DeliveryState | 'pending'
  /** How often a send was begun; 0 where nothing was to be sent. */
  attempts: number
  reason?: string
  /** RFC 3339. */
  at: string
}

type Store = Pick<Platform, 'records'>

/** Chunks that one page of deliveries reads at most; a filter that finds little answers a short page. */
const mostChunks = 200

/**
 * How a run stands. Nothing is counted while it goes on: a chunk knows whom it holds, its rows say
 * what became of them, and the rest is pending. So the sum is always the number of candidates.
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
  if (run.totals) {
    counts.accepted += run.totals.accepted
    counts.suppressed += run.totals.suppressed
    counts.empty += run.totals.empty
    for (const k of run.totals.named) {
      const chunk = await getChunk(store, run.id, k)
      if (chunk) await addNamed(store, run, k, chunk.value, counts)
    }
  } else {
    for await (const { k, record } of chunksOf(store, run.id)) {
      const { totals } = record.value
      if (totals) {
        counts.accepted += totals.accepted
        counts.suppressed += totals.suppressed
        counts.empty += totals.empty
        await addNamed(store, run, k, record.value, counts)
      } else await addRows(store, run, k, record.value.readers, counts)
    }
  }
  const { candidates: _, ...parts } = counts
  return { ...counts, candidates: Object.values(parts).reduce((sum, n) => sum + n, 0) }
}

/** Late evidence and retries change what became of these, and of these only. */
async function addNamed(store: Store, run: Run, k: number, chunk: Chunk, counts: RunCounts) {
  const names = [...(chunk.totals?.failed ?? []), ...(chunk.totals?.unknown ?? [])]
  if (names.length === 0) return
  const rows = await store.records.getMany<Delivery>(
    names.map((name) => recordKeys.ledgerRow(run.id, k, name)),
  )
  for (const row of rows) counts[stateOf(row?.value, run)]++
}

async function addRows(
  store: Store,
  run: Run,
  k: number,
  readers: readonly string[],
  counts: RunCounts,
) {
  const rows = await rowsOf(store, run.id, k)
  for (const reader of readers) counts[stateOf(rows.get(reader), run)]++
}

function stateOf(row: Delivery | undefined, run: Run): DeliveryState | 'pending' {
  return !row || isToRetry(row, run) ? 'pending' : row.outcome
}

/** Who got a run, in the order in which it visits them; only one state with `state`. */
export async function listDeliveries(
  store: Store,
  run: Run,
  options: {
    state?: DeliveryView['state'] | undefined
    limit: number
    cursor?: string | undefined
  },
): Promise<{ items: DeliveryView[]; cursor?: string }> {
  const [, first = '0', skip = '0'] = /^(\d{1,9})\.(\d{1,4})$/.exec(options.cursor ?? '') ?? []
  const items: DeliveryView[] = []
  let chunks = 0
  for await (const { k, record } of chunksOf(store, run.id, Number(first))) {
    if (chunks++ >= mostChunks) return { items, cursor: `${k}.0` }
    const { readers, totals } = record.value
    if (totals && totals.gen >= run.gen && hasNone(totals, options.state)) continue
    const rows = await rowsOf(store, run.id, k)
    const from = k === Number(first) ? Number(skip) : 0
    for (let i = from; i < readers.length; i++) {
      const reader = readers[i] as string
      const row = rows.get(reader)
      const state = stateOf(row, run)
      if (options.state !== undefined && options.state !== state) continue
      if (items.length >= options.limit) return { items, cursor: `${k}.${i}` }
      items.push(viewOf(row, run, k, reader, state))
    }
  }
  return { items }
}

function hasNone(totals: NonNullable<Chunk['totals']>, state: DeliveryView['state'] | undefined) {
  return state === 'pending' || (state === 'failed' && totals.failed.length === 0)
}

function viewOf(
  row: Delivery | undefined,
  run: Run,
  chunk: number,
  reader: string,
  state: DeliveryView['state'],
): DeliveryView {
  if (row) return { ...rowView(row), state }
  return {
    id: deliveryIdOf({ run: run.id, chunk, try: run.gen }, reader),
    runId: run.id,
    subscriberId: reader,
    state,
    attempts: 0,
    at: run.createdAt,
  }
}

function rowView(row: Delivery): DeliveryView {
  return {
    id: row.id,
    runId: row.run,
    subscriberId: row.subscriberId,
    state: row.outcome,
    attempts: row.sends,
    ...(row.reason ? { reason: row.reason } : {}),
    at: row.at,
  }
}

/** A reader's deliveries, newest first, with what is in flight in front of the first page. */
export async function listDeliveriesOf(
  store: Store,
  readerId: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: DeliveryView[]; cursor?: string }> {
  const page: RecordPage<Delivery> = await store.records.query<Delivery>(
    recordKeys.deliveriesOf(readerId),
    { index: true, reverse: true, limit, ...(cursor ? { cursor } : {}) },
  )
  const items = page.records.map(({ value }) => rowView(value))
  const note = cursor ? undefined : (await getSubscriber(store, readerId))?.value.note
  if (note && isInFlight(note)) {
    const id = deliveryIdOf(note, readerId)
    const isKnown = items.some((item) => item.id === id)
    if (!isKnown) {
      items.unshift({
        id,
        runId: note.run,
        subscriberId: readerId,
        state: 'pending',
        attempts: note.sends,
        ...(note.reason ? { reason: note.reason } : {}),
        at: note.at,
      })
    }
  }
  return { items, ...(page.cursor ? { cursor: page.cursor } : {}) }
}
