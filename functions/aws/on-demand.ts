import type { JobQueue, Mailer, ObjectStore } from '../platform.ts'
import type { InboxBucket } from './inbox-bucket.ts'

/*
 * Adapters whose SDK client is loaded with the first call. Most starts of a function touch only some
 * of them (a form no bucket, a tick no mail), and each client costs tens of milliseconds.
 */

export function objectsOnDemand(load: () => Promise<ObjectStore>): ObjectStore {
  const store = once(load)
  return {
    get: async (key) => (await store()).get(key),
    put: async (key, body, options) => (await store()).put(key, body, options),
    delete: async (key) => (await store()).delete(key),
    list: async (prefix, options) => (await store()).list(prefix, options),
  }
}

export function inboxOnDemand(load: () => Promise<InboxBucket>): InboxBucket {
  const inbox = once(load)
  return {
    get: async (key, most) => (await inbox()).get(key, most),
    has: async (key) => (await inbox()).has(key),
    remove: async (key, etag) => (await inbox()).remove(key, etag),
    list: async (after) => (await inbox()).list(after),
  }
}

export function jobsOnDemand(load: () => Promise<JobQueue>): JobQueue {
  const queue = once(load)
  return {
    // Nothing to enqueue is frequent, and loads nothing.
    enqueue: async (jobs, options) =>
      jobs.length === 0 ? [] : (await queue()).enqueue(jobs, options),
    receive: async (lane, options) => (await queue()).receive(lane, options),
    complete: async (receipt) => (await queue()).complete(receipt),
    release: async (receipt, options) => (await queue()).release(receipt, options),
    deadLetters: async (options) => (await queue()).deadLetters(options),
    redrive: async (ids) => (await queue()).redrive(ids),
  }
}

/** `known` is what a caller asks of the mailer without waiting for it. */
export function mailerOnDemand(
  known: Pick<Mailer, 'name' | 'evidenceDelaySeconds' | 'hasFinalEvidence'>,
  load: () => Promise<Mailer>,
): Mailer {
  const mailer = once(load)
  return {
    ...known,
    send: async (message, until, leave) => (await mailer()).send(message, until, leave),
    quota: async () => (await mailer()).quota(),
    evidence: async (deliveryId) => (await mailer()).evidence(deliveryId),
  }
}

/** A failed load is tried again with the next call. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined
  return () => {
    loaded ??= load().catch((error) => {
      loaded = undefined
      throw error
    })
    return loaded
  }
}
