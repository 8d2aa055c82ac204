import type { StoredRecord } from '../../platform.ts'
import { putSubscriber } from '../../subscribers/store.ts'
import type { DeliveryNote, Subscriber } from '../../subscribers/subscriber.ts'
import { isProved } from '../feedback/evidence.ts'
import { noteTrouble } from '../feedback/trouble.ts'
import type { Run } from '../runs/run.ts'
import { getRow, getRun, movesWatermark } from '../runs/run-store.ts'
import {
  type Attempt,
  addressedTo,
  deliveryIdOf,
  endClaim,
  isClaimed,
  type Ledger,
  leaseUsed,
  longestPauseMs,
  mayBeMailed,
  publish,
  release,
  rowOf,
  sendClaimed,
  unaddressable,
} from './ledger.ts'

/**
 * Protocol RESOLVE (V1 to V6): what anyone does who meets a note whose end is not yet known. `again`:
 * it may be settled now, start over with the reader. Otherwise come later.
 */
export async function resolveNote(
  ledger: Ledger,
  item: StoredRecord<Subscriber>,
  note: DeliveryNote,
): Promise<Attempt | { status: 'again' }> {
  const { platform } = ledger
  const readerId = item.value.id
  const now = platform.now()
  const isOwn = note.run === ledger.run.id
  // Fresh also for our own: it may have been paused since this worker read it.
  const run = (await getRun(platform, note.run))?.value
  const isPaused = run?.state === 'paused'
  if (isPaused && isOwn) return { status: 'later' }
  const wasFlying = note.phase === 'fly'
  let isOver = false

  if (wasFlying) {
    if (leaseUsed(note, now) <= -1) return restartLease(ledger, item, note)
    if (leaseUsed(note, now) < 1) return { status: 'later' }
    if (await mayStillBeProved(ledger, readerId, note)) return { status: 'later' }
  } else {
    isOver = !run || isOutOfPatience(ledger, note) || isSuperseded(ledger, note, isOwn)
    const isToWait = !isOver && !isPaused
    const { retryAfter = note.at } = note
    const pauseMs = Date.parse(retryAfter) - now.getTime()
    // One that is far ahead was written before the clock was set back.
    if (isToWait && isOwn && pauseMs > 0 && pauseMs < longestPauseMs) {
      return { status: 'later', dueAt: retryAfter }
    }
    if (isToWait && !isOwn) return { status: 'later' }
  }

  if (ledger.sendsNothing && !isOver && !(await endsWithoutMail(ledger, readerId, note))) {
    return { status: 'later' }
  }
  const mine = await takeOver(ledger, item, note, isOver || isPaused)
  if (!mine) return { status: 'again' }
  const row = await getRow(platform, note.run, note.chunk, readerId)
  if (row && row.value.try >= note.try) return { status: 'again' }
  if (row?.value.outcome === 'accepted') {
    // An earlier try was, as proof that came late says: this one is over, and the row stays accepted.
    await publish(platform, rowOf(platform, mine, readerId, 'empty'))
    return { status: 'again' }
  }

  // A mail that was refused for now may have gone out as well, as may one whose run is over.
  if (await isProved(platform, deliveryIdOf(note, readerId))) {
    await publish(platform, rowOf(platform, mine, readerId, 'accepted'))
    return { status: 'again' }
  }
  if (isPaused && !wasFlying && !mine.doubt) {
    await release(platform, readerId, mine)
    return { status: 'again' }
  }
  if (isOver || (isPaused && !wasFlying)) {
    if (isAddressAtFault(ledger, note)) {
      await noteTrouble(platform, readerId, note, 'soft-bounce')
    }
    await endClaim(platform, readerId, mine, 'failed', mine.reason)
    return { status: 'again' }
  }
  if (wasFlying) {
    const evidence = await evidenceOf(ledger, readerId, note)
    if (evidence === 'accepted') {
      await publish(platform, rowOf(platform, mine, readerId, 'accepted'))
      return { status: 'again' }
    }
    if (evidence === 'cannot tell' && (!run || isPaused || isHeld(ledger))) {
      const reason = 'It may have been sent; nobody can tell.'
      await publish(platform, rowOf(platform, mine, readerId, 'unknown', reason))
      return { status: 'again' }
    }
  }
  return sendAgain(ledger, item.value, mine, run)
}

/** Protocol V6. */
async function sendAgain(
  ledger: Ledger,
  reader: Subscriber,
  mine: DeliveryNote,
  run: Run | undefined,
): Promise<Attempt | { status: 'again' }> {
  const { platform, parcels } = ledger
  // The evidence changed its mind: the claim is judged once more when its new lease has run out.
  if (ledger.sendsNothing) return { status: 'later' }
  if (run?.state === 'paused' && !mine.doubt) {
    await release(platform, reader.id, mine)
    return { status: 'again' }
  }
  if (run === undefined || run.state === 'paused') {
    await endClaim(platform, reader.id, mine, 'failed', 'The run is held or gone.')
    return { status: 'again' }
  }
  if (!mayBeMailed(reader)) {
    await endClaim(platform, reader.id, mine, 'suppressed', reader.state)
    return { status: 'again' }
  }
  const parcel = await parcels.find(run, reader, { from: mine.from, to: mine.to })
  if (!parcel) {
    await endClaim(platform, reader.id, mine, 'empty')
    return { status: 'again' }
  }
  const message = addressedTo(parcel, deliveryIdOf(mine, reader.id))
  if (!message) {
    await endClaim(platform, reader.id, mine, 'failed', unaddressable)
    return { status: 'again' }
  }
  const attempt = await sendClaimed(ledger, reader.id, mine, message)
  return attempt.status === 'settled' ? { status: 'again' } : attempt
}

/**
 * Protocol V3: the claim is ours before it is judged, or two workers judge it and both send.
 * `undefined` when somebody was quicker.
 */
async function takeOver(
  ledger: Ledger,
  item: StoredRecord<Subscriber>,
  note: DeliveryNote,
  isOver: boolean,
): Promise<DeliveryNote | undefined> {
  const { platform } = ledger
  const { mailer } = platform
  const { retryAfter: _retryAfter, byAddress: _byAddress, ...rest } = note
  const wasFlying = note.phase === 'fly'
  const mine: DeliveryNote = {
    ...rest,
    // What may be out by another mailer stays that one's: a crash right here must not hide it.
    ...(wasFlying || note.doubt ? {} : { by: mailer.name }),
    token: ledger.newToken(),
    at: platform.now().toISOString(),
    // One that is over is not sent again: left as it is, a crash right here raises no doubt.
    phase: isOver ? note.phase : 'fly',
    sends: note.sends + 1,
    doubt: note.doubt || (wasFlying && !(mailer.hasFinalEvidence && note.by === mailer.name)),
  }
  const outcome = await putSubscriber(platform, { ...item.value, note: mine }, item.version)
  const isMine = outcome.status === 'stored' || (await isClaimed(platform, item.value.id, mine))
  return isMine ? mine : undefined
}

/**
 * The clock was set back since the claim, so its lease would end far in the future. It runs once
 * more from now, for whoever holds it.
 */
async function restartLease(
  { platform }: Ledger,
  item: StoredRecord<Subscriber>,
  note: DeliveryNote,
): Promise<Attempt> {
  const at = platform.now().toISOString()
  await putSubscriber(platform, { ...item.value, note: { ...note, at } }, item.version)
  return { status: 'later' }
}

/** Protocol V1: evidence that comes late (events) is waited for. */
async function mayStillBeProved(
  { platform }: Ledger,
  readerId: string,
  note: DeliveryNote,
): Promise<boolean> {
  const { mailer } = platform
  const waitMs = mailer.evidenceDelaySeconds * 1000
  if (platform.now().getTime() - Date.parse(note.at) >= waitMs) return false
  if (await isProved(platform, deliveryIdOf(note, readerId))) return false
  return (await mailer.evidence(deliveryIdOf(note, readerId))) !== 'accepted'
}

/** A `none` is proof only from the mailer by which it may have gone out. */
async function evidenceOf(
  { platform: { mailer } }: Ledger,
  readerId: string,
  note: DeliveryNote,
): Promise<'accepted' | 'none' | 'cannot tell'> {
  const evidence = await mailer.evidence(deliveryIdOf(note, readerId))
  return evidence === 'none' && note.by !== mailer.name ? 'cannot tell' : evidence
}

/** Whether a claim can be settled as it stands, by proof or by what is never sent again. */
async function endsWithoutMail(
  ledger: Ledger,
  readerId: string,
  note: DeliveryNote,
): Promise<boolean> {
  if (await isProved(ledger.platform, deliveryIdOf(note, readerId))) return true
  if (note.phase !== 'fly') return false
  const evidence = await evidenceOf(ledger, readerId, note)
  return evidence === 'accepted' || (evidence === 'cannot tell' && isHeld(ledger))
}

/** Protocol V5: never sent again by itself where evidence comes late or the policy is to hold. */
function isHeld({ platform }: Ledger): boolean {
  return platform.settings.mail.unclear === 'hold' || platform.mailer.evidenceDelaySeconds > 0
}

/**
 * Refused for now for too long. What the service itself refused (a throttle, a server that is down)
 * is no failure of the reader's, so it gets a week.
 */
function isOutOfPatience({ platform }: Ledger, note: DeliveryNote): boolean {
  const hours = note.byAddress ? platform.settings.mail.patience : 7 * 24
  return platform.now().getTime() - Date.parse(note.born) > hours * 3_600_000
}

/**
 * Whether a refusal for now lasted long enough to be held against the address: most of the patience,
 * as a daily reader's next run supersedes it a little before its end. What a grey list holds up for
 * some minutes, while an instant reader's next post takes its place, is none.
 */
function isAddressAtFault({ platform }: Ledger, note: DeliveryNote): boolean {
  if (!note.byAddress) return false
  const age = platform.now().getTime() - Date.parse(note.born)
  return age >= 0.75 * platform.settings.mail.patience * 3_600_000
}

/**
 * Protocol V2: a digest that carries all that the deferred one would may take its place. An older
 * one, or a letter on either side, would bring nothing in its stead.
 */
function isSuperseded({ run }: Ledger, note: DeliveryNote, isOwn: boolean): boolean {
  const isDigestNote = note.from !== undefined
  return !isOwn && !note.doubt && isDigestNote && movesWatermark(run) && run.to >= note.to
}
