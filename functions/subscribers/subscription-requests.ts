import { recordKeys } from '../keys.ts'
import type { Platform, StoredRecord } from '../platform.ts'
import type { Consent, Preferences } from './subscriber.ts'

/**
 * What somebody asked for with an address that is not proven yet. It is kept beside the reader's
 * item, under the same id, so that a stranger's request changes nothing of a reader who is known,
 * left or erased, and is forgotten by itself.
 *
 * `latest` is what the next mail will describe. Sending copies it under its nonce, and the mail's
 * link names that nonce: pressing the button confirms what that mail said, not what somebody else
 * has asked for meanwhile; and a stranger's later request cannot make a link useless.
 */
export interface SubscriptionRequest {
  /** As it is mailed. */
  email: string
  wanted: Preferences
  /** 16 characters, random. */
  nonce: string
  consent: Consent
  /** The id of the reader whose address this is to become. */
  changeFrom?: string
  /** RFC 3339. */
  expires: string
}

const latest = 'latest'

type Records = Pick<Platform, 'records'>

/** Replaces what was asked for before, and notes that a mail is due. */
export async function keepRequest(
  { records }: Records,
  id: string,
  request: SubscriptionRequest,
): Promise<void> {
  const expiresAt = new Date(request.expires)
  await records.put({
    ...recordKeys.subscriptionRequest(id, latest),
    value: request,
    expiresAt,
  })
  await records.put({
    ...recordKeys.confirmationDue(id),
    value: { at: request.consent.at },
    expiresAt,
  })
}

export async function latestRequest(
  { records }: Records,
  id: string,
): Promise<SubscriptionRequest | undefined> {
  const key = recordKeys.subscriptionRequest(id, latest)
  return (await records.get<SubscriptionRequest>(key))?.value
}

/** Called before the mail leaves, so that its link works however it goes on. */
export async function keepMailedRequest(
  { records }: Records,
  id: string,
  request: SubscriptionRequest,
): Promise<void> {
  await records.put({
    ...recordKeys.subscriptionRequest(id, request.nonce),
    value: request,
    expiresAt: new Date(request.expires),
  })
}

/** What the mail with this nonce described, or `undefined` once it is confirmed, withdrawn or expired. */
export async function mailedRequest(
  { records }: Records,
  id: string,
  nonce: string,
): Promise<SubscriptionRequest | undefined> {
  if (nonce === latest) return undefined
  const key = recordKeys.subscriptionRequest(id, nonce)
  return (await records.get<SubscriptionRequest>(key))?.value
}

/** Forgets all that was asked for: it is confirmed or withdrawn. Every link in a mail about it is dead. */
export async function dropRequests({ records }: Records, id: string): Promise<void> {
  const page = await records.query(recordKeys.subscriptionRequests(id))
  await Promise.all(page.records.map((record) => records.delete(record)))
  await records.delete(recordKeys.confirmationDue(id))
}

/** The note that a mail is due, with the version at which it may be removed. */
export function confirmationDue(
  { records }: Records,
  id: string,
): Promise<StoredRecord<{ at: string }> | undefined> {
  return records.get<{ at: string }>(recordKeys.confirmationDue(id))
}
