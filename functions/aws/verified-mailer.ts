import { GetIdentityVerificationAttributesCommand, type SESClient } from '@aws-sdk/client-ses'
import type { Mailer } from '../platform.ts'

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
  let known: { isVerified: boolean; at: number } | undefined

  // https://docs.aws.amazon.com/ses/latest/APIReference/API_GetIdentityVerificationAttributes.html
  async function isVerified() {
    const at = now().getTime()
    if (known && (known.isVerified || Math.abs(at - known.at) < goodFor)) return known.isVerified
    const { VerificationAttributes = {} } = await client.send(
      new GetIdentityVerificationAttributesCommand({ Identities: identitiesOf(domain) }),
    )
    const isVerified = Object.values(VerificationAttributes).some(
      ({ VerificationStatus }) => VerificationStatus === 'Success',
    )
    known = { isVerified, at }
    return known.isVerified
  }

  return {
    // As SES's: a delivery claimed before the change may be judged after it.
    name: ses.name,
    evidenceDelaySeconds: ses.evidenceDelaySeconds,
    hasFinalEvidence: false,
    send: async (message, until) => ((await isVerified()) ? ses : outbox).send(message, until),
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
