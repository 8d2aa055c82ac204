import { recordKeys } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { readConfirmationId } from '../../subscribers/confirmation-id.ts'
import { getSubscriber } from '../../subscribers/store.ts'
import { getRow } from '../runs/run-store.ts'
import { noteAccepted, readDeliveryId } from './evidence.ts'
import { noteTrouble, type Trouble } from './trouble.ts'

/** `accepted`: a server took the mail, whatever became of it. `delivered`: so did the mailbox. */
export type FeedbackKind = Trouble | 'accepted' | 'delivered'

/** What became known of a mail after it left; by its delivery's id, or only by its reader. */
export type Feedback = { kind: FeedbackKind } & ({ deliveryId: string } | { subscriberId: string })

/**
 * Notes feedback of any source: proof of acceptance first, then what it means for the reader and the
 * run. Repeatable, in any order. `unknown` is what names no mail and no reader of ours: then nothing
 * is changed. The delivery itself is believed; a source that anybody can write to asks
 * `isKnownDelivery` first.
 */
export async function noteFeedback(
  platform: Pick<Platform, 'records' | 'now' | 'settings' | 'log'>,
  feedback: Feedback,
): Promise<'noted' | 'unknown'> {
  const { kind } = feedback
  const isTrouble = kind !== 'accepted' && kind !== 'delivered'
  if ('subscriberId' in feedback) {
    const reader = (await getSubscriber(platform, feedback.subscriberId))?.value
    if (!reader) return 'unknown'
    // Of the mails to the reader it can only be held against the last one, and against no run.
    if (isTrouble) await noteTrouble(platform, reader.id, { n: reader.mails }, kind)
    return 'noted'
  }
  const { deliveryId } = feedback
  const name = readDeliveryId(deliveryId)
  const readerId = name?.subscriberId ?? readConfirmationId(deliveryId)
  if (readerId === undefined) return 'unknown'
  // Nobody reports on a mail that no server had taken: trouble is proof of acceptance, too.
  await noteAccepted(platform, deliveryId)
  if (isTrouble) {
    const n = name && (await mailOf(platform, deliveryId))?.n
    await noteTrouble(platform, readerId, { run: name?.run, n }, kind)
  }
  return 'noted'
}

/**
 * Whether a delivery's id names a mail that was begun. Ids hold a keyed hash, so only those who have
 * seen a mail can name it.
 */
export async function isKnownDelivery(
  platform: Pick<Platform, 'records'>,
  deliveryId: string,
): Promise<boolean> {
  if (readDeliveryId(deliveryId)) return (await mailOf(platform, deliveryId)) !== undefined
  const readerId = readConfirmationId(deliveryId)
  if (readerId === undefined) return false
  if (await getSubscriber(platform, readerId)) return true
  // An address that a reader changes to has no reader of its own before it is confirmed.
  const claim = await platform.records.get<{ deliveryId: string }>(
    recordKeys.confirmation(readerId),
  )
  return claim?.value.deliveryId === deliveryId
}

/** The mail that an id names, from its row, or while there is none from the reader's note. */
async function mailOf(
  platform: Pick<Platform, 'records'>,
  deliveryId: string,
): Promise<{ n?: number | undefined } | undefined> {
  const name = readDeliveryId(deliveryId)
  if (!name) return undefined
  // The note first: it is replaced only once its row is there.
  const note = (await getSubscriber(platform, name.subscriberId))?.value.note
  const isNote = note?.run === name.run && note.chunk === name.chunk
  if (isNote && note.try >= name.try && note.sends > 0) return { n: note.n }
  const row = (await getRow(platform, name.run, name.chunk, name.subscriberId))?.value
  return row && row.try >= name.try && row.sends > 0 ? { n: row.n } : undefined
}
