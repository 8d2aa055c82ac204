import type { Platform } from '../platform.ts'
import { changeSubscriber } from './memberships.ts'
import type { Subscriber } from './subscriber.ts'
import { dropRequests } from './subscription-requests.ts'

/**
 * Forgets a reader. What is left is a stub: the id (a keyed hash), the instant of leaving, and the
 * ledger's watermark and note, because a mail may be in flight. It keeps an import from bringing
 * them back; only they themselves can, by confirming anew. An unknown id is left unknown. Mails that
 * were kept instead of sent go, too; one in flight is the proof of its delivery and stays as long as
 * the outbox keeps it.
 */
export async function eraseSubscriber(
  platform: Pick<Platform, 'records' | 'now' | 'outbox'>,
  id: string,
): Promise<boolean> {
  // First, so that no link in an old mail finds anything to confirm.
  await dropRequests(platform, id)
  const left = await changeSubscriber(platform, id, (current) => {
    if (!current || current.reason === 'erased') return undefined
    return stubOf(current, platform.now())
  })
  const { note } = left ?? {}
  await platform.outbox?.forget(id, note?.phase === 'fly' ? note.run : undefined)
  return left !== undefined
}

function stubOf({ id, watermark, note, movedTo }: Subscriber, now: Date): Subscriber {
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
    ...(movedTo ? { movedTo } : {}),
    createdAt: now.toISOString(),
    unsubscribedAt: now.toISOString(),
  }
}
