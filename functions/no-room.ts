import type { SendOutcome } from './platform.ts'

/** What a mailer says of a mail that `leave` did not let go: nothing left, and soon there is room. */
export const noRoom: Extract<SendOutcome, { status: 'deferred' }> = {
  status: 'deferred',
  reason: 'no room within the rate',
  retryAfterSeconds: 1,
}
