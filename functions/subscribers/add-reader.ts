import type { Platform } from '../platform.ts'
import { subscriberIdOf } from './address.ts'
import { startingNow } from './choices.ts'
import { changeSubscriber } from './memberships.ts'
import { mayConfirm, newReader } from './subscribe.ts'
import { type Consent, isReader, type Preferences, type Subscriber } from './subscriber.ts'
import { dropRequests } from './subscription-requests.ts'

export type AddOutcome =
  | { status: 'added'; subscriber: Subscriber }
  /** A reader already, whose choices and proof stay as they are. */
  | { status: 'reader'; subscriber: Subscriber }
  /** They left, and the consent is not later. */
  | { status: 'left' }
  /** Bounced, complained or erased: no mail, whatever a list says. */
  | { status: 'suppressed' }

/**
 * Makes a reader of one whose consent was proven elsewhere, in a list or by the publisher's own
 * form. Takes a normalised address. Owed is what is listed from now on; a note of a mail in flight is
 * kept. Repeatable.
 */
export async function addByProof(
  platform: Pick<Platform, 'records' | 'now' | 'secrets'>,
  email: string,
  preferences: Preferences,
  consent: Consent,
): Promise<AddOutcome> {
  const id = subscriberIdOf(platform, email)
  let status = 'added' as AddOutcome['status']
  const subscriber = await changeSubscriber(platform, id, (current, head) => {
    status = 'added'
    if (current && isReader(current)) status = 'reader'
    else if (current?.state === 'suppressed') status = 'suppressed'
    else if (!mayConfirm(current, { consent })) status = 'left'
    if (status !== 'added') return undefined
    return {
      ...startingNow(current ?? newReader(id, preferences, platform.now()), preferences, head),
      email,
      consent,
      confirmedAt: consent.at,
    }
  })
  if (status === 'left' || status === 'suppressed' || !subscriber) {
    return { status: status === 'suppressed' ? 'suppressed' : 'left' }
  }
  if (status === 'added') await dropRequests(platform, id)
  return { status, subscriber }
}
