import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'

/** The one mail of the confirmation kind that an address may get in 24 hours. */
export interface ConfirmationClaim {
  state: 'sending' | 'sent' | 'deferred'
  deliveryId: string
  /** RFC 3339: until when this attempt is its worker's, or from when a deferred one may go on. */
  until: string
  /** Sends begun within the 24 hours. */
  sends: number
}

/** What became of the mail of the last 24 hours; `undefined` when none was begun. */
export async function readConfirmation(
  { records }: Pick<Platform, 'records'>,
  subscriberId: string,
): Promise<ConfirmationClaim | undefined> {
  return (await records.get<ConfirmationClaim>(recordKeys.confirmation(subscriberId)))?.value
}
