import { objectKeys } from '../keys.ts'
import { noRoom } from '../no-room.ts'
import type { Mailer, ObjectStore, Outbox } from '../platform.ts'

/** Mails of one reader that are removed together. */
const atATime = 25

/**
 * Keeps each mail as an object under `outbox/`, while there is no sender that may send. The object
 * is the evidence of its delivery. A rule of the bucket removes it when it is old enough.
 */
export function objectOutbox({ objects, now }: { objects: ObjectStore; now: () => Date }): Mailer {
  return {
    name: 'outbox',
    evidenceDelaySeconds: 0,
    hasFinalEvidence: true,
    async send({ deliveryId, raw }, until, leave) {
      if (leave && !(await leave())) return noRoom
      if (now() >= until) return { status: 'deferred', reason: 'too late', retryAfterSeconds: 60 }
      await objects.put(objectKeys.outbox(deliveryId), raw, { contentType: 'message/rfc822' })
      return { status: 'sent' }
    },
    quota: async () => ({}),
    evidence: async (deliveryId) =>
      (await objects.get(objectKeys.outbox(deliveryId))) ? 'accepted' : 'none',
  }
}

/** The mails that `objectOutbox` kept. A reader's lie together: nobody else's are listed for them. */
export function keptObjects({ objects }: { objects: ObjectStore }): Outbox {
  return {
    async forget(subscriberId, exceptRun) {
      const prefix = objectKeys.outboxOf(subscriberId)
      let after: string | undefined
      for (;;) {
        const page = await objects.list(prefix, {
          limit: atATime,
          ...(after === undefined ? {} : { after }),
        })
        const going = page.objects.filter(
          ({ key }) => exceptRun === undefined || !key.startsWith(`${prefix}${exceptRun}_`),
        )
        await Promise.all(going.map(({ key }) => objects.delete(key)))
        after = page.objects.at(-1)?.key
        if (!page.more || after === undefined) return
      }
    },
  }
}
