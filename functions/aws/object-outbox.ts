import { objectKeys } from '../keys.ts'
import type { Mailer, ObjectStore } from '../platform.ts'

/**
 * Keeps each mail as an object under `outbox/`, while there is no sender that may send. The object
 * is the evidence of its delivery.
 */
export function objectOutbox({ objects, now }: { objects: ObjectStore; now: () => Date }): Mailer {
  return {
    name: 'outbox',
    evidenceDelaySeconds: 0,
    hasFinalEvidence: true,
    async send({ deliveryId, raw }, until) {
      if (now() >= until) return { status: 'deferred', reason: 'too late', retryAfterSeconds: 60 }
      await objects.put(objectKeys.outbox(deliveryId), raw, { contentType: 'message/rfc822' })
      return { status: 'sent' }
    },
    quota: async () => ({}),
    evidence: async (deliveryId) =>
      (await objects.get(objectKeys.outbox(deliveryId))) ? 'accepted' : 'none',
  }
}
