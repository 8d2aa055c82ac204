import { GetIdentityVerificationAttributesCommand, type SESClient } from '@aws-sdk/client-ses'
import type { Mailer } from '../platform.ts'
import { keptAnswer } from './kept-answer.ts'

/** How long an answer of SES about the sender is good for, milliseconds. */
const goodFor = 60_000

/**
 * Sends by SES once SES says that the sender's domain is verified, and keeps mails in the outbox
 * until then: a deployment works before its DNS does, and its first readers are not refused.
 */
export function verifiedMailer({
  client,
  domain,
  ses,
  outbox,
  now,
}: {
  client: SESClient
  domain: string
  ses: Mailer
  outbox: Mailer
  now: () => Date
}): Mailer {
  // https://docs.aws.amazon.com/ses/latest/APIReference/API_GetIdentityVerificationAttributes.html
  const isVerified = keptAnswer(
    async () => {
      const { VerificationAttributes = {} } = await client.send(
        new GetIdentityVerificationAttributesCommand({ Identities: identitiesOf(domain) }),
      )
      return Object.values(VerificationAttributes).some(
        ({ VerificationStatus }) => VerificationStatus === 'Success',
      )
    },
    { milliseconds: goodFor, isFinal: (yes) => yes, now },
  )

  return {
    // As SES's: a delivery claimed before the change may be judged after it.
    name: ses.name,
    evidenceDelaySeconds: ses.evidenceDelaySeconds,
    hasFinalEvidence: false,
    async send(message, until, leave) {
      let mailer: Mailer
      try {
        mailer = (await isVerified()) ? ses : outbox
      } catch (error) {
        // Nothing has left yet; a throw would count as a mail of which nobody knows.
        const reason = `SES did not say whether it knows the sender: ${(error as Error).name}`
        return { status: 'deferred', reason, retryAfterSeconds: 5 }
      }
      return mailer.send(message, until, leave)
    },
    quota: async () => ((await isVerified()) ? ses : outbox).quota(),
    async evidence(deliveryId) {
      if ((await outbox.evidence(deliveryId)) === 'accepted') return 'accepted'
      return ses.evidence(deliveryId)
    },
  }
}

/** A verified domain covers those below it: https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html */
function identitiesOf(domain: string): string[] {
  const labels = domain.toLowerCase().split('.')
  const parents = labels.slice(0, -1).map((_, i) => labels.slice(i).join('.'))
  return parents.length > 0 ? parents : [domain]
}
