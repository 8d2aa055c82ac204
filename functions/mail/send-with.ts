import { noRoom } from '../no-room.ts'
import type { Mailer, OutgoingMessage, SendOutcome } from '../platform.ts'
import type { Right } from './pace.ts'

/**
 * Sends one mail with a right to send, and ends the right. `noRoom`, that very object, when its
 * instant did not come in time: then the outcome is the pace's and not the mailer's.
 */
export async function sendWith(
  right: Right,
  mailer: Pick<Mailer, 'send'>,
  message: OutgoingMessage,
  until: Date,
): Promise<SendOutcome> {
  let leaving: Promise<boolean> | undefined
  const leave = () => {
    leaving ??= right.leave()
    return leaving
  }
  try {
    const outcome = await mailer.send(message, until, leave)
    // What was sent without asking has used up the right all the same.
    if (!leaving && outcome.status !== 'deferred') await leave()
    const isHeldBack = (await leaving?.catch(() => true)) === false
    return isHeldBack && outcome.status === 'deferred' ? noRoom : outcome
  } finally {
    if (!leaving) right.giveBack()
    right.answered()
  }
}
