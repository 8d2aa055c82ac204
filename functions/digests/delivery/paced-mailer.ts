import type { Right } from '../../mail/pace.ts'
import { sendWith } from '../../mail/send-with.ts'
import { noRoom } from '../../no-room.ts'
import type { Mailer } from '../../platform.ts'

export interface PacedMailer extends Mailer {
  /** The right with which the next mail leaves. */
  use(right: Right): void
  /** Gives the right back if no mail left with it. */
  done(): void
}

/**
 * A mailer for one visit at a time: each mail waits for the instant of its right when the mailer says
 * that it is about to leave, so that what claims and their writes take does not crowd mails together.
 * `another` is asked when one visit sends twice, as it settled an older delivery first.
 */
export function pacedMailer(
  mailer: Mailer,
  another: () => Promise<Right | undefined>,
  onRefusal: (seconds: number) => void,
  onSent: () => void,
): PacedMailer {
  let right: Right | undefined
  return {
    // Members that may change are asked each time: a sender may be verified meanwhile.
    get name() {
      return mailer.name
    },
    get evidenceDelaySeconds() {
      return mailer.evidenceDelaySeconds
    },
    get hasFinalEvidence() {
      return mailer.hasFinalEvidence
    },
    quota: () => mailer.quota(),
    evidence: (deliveryId) => mailer.evidence(deliveryId),
    async send(message, until) {
      const mine = right ?? (await another())
      right = undefined
      if (!mine) return noRoom
      const outcome = await sendWith(mine, mailer, message, until)
      if (outcome === noRoom) return noRoom
      if (outcome.status === 'sent') onSent()
      if (outcome.status === 'deferred' && !outcome.address) onRefusal(outcome.retryAfterSeconds)
      return outcome
    },
    use: (next) => {
      right = next
    },
    done: () => {
      right?.giveBack()
      right = undefined
    },
  }
}
