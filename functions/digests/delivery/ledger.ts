import { ServiceError } from '../../errors.ts'
import { recordKeys } from '../../keys.ts'
import type { OutgoingMessage, Platform, StoredRecord } from '../../platform.ts'
import { getSubscriber, putSubscriber } from '../../subscribers/store.ts'
import type { DeliveryNote, Subscriber } from '../../subscribers/subscriber.ts'
import { noteTrouble } from '../feedback/trouble.ts'
import type { Delivery, DeliveryState, Run } from '../runs/run.ts'
import { getRow, rowExpiry } from '../runs/run-store.ts'
import { defer } from './defer.ts'

/**
 * How long a claim belongs to the worker that made it. A send starts within its first half and no
 * adapter does anything irreversible after its end, so a worker that slept cannot mail beside the
 * one that took over.
 */
export const leaseSeconds = 120
const leaseMs = leaseSeconds * 1000

/** No pause between two tries is longer; one beyond it is left from before a clock was set back. */
export const longestPauseMs = 7_200_000

/** One worker's view of a chunk: what deliveries are claimed for and where mails come from. */
export interface Ledger {
  platform: Pick<Platform, 'records' | 'mailer' | 'now' | 'settings' | 'log'>
  run: Run
  chunk: number
  parcels: Parcels
  /** Names a claim or a take-over; two never meet. */
  newToken: () => string
  /** No mail may leave: only what ends without one is settled. */
  sendsNothing?: true
}

/** Finds what a reader is owed. Asked at each claim: posts and readers count as they stand then. */
export interface Parcels {
  /**
   * What the run owes the reader within a window of the log, composed; `undefined` when nothing.
   * `from` is absent for letters.
   */
  find(
    run: Run,
    reader: Subscriber,
    window: { from?: number | undefined; to: number },
  ): Promise<Parcel | undefined>
}

/** One reader's mail under a delivery's id. The same bytes whenever it is asked. */
export type Parcel = (deliveryId: string) => OutgoingMessage

/** What one visit to a reader came to. */
export type Attempt = (
  | /** There is a row, or the end is decided and will be published by whoever comes next. */
  { status: 'settled' }
  /** In flight, refused for now, or not yet to be judged. */
  | { status: 'later' /** RFC 3339: not before. */; dueAt?: string }
) & {
  /** The mailer refused the address for good, over which the run may have paused itself. */
  bounced?: boolean
}

/** Names a delivery wherever it leaves a trace: `A-Z a-z 0-9 _ -`, under 256 characters. */
export function deliveryIdOf(note: Pick<DeliveryNote, 'run' | 'chunk' | 'try'>, readerId: string) {
  return `${note.run}_${note.chunk}_${readerId}_${note.try}`
}

/** Whether mail may go to a reader at all, whatever is owed. */
export function mayBeMailed(reader: Subscriber): boolean {
  return reader.state === 'confirmed' && reader.email !== undefined
}

export const unaddressable = 'The address cannot be put into a mail.'

/** The mail, or `undefined` for an address that no mail can carry: a refusal, found before the send. */
export function addressedTo(parcel: Parcel, deliveryId: string): OutgoingMessage | undefined {
  try {
    return parcel(deliveryId)
  } catch (error) {
    if (error instanceof ServiceError) return undefined
    throw error
  }
}

/** The share of a lease that is gone: 1 and more is over, below 0 the clock was set back since. */
export function leaseUsed(note: Pick<DeliveryNote, 'at'>, now: Date): number {
  return (now.getTime() - Date.parse(note.at)) / leaseMs
}

/** Protocol C4 and C5: sends what is claimed with this token and writes down what came of it. */
export async function sendClaimed(
  ledger: Pick<Ledger, 'platform'>,
  readerId: string,
  note: DeliveryNote,
  message: OutgoingMessage,
): Promise<Attempt> {
  const { platform } = ledger
  if (leaseUsed(note, platform.now()) > 0.5) {
    // Held up since the claim: nothing is out, and only this worker knows that.
    const refusal = { reason: 'Too late to send within the claim.', retryAfterSeconds: 1 }
    return { status: 'later', ...(await defer(platform, readerId, note, refusal)) }
  }
  const until = new Date(Date.parse(note.at) + leaseMs)
  const outcome = await platform.mailer.send(message, until).catch((error: unknown) => {
    // Nobody knows how far it came: the same as a broken connection.
    platform.log.error('mail.fault', error, { delivery: message.deliveryId })
    return { status: 'unclear', reason: 'the mailer failed' } as const
  })
  switch (outcome.status) {
    case 'sent': {
      const { providerId } = outcome
      await publish(platform, {
        ...rowOf(platform, note, readerId, 'accepted'),
        ...(providerId === undefined ? {} : { providerId }),
      })
      return { status: 'settled' }
    }
    case 'rejected':
      // Before the end is written: a crash in between must not leave the address to the next run.
      if (outcome.address) {
        await noteTrouble(platform, readerId, note, outcome.soft ? 'soft-bounce' : 'hard-bounce')
      }
      // A refusal now proves nothing about an earlier send that may have gone out.
      await endClaim(platform, readerId, note, 'failed', outcome.reason)
      return { status: 'settled', bounced: outcome.address === true }
    case 'deferred':
      return { status: 'later', ...(await defer(platform, readerId, note, outcome)) }
    case 'unclear':
      // Nothing is written: the lease runs out, and whoever then takes over asks for evidence.
      return { status: 'later' }
  }
}

/** An end that this worker's token decides; in doubt the mail may be out, which is `unknown`. */
export async function endClaim(
  platform: Ledger['platform'],
  readerId: string,
  note: DeliveryNote,
  end: 'failed' | 'suppressed' | 'empty',
  reason?: string,
): Promise<void> {
  if (note.doubt) {
    await publish(platform, rowOf(platform, note, readerId, 'unknown', reason))
  } else await decide(platform, readerId, note, end, reason)
}

/**
 * Protocol DECIDE: an end is decided on the reader's item first, where the window goes back in the
 * same write, and only then published as a row. Dropped when the token is no longer ours.
 */
export async function decide(
  platform: Ledger['platform'],
  readerId: string,
  { token }: Pick<DeliveryNote, 'token'>,
  end: 'failed' | 'suppressed' | 'empty',
  reason?: string,
): Promise<void> {
  for (;;) {
    const item = await getSubscriber(platform, readerId)
    const note = item?.value.note
    if (!item || note?.token !== token || !isInFlight(note)) return
    const ended: DeliveryNote = { ...note, phase: end, ...(reason ? { reason } : {}) }
    const givesBack = end !== 'empty' && note.from !== undefined
    const next: Subscriber = {
      ...item.value,
      note: ended,
      ...(givesBack ? { watermark: note.from } : {}),
    }
    const outcome = await putSubscriber(platform, next, item.version)
    if (outcome.status === 'conflict') continue
    return publish(platform, rowOf(platform, ended, readerId, end, ended.reason))
  }
}

/**
 * Protocol RELEASE: the run of a claim is held while another one comes to the reader, and nothing of
 * it is out. The claim is taken back with its window and no row is written, so that the reader is
 * pending in that run and visited when it is resumed. Dropped when the token is no longer ours.
 */
export async function release(
  platform: Ledger['platform'],
  readerId: string,
  { token }: Pick<DeliveryNote, 'token'>,
): Promise<void> {
  for (;;) {
    const item = await getSubscriber(platform, readerId)
    if (!item || item.value.note?.token !== token || !isInFlight(item.value.note)) return
    const { note, ...reader } = item.value
    const next = note.from === undefined ? reader : { ...reader, watermark: note.from }
    if ((await putSubscriber(platform, next, item.version)).status === 'stored') return
  }
}

/**
 * Protocol PUBLISH: writes a row once. A settled row changes only from failed by a later try, from
 * unknown or failed by a late acceptance, and in `sends` by a second acceptance. One that became
 * accepted late, while the next try was under way, stays accepted and takes over that try.
 */
export async function publish(
  platform: Pick<Platform, 'records'>,
  row: Delivery & { expires: string },
): Promise<void> {
  const { expires, ...value } = row
  const record = {
    ...recordKeys.ledgerRow(row.run, row.chunk, row.subscriberId),
    index: {
      partition: recordKeys.deliveriesOf(row.subscriberId),
      sort: `${row.at}#${row.run}`,
    },
    expiresAt: rowExpiry(expires),
  }
  const first = await platform.records.put({ ...record, value }, { ifAbsent: true })
  if (first.status === 'stored') return
  for (;;) {
    const existing = await getRow(platform, row.run, row.chunk, row.subscriberId)
    const next = existing ? laterRow(existing.value, value) : value
    if (!next) return
    if (existing && existing.value.outcome !== next.outcome && next.try === existing.value.try) {
      const { partition, sort } = recordKeys.lateChange(row.run, row.chunk, row.subscriberId)
      const { expiresAt } = record
      await platform.records.put({ partition, sort, value: {}, expiresAt })
    }
    const outcome = await platform.records.put(
      { ...record, value: next },
      existing ? { ifVersion: existing.version } : { ifAbsent: true },
    )
    if (outcome.status === 'stored') return
  }
}

function laterRow(old: Delivery, row: Delivery): Delivery | undefined {
  if (row.try < old.try) return undefined
  if (row.try > old.try) {
    if (old.outcome === 'failed') return row
    return old.outcome === 'accepted' ? alsoTried(old, row) : undefined
  }
  if (row.outcome !== 'accepted') return undefined
  if (old.outcome === 'unknown' || old.outcome === 'failed') {
    return { ...row, sends: Math.max(old.sends, row.sends) }
  }
  const sends = Math.max(row.sends, 2)
  return old.outcome === 'accepted' && old.sends < sends ? { ...old, sends } : undefined
}

/** Late proof said that the reader has it when the next try was already under way. */
function alsoTried(old: Delivery, row: Delivery): Delivery {
  if (row.outcome === 'accepted') return { ...row, sends: old.sends + row.sends }
  return { ...old, try: row.try, sends: Math.max(old.sends, row.sends) }
}

/**
 * Writes the note's larger count of sends into its row. Two workers may have sent before the first
 * row came; the note knew, and it is about to be replaced.
 */
export async function copySends(
  platform: Pick<Platform, 'records'>,
  row: StoredRecord<Delivery>,
  note: DeliveryNote,
): Promise<void> {
  if (row.value.try !== note.try || row.value.sends >= note.sends) return
  const { version, ...record } = row
  const outcome = await platform.records.put(
    { ...record, value: { ...row.value, sends: note.sends } },
    { ifVersion: version },
  )
  if (outcome.status === 'stored') return
  const again = await getRow(platform, note.run, note.chunk, row.value.subscriberId)
  if (again) await copySends(platform, again, note)
}

/** The row that says how a note ended. */
export function rowOf(
  { now }: Pick<Platform, 'now'>,
  note: DeliveryNote,
  readerId: string,
  outcome: DeliveryState,
  reason?: string,
): Delivery & { expires: string } {
  return {
    id: deliveryIdOf(note, readerId),
    run: note.run,
    chunk: note.chunk,
    subscriberId: readerId,
    outcome,
    try: note.try,
    sends: note.sends,
    ...(note.n === undefined ? {} : { n: note.n }),
    ...(note.from === undefined ? {} : { from: note.from }),
    to: note.to,
    ...(reason ? { reason: reason.slice(0, 300) } : {}),
    at: now().toISOString(),
    expires: note.expires,
  }
}

/**
 * Whether a note stands although its write was answered as a conflict: a client that heard no answer
 * asks again by itself, and then meets its own first write.
 */
export async function isClaimed(
  platform: Pick<Platform, 'records'>,
  readerId: string,
  { token }: Pick<DeliveryNote, 'token'>,
): Promise<boolean> {
  return (await getSubscriber(platform, readerId))?.value.note?.token === token
}

export function isInFlight(note: DeliveryNote): boolean {
  return note.phase === 'fly' || note.phase === 'deferred'
}
