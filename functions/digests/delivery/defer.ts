import { createHash } from 'node:crypto'
import { getSubscriber, putSubscriber } from '../../subscribers/store.ts'
import type { DeliveryNote } from '../../subscribers/subscriber.ts'
import type { Ledger } from './ledger.ts'

/**
 * Protocol C5: puts off what was refused for now, while the token is ours. Gives back when it is due
 * again, RFC 3339; nothing when somebody else has taken it over.
 */
export async function defer(
  platform: Ledger['platform'],
  readerId: string,
  { token }: Pick<DeliveryNote, 'token'>,
  refusal: { reason: string; retryAfterSeconds: number; address?: boolean },
): Promise<{ dueAt?: string }> {
  for (;;) {
    const item = await getSubscriber(platform, readerId)
    const note = item?.value.note
    if (!item || note?.token !== token || note.phase !== 'fly') return {}
    const now = platform.now().getTime()
    const retryAfter = new Date(now + pauseSeconds(refusal, note) * 1000).toISOString()
    const deferred: DeliveryNote = {
      ...note,
      phase: 'deferred',
      at: new Date(now).toISOString(),
      retryAfter,
      reason: refusal.reason.slice(0, 300),
      ...(refusal.address ? { byAddress: true } : {}),
    }
    const next = { ...item.value, note: deferred }
    const outcome = await putSubscriber(platform, next, item.version)
    if (outcome.status === 'stored') return { dueAt: retryAfter }
  }
}

/**
 * Pauses that double with each refusal, up to an hour; a busy service's begin with what it asked
 * for and end at a quarter of an hour. Spread by the token, so that those refused together do not come
 * back together; never shorter than asked for.
 */
function pauseSeconds(
  refusal: { retryAfterSeconds: number; address?: boolean },
  note: DeliveryNote,
): number {
  const asked = Math.min(Math.max(refusal.retryAfterSeconds, 1), 3600)
  const [first, most] = refusal.address ? [60, 3600] : [asked, 900]
  const grown = Math.min(first * 2 ** Math.min(note.sends - 1, 10), most)
  // Hashed: tokens of one process are counted and would all but agree.
  const dice = createHash('sha256').update(note.token).digest().readUInt32BE() / 2 ** 32
  const spread = 0.8 + 0.4 * dice
  return Math.round(Math.max(asked * (0.2 + spread), grown * spread))
}
