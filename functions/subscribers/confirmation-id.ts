import { randomBytes } from 'node:crypto'

/** A new delivery id for a mail of the confirmation kind; it names the reader, never an address. */
export function newConfirmationId(subscriberId: string): string {
  return `confirm_${subscriberId}_${randomBytes(9).toString('base64url')}`
}

/** The reader whom such a delivery id names; `undefined` for an id of another kind. */
export function readConfirmationId(deliveryId: string): string | undefined {
  return /^confirm_([0-9a-f]{32})_[A-Za-z0-9_-]{12}$/.exec(deliveryId)?.[1]
}
