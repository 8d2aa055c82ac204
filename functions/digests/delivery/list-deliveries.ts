import { recordKeys } from '../../keys.ts'
import type { Platform, RecordPage } from '../../platform.ts'
import { getSubscriber, getSubscribers } from '../../subscribers/store.ts'
import type { DeliveryNote } from '../../subscribers/subscriber.ts'
import { stateOf } from '../runs/books.ts'
import type { ChunkBook, Delivery, DeliveryState, Run } from '../runs/run.ts'
import { booksOf, getChunk, lastChunk, rowsNamed, rowsOf } from '../runs/run-store.ts'
import { deliveryIdOf, isInFlight } from './ledger.ts'

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

/** What one page may read: a chunk's rows count ten, a few of them by name one. */
const mostReading = 200

interface Listing {
  items: DeliveryView[]
  cursor?: string
}

interface ListingOptions {
  state?: DeliveryView['state'] | undefined
  limit: number
  cursor?: string | undefined
}

/**
 * Who got a run, in the order in which it visits them; only one state with `state`. Of those that
 * are pending, how often they were tried so far and why the last try was put off.
 */
export async function listDeliveries(
  store: Store,
  run: Run,
  options: ListingOptions,
): Promise<Listing> {
  const page = await listRows(store, run, options)
  const pending = page.items.filter(({ state }) => state === 'pending')
  const readers = await getSubscribers(
    store,
    pending.map(({ subscriberId }) => subscriberId),
  )
  for (const [i, view] of pending.entries()) {
    const note = readers[i]?.value.note
    if (note?.run === run.id && isInFlight(note)) {
      Object.assign(view, flightView(note, view.subscriberId))
    }
  }
  return page
}

async function listRows(store: Store, run: Run, options: ListingOptions): Promise<Listing> {
  const { state, limit } = options
  const [, first = '0', skip = '0'] = /^(\d{1,9})\.(\d{1,4})$/.exec(options.cursor ?? '') ?? []
  const items: DeliveryView[] = []
  let reading = 0
  for await (const { k, book } of chunksFrom(store, run, Number(first))) {
    const names = book && namesOf(book, run, state)
    if (names?.size === 0) continue
    // A filter that finds little answers a short page.
    if (reading >= mostReading) return { items, cursor: `${k}.0` }
    reading += names ? 1 : 10
    const readers = (await getChunk(store, run.id, k))?.value.readers ?? []
    const rows = names
      ? await rowsNamed(store, run.id, k, [...names])
      : await rowsOf(store, run.id, k)
    for (let i = k === Number(first) ? Number(skip) : 0; i < readers.length; i++) {
      const reader = readers[i] as string
      if (names && !names.has(reader)) continue
      const row = rows.get(reader)
      const present = stateOf(row, run)
      if (state !== undefined && state !== present) continue
      if (items.length >= limit) return { items, cursor: `${k}.${i}` }
      items.push(viewOf(row, run, k, reader, present))
    }
  }
  return { items }
}

/** The chunks of a run with their books, where they have one. */
async function* chunksFrom(
  store: Store,
  run: Run,
  first: number,
): AsyncGenerator<{ k: number; book?: ChunkBook }> {
  const chunks = run.chunks ?? ((await lastChunk(store, run.id))?.k ?? -1) + 1
  let next = first
  for await (const { k, book } of booksOf(store, run.id, first)) {
    if (k >= chunks) break
    while (next < k) yield { k: next++ }
    next++
    yield { k, book }
  }
  while (next < chunks) yield { k: next++ }
}

/** Who of a chunk can be in a state; `undefined` where only all its rows tell. */
function namesOf(
  { counted, begun }: ChunkBook,
  run: Run,
  state: DeliveryView['state'] | undefined,
): ReadonlySet<string> | undefined {
  if (!counted) return begun || state === undefined || state === 'pending' ? undefined : none
  const { open, failed, unknown } = counted
  const retried = counted.gen < run.gen ? failed : []
  switch (state) {
    case 'pending':
      return new Set([...open, ...retried])
    case 'failed':
      return new Set([...open, ...failed])
    case 'unknown':
      return new Set([...open, ...retried, ...unknown])
    case 'suppressed':
    case 'empty':
      return counted[state] + open.length + retried.length === 0 ? none : undefined
    default:
      return undefined
  }
}

const none: ReadonlySet<string> = new Set()

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

/** A delivery that is claimed or was put off, as the reader's item tells it. */
function flightView(note: DeliveryNote, readerId: string): DeliveryView {
  return {
    id: deliveryIdOf(note, readerId),
    runId: note.run,
    subscriberId: readerId,
    state: 'pending',
    attempts: note.sends,
    ...(note.reason ? { reason: note.reason } : {}),
    at: note.at,
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
): Promise<Listing> {
  const page: RecordPage<Delivery> = await store.records.query<Delivery>(
    recordKeys.deliveriesOf(readerId),
    { index: true, reverse: true, limit, ...(cursor ? { cursor } : {}) },
  )
  const items = page.records.map(({ value }) => rowView(value))
  const note = cursor ? undefined : (await getSubscriber(store, readerId))?.value.note
  if (note && isInFlight(note)) {
    const flight = flightView(note, readerId)
    if (!items.some(({ id }) => id === flight.id)) items.unshift(flight)
  }
  return { items, ...(page.cursor ? { cursor: page.cursor } : {}) }
}
