import { noRoom } from '../no-room.ts'
import type { OutgoingMessage, Platform, SendOutcome } from '../platform.ts'
import { paceOf } from './pace.ts'
import { sendWith } from './send-with.ts'

/**
 * Sends what a person waits for: within the same quota as bulk but ahead of it, after some seconds
 * at most. `deferred` when the quota has no room for it; then nothing was handed to the mailer.
 */
export async function sendTransactional(
  platform: Pick<Platform, 'records' | 'mailer' | 'settings' | 'now'>,
  message: Omit<OutgoingMessage, 'kind'>,
  until: Date,
): Promise<SendOutcome> {
  const right = await paceOf(platform).takeAhead()
  if (right === 'spent') {
    return { status: 'deferred', reason: 'the quota of the day is used up', retryAfterSeconds: 900 }
  }
  const crowded = { ...noRoom, retryAfterSeconds: 10 }
  if (right === 'late') return crowded
  const outcome = await sendWith(
    right,
    platform.mailer,
    { ...message, kind: 'transactional' },
    until,
  )
  return outcome === noRoom ? crowded : outcome
}
