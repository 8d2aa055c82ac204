import type { Platform } from '../platform.ts'
import { dropChangesOf } from './address-changes.ts'
import { isSettled } from './is-settled.ts'
import { changeSubscriber } from './memberships.ts'
import type { Subscriber } from './subscriber.ts'
import { dropRequests } from './subscription-requests.ts'

/**
 * Forgets a reader. What is left is a stub: the id (a keyed hash), the instant of leaving, and the
 * ledger's watermark and note, because a mail may be in flight. It keeps an import from bringing
 * them back; only they themselves can, by confirming anew. An unknown id is left unknown. Mails that
 * were kept instead of sent go, too; one in flight is the proof of its delivery and stays as long as
 * the outbox keeps it. A change of address under way is forgotten with both its ends.
 */
export async function eraseSubscriber(
  platform: Pick<Platform, 'records' | 'now' | 'outbox'>,
  id: string,
): Promise<void> {
  // First, so that no link in an old mail finds anything to confirm.
  await dropRequests(platform, id)
  let newId: string | undefined
  const left = await changeSubscriber(platform, id, (current) => {
    newId = undefined
    if (!current || current.reason === 'erased') return undefined
    newId = current.movedTo
    return stubOf(current, platform.now())
  })
  // After the stub, which no move goes on from.
  await dropChangesOf(platform, id)
  await forgetMails(platform, id, left)
  // One whose move was all but done is a reader there already.
  if (newId !== undefined) await eraseSubscriber(platform, newId)
}

/**
 * The last step of a change of address: what is left of the old item is a stub that leads to the new
 * one. `false` when it was not on its way there any more, as when the reader left meanwhile.
 */
export async function eraseMoved(
  platform: Pick<Platform, 'records' | 'now' | 'outbox'>,
  id: string,
  newId: string,
): Promise<boolean> {
  const left = await changeSubscriber(platform, id, (current) => {
    if (current?.movedTo !== newId || current.reason === 'erased') return undefined
    return { ...stubOf(current, platform.now()), movedTo: newId }
  })
  if (left?.movedTo !== newId) return false
  await dropRequests(platform, id)
  await forgetMails(platform, id, left)
  return true
}

async function forgetMails(
  platform: Pick<Platform, 'records' | 'now' | 'outbox'>,
  id: string,
  stub: Subscriber | undefined,
): Promise<void> {
  const isUnderWay = stub !== undefined && !(await isSettled(platform, stub))
  await platform.outbox.forget(id, isUnderWay ? stub.note?.run : undefined)
}

function stubOf({ id, watermark, note }: Subscriber, now: Date): Subscriber {
  const { reason: _reason, ...bare } = note ?? {}
  return {
    id,
    state: 'suppressed',
    reason: 'erased',
    categories: {},
    cadence: 'daily',
    at: '00:00',
    timeZone: 'UTC',
    locale: 'en',
    schedule: 'erased',
    watermark,
    // The reason is a mail server's answer, and those often repeat the address.
    ...(note ? { note: bare as typeof note } : {}),
    createdAt: now.toISOString(),
    unsubscribedAt: now.toISOString(),
  }
}
