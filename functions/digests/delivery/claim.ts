import { removeStray } from '../../subscribers/memberships.ts'
import { getSubscriber, putSubscriber } from '../../subscribers/store.ts'
import type { DeliveryNote, NotePhase, Subscriber } from '../../subscribers/subscriber.ts'
import { rowsLeadingTo } from '../runs/plan.ts'
import type { Run } from '../runs/run.ts'
import { getRow, isToRetry, movesWatermark } from '../runs/run-store.ts'
import {
  type Attempt,
  addressedTo,
  copySends,
  deliveryIdOf,
  isClaimed,
  isInFlight,
  type Ledger,
  mayBeMailed,
  type Parcel,
  publish,
  rowOf,
  sendClaimed,
  unaddressable,
} from './ledger.ts'
import { resolveNote } from './resolve.ts'

/** A reader whose item keeps changing under us is left to a later visit. */
const maxRounds = 20
/** A membership row is written before the item of a reader who is being imported. */
const missingMs = 10 * 60_000

/**
 * Protocol C1 to C5 for one reader of a chunk whose run is open: settles what is in flight, then
 * claims, sends and writes down the end. Any number of workers may do it at once, and each may die
 * between any two steps.
 */
export async function deliverTo(ledger: Ledger, readerId: string): Promise<Attempt> {
  const { platform, run, chunk } = ledger
  for (let round = 0; round < maxRounds; round++) {
    const item = await getSubscriber(platform, readerId)
    // After the item: whoever claimed before it was read has left its note there or a row here,
    // and whoever claims later makes our conditional write fail.
    const row = await getRow(platform, run.id, chunk, readerId)
    const isEnded = row !== undefined && !isToRetry(row.value, run)
    if (isEnded) {
      const note = item?.value.note
      const isOurs = note?.run === run.id && note.chunk === chunk
      if (isOurs) await copySends(platform, row, note)
      // Proof of an earlier try came while the next one is under way, which is still to be ended.
      if (!isOurs || row.value.try >= note.try) return { status: 'settled' }
    }
    if (!item) return giveUpMissing(ledger, readerId)

    const { note } = item.value
    if (note) {
      if (!(await isSettled(ledger, readerId, note))) {
        const attempt = await resolveNote(ledger, item, note)
        if (attempt.status === 'again') continue
        return attempt
      }
      const isOurs = note.run === run.id
      if (isOurs && (isEnded || !(note.phase === 'failed' && note.try < run.gen))) continue
    }

    const claim = await claimFor(ledger, item.value)
    const next: Subscriber = {
      ...item.value,
      note: claim.note,
      watermark: claim.watermark,
      ...(claim.note.n === undefined ? {} : { mails: claim.note.n }),
    }
    const outcome = await putSubscriber(platform, next, item.version)
    if (outcome.status === 'conflict' && !(await isClaimed(platform, readerId, claim.note)))
      continue
    if (claim.message) return sendClaimed(ledger, readerId, claim.note, claim.message)
    const { phase, reason } = claim.note
    await publish(platform, rowOf(platform, claim.note, readerId, phase as Ended, reason))
    return { status: 'settled' }
  }
  return { status: 'later' }
}

type Ended = Exclude<NotePhase, 'fly' | 'deferred'>

/** Protocol C1. Publishes an end that was decided and whose row a crash left out. */
async function isSettled(ledger: Ledger, readerId: string, note: DeliveryNote): Promise<boolean> {
  const { platform } = ledger
  const isExpired = Date.parse(note.expires) <= platform.now().getTime()
  // What was put off and is surely not out gives its window back, however long its run was held.
  if (isExpired && !(note.phase === 'deferred' && !note.doubt)) return true
  const row = await getRow(platform, note.run, note.chunk, readerId)
  if (row && row.value.try >= note.try) {
    await copySends(platform, row, note)
    return true
  }
  if (isInFlight(note)) return false
  await publish(platform, rowOf(platform, note, readerId, note.phase as Ended, note.reason))
  return true
}

interface Claim {
  note: DeliveryNote
  watermark: number
  message?: ReturnType<Parcel>
}

/** Protocol C3: what the one write of the claim says. Composed before it, so that a fault claims nothing. */
async function claimFor(ledger: Ledger, reader: Subscriber): Promise<Claim> {
  const { platform, run, chunk, parcels } = ledger
  const now = platform.now().toISOString()
  const { watermark } = reader
  const isDigest = movesWatermark(run)
  const note: DeliveryNote = {
    run: run.id,
    chunk,
    try: run.gen,
    ...(isDigest ? { from: watermark } : {}),
    to: run.to,
    token: ledger.newToken(),
    at: now,
    born: now,
    phase: 'fly',
    sends: 0,
    doubt: false,
    expires: run.expires,
  }
  if (!mayBeMailed(reader)) {
    return { note: { ...note, phase: 'suppressed', reason: reader.state }, watermark }
  }
  if (!isServedBy(reader, run)) {
    return { note: { ...note, phase: 'empty', reason: 'served by another schedule' }, watermark }
  }
  const parcel = await parcels.find(run, reader, { from: note.from, to: run.to })
  const moved = isDigest ? Math.max(watermark, run.to) : watermark
  if (!parcel) return { note: { ...note, phase: 'empty' }, watermark: moved }
  const message = addressedTo(parcel, deliveryIdOf(note, reader.id))
  if (!message) return { note: { ...note, phase: 'failed', reason: unaddressable }, watermark }
  const n = (reader.mails ?? 0) + 1
  return { note: { ...note, sends: 1, n, by: platform.mailer.name }, watermark: moved, message }
}

/** The item decides; a row that led here may be one too many. */
export function isServedBy(
  reader: Subscriber,
  run: Pick<Run, 'kind' | 'schedule'> & Partial<Pick<Run, 'gen'>>,
): boolean {
  switch (run.kind) {
    case 'letter':
      return true
    case 'catch-up':
      // Who was refused left it (protocol M4), and is whom a retry is for.
      return reader.catchUp === true || (run.gen ?? 0) > 0
    default:
      return reader.schedule === run.schedule
  }
}

/**
 * A candidate without an item: an import that is writing it just now, or one that died there. There
 * is nothing to decide on, so the row is written once no import can still be under way, and what led
 * here goes, or each run to come would wait as long.
 */
async function giveUpMissing(ledger: Ledger, readerId: string): Promise<Attempt> {
  const { platform, run, chunk } = ledger
  const now = platform.now()
  if (now.getTime() - Date.parse(run.createdAt) < missingMs) return { status: 'later' }
  for (const row of await rowsLeadingTo(platform, run, readerId)) await removeStray(platform, row)
  const at = now.toISOString()
  const note: DeliveryNote = {
    run: run.id,
    chunk,
    try: run.gen,
    to: run.to,
    token: '',
    at,
    born: at,
    phase: 'suppressed',
    sends: 0,
    doubt: false,
    expires: run.expires,
  }
  await publish(platform, rowOf(platform, note, readerId, 'suppressed', 'no such reader'))
  return { status: 'settled' }
}
