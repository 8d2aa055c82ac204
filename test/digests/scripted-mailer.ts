import { noRoom } from '../../functions/no-room.ts'
import type { Mailer, OutgoingMessage, SendOutcome } from '../../functions/platform.ts'

export interface ScriptedMailer extends Mailer {
  readonly sent: OutgoingMessage[]
  /** Decides about each send; what it leaves open is sent. */
  answer: (message: OutgoingMessage) => SendOutcome | undefined
}

/** Keeps what it is given, and answers as a test says. It can prove what it sent unless told otherwise. */
export function scriptedMailer(options: { hasEvidence?: boolean } = {}): ScriptedMailer {
  const { hasEvidence = true } = options
  const sent: OutgoingMessage[] = []
  const mailer: ScriptedMailer = {
    name: 'scripted',
    sent,
    answer: () => undefined,
    async send(message, _until, leave) {
      if (leave && !(await leave())) return noRoom
      const outcome = mailer.answer(message) ?? { status: 'sent' }
      if (outcome.status === 'sent') sent.push(message)
      return outcome
    },
    quota: async () => ({}),
    evidence: async (id) => {
      if (!hasEvidence) return 'cannot tell'
      return sent.some(({ deliveryId }) => deliveryId === id) ? 'accepted' : 'none'
    },
    evidenceDelaySeconds: 0,
    hasFinalEvidence: hasEvidence,
  }
  return mailer
}
