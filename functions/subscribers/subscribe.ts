import { randomBytes } from 'node:crypto'
import type { Platform } from '../platform.ts'
import { normaliseAddress, subscriberIdOf } from './address.ts'
import { moveReader } from './change-address.ts'
import { rhythmOf, startingNow } from './choices.ts'
import { changeSubscriber } from './memberships.ts'
import { presentPreferences } from './present-names.ts'
import { getSubscriber } from './store.ts'
import { type Consent, isReader, type Preferences, type Subscriber } from './subscriber.ts'
import {
  dropRequests,
  keepRequest,
  mailedRequest,
  type SubscriptionRequest,
} from './subscription-requests.ts'

export interface SubscriptionWish {
  /** As typed. */
  email: string
  preferences: Preferences
  consent: Omit<Consent, 'at'>
  /** The id of the reader whose address this is to become. */
  changeFrom?: string
}

/**
 * Keeps what somebody asks for and has one mail sent to the address: a confirmation, or for a
 * reader who is confirmed the link to the preferences; nothing to a suppressed address. It reads
 * nothing and writes the same for every address, so neither its answer nor its time tells whether
 * an address is known. Nobody is subscribed by it.
 *
 * @throws `subscriber.email`
 */
export async function requestSubscription(
  platform: Pick<Platform, 'records' | 'jobs' | 'now' | 'secrets' | 'settings'>,
  wish: SubscriptionWish,
): Promise<{ subscriberId: string }> {
  const { jobs, now, settings } = platform
  const email = normaliseAddress(wish.email)
  const id = subscriberIdOf(platform, email)
  const at = now()
  const expires = new Date(at.getTime() + settings.keep.unconfirmedDays * dayMs)
  await keepRequest(platform, id, {
    email,
    wanted: wish.preferences,
    nonce: randomBytes(12).toString('base64url'),
    consent: { at: at.toISOString(), ...wish.consent },
    ...(wish.changeFrom ? { changeFrom: wish.changeFrom } : {}),
    expires: expires.toISOString(),
  })
  await jobs.enqueue([{ kind: 'confirm', subscriberId: id }])
  return { subscriberId: id }
}

/**
 * Makes an unknown reader visible as pending until the request expires. Others are left as they
 * are: what a stranger asks for shows nowhere.
 */
export async function keepPending(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  request: SubscriptionRequest,
): Promise<Subscriber | undefined> {
  return changeSubscriber(platform, id, (current) => {
    if (current && current.state !== 'pending') return undefined
    return {
      ...(current ?? newReader(id, request.wanted, platform.now())),
      ...rhythmOf(request.wanted),
      email: request.email,
      wanted: request.wanted,
      expires: request.expires,
    }
  })
}

export type Confirmation =
  /** Also when the button was pressed before, or the reader was confirmed otherwise. */
  | { status: 'confirmed'; subscriber: Subscriber }
  /** An address is changed as soon as no mail to the old one is under way. */
  | { status: 'moving'; subscriber: Subscriber }
  | { status: 'expired' }

/**
 * Confirms what the mail with this nonce described. Repeating it changes nothing; a link from
 * before the reader left, was erased or suppressed does not bring them back.
 */
export async function confirmSubscription(
  platform: Pick<Platform, 'records' | 'now' | 'settings' | 'outbox'>,
  id: string,
  nonce: string,
): Promise<Confirmation> {
  const request = await pendingConfirmation(platform, id, nonce)
  if (!request) {
    const known = (await getSubscriber(platform, id))?.value
    return known && isReader(known)
      ? { status: 'confirmed', subscriber: known }
      : { status: 'expired' }
  }
  if (request.changeFrom) {
    const outcome = await moveReader(platform, id, request)
    if (outcome.status !== 'waiting') await dropRequests(platform, id)
    if (outcome.status === 'waiting') return { status: 'moving', subscriber: outcome.subscriber }
    return outcome.status === 'moved'
      ? { status: 'confirmed', subscriber: outcome.subscriber }
      : { status: 'expired' }
  }
  const subscriber = await changeSubscriber(platform, id, (current, head) => {
    if (!mayConfirm(current, request)) return undefined
    return {
      ...startingNow(
        current ?? newReader(id, request.wanted, platform.now()),
        request.wanted,
        head,
      ),
      email: request.email,
      consent: request.consent,
      confirmedAt: platform.now().toISOString(),
    }
  })
  if (!subscriber || !isReader(subscriber)) return { status: 'expired' }
  await dropRequests(platform, id)
  return { status: 'confirmed', subscriber }
}

/** What the mail with this nonce described, by the present names of categories, until it is confirmed. */
export async function pendingConfirmation(
  platform: Pick<Platform, 'records' | 'settings'>,
  id: string,
  nonce: string,
): Promise<SubscriptionRequest | undefined> {
  const request = await mailedRequest(platform, id, nonce)
  return request && { ...request, wanted: presentPreferences(request.wanted, platform.settings) }
}

/** A reader who was never confirmed. The watermark starts at 0: what is owed is bounded by `since`. */
export function newReader(id: string, wanted: Preferences, now: Date): Subscriber {
  return {
    id,
    state: 'pending',
    categories: {},
    ...rhythmOf(wanted),
    watermark: 0,
    createdAt: now.toISOString(),
  }
}

/** Whether one who is not subscribed may (again) be by a proof of this instant. */
export function mayConfirm(
  current: Subscriber | undefined,
  request: Pick<SubscriptionRequest, 'consent'>,
): boolean {
  if (!current) return true
  if (isReader(current)) return false
  if (current.state === 'suppressed' && current.reason !== 'erased') return false
  return current.unsubscribedAt === undefined || request.consent.at >= current.unsubscribedAt
}

const dayMs = 24 * 60 * 60 * 1000
