import { addressChangeEmail } from '../../templates/emails/address-change-email.tsx'
import { confirmationEmail } from '../../templates/emails/confirmation-email.tsx'
import { preferencesLinkEmail } from '../../templates/emails/preferences-link-email.tsx'
import { recordKeys, urlPaths } from '../keys.ts'
import {
  deliveryHeader,
  messageIdOf,
  noticeHeaders,
  parseMailbox,
  senderOf,
} from '../mail/headers.ts'
import { plainMessage } from '../mail/message.ts'
import { sendTransactional } from '../mail/send-transactional.ts'
import type { Platform, StoredRecord } from '../platform.ts'
import { categoryTitles } from '../posts/categories.ts'
import { standsStill } from '../stands-still.ts'
import type { ConfirmationClaim as Claim } from './confirmation-claim.ts'
import { newConfirmationId } from './confirmation-id.ts'
import { signLink } from './links.ts'
import { presentPreferences } from './present-names.ts'
import { getSubscriber } from './store.ts'
import { keepPending } from './subscribe.ts'
import { isReader, type Subscriber } from './subscriber.ts'
import {
  confirmationDue,
  keepMailedRequest,
  latestRequest,
  type SubscriptionRequest,
} from './subscription-requests.ts'

const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs
const leaseMs = 120_000
/** A worker that dies again and again between claim and send must not mail each time. */
const maxSends = 3

/**
 * Sends what was asked for with an address: a confirmation, the link to the preferences for a
 * reader, nothing to a suppressed one. At most one a day goes to an address, whoever asks and how
 * often. The claim is made here and not by the request: a crash before the send leaves a lease that
 * runs out, never a locked door. An unclear answer counts as sent. What is put off for now is sent
 * by a later job or tick. Repeating it is harmless.
 */
export async function sendConfirmation(platform: Platform, subscriberId: string): Promise<void> {
  const due = await confirmationDue(platform, subscriberId)
  const request = await latestRequest(platform, subscriberId)
  if (!request) return settle(platform, due)

  const subscriber =
    request.changeFrom === undefined
      ? await keepPending(platform, subscriberId, request)
      : (await getSubscriber(platform, subscriberId))?.value
  const isSuppressed = subscriber?.state === 'suppressed' && subscriber.reason !== 'erased'
  if (isSuppressed) return settle(platform, due)

  const claim = await claimMail(platform, subscriberId)
  if (claim === 'taken') return settle(platform, due)
  if (claim === 'busy') return

  await keepMailedRequest(platform, subscriberId, request)
  const message = await compose(platform, subscriberId, request, subscriber, claim.value.deliveryId)
  const outcome = await sendTransactional(
    platform,
    {
      deliveryId: claim.value.deliveryId,
      from: parseMailbox(message.from).address,
      to: request.email,
      raw: message.raw,
    },
    new Date(claim.value.until),
  )
  switch (outcome.status) {
    case 'sent':
    case 'unclear':
    case 'rejected': {
      if (outcome.status !== 'sent') {
        platform.log.warn(`confirmation.${outcome.status}`, { subscriberId })
      }
      // Refused for a reason of ours, nothing left: the reader may try again when it is mended.
      const isOurFault = outcome.status === 'rejected' && !outcome.address
      await record(platform, claim, { ...claim.value, state: 'sent' }, isOurFault ? hourMs : dayMs)
      return settle(platform, due)
    }
    case 'deferred': {
      const wait = Math.max(1, outcome.retryAfterSeconds)
      const until = new Date(platform.now().getTime() + wait * 1000).toISOString()
      await record(
        platform,
        claim,
        { ...claim.value, state: 'deferred', until },
        dayMs + wait * 1000,
      )
      platform.log.warn('confirmation.deferred', { subscriberId, seconds: wait })
      await platform.jobs.enqueue([{ kind: 'confirm', subscriberId }], {
        delaySeconds: Math.min(900, wait),
      })
    }
  }
}

/**
 * Enqueues again what has been due for two minutes: its job was lost, put off or died. Gives back
 * how many. A request of which no mail could be sent within `mail.patience` hours is left to expire.
 */
export async function driveConfirmations(
  platform: Pick<Platform, 'records' | 'jobs' | 'now' | 'settings'>,
): Promise<number> {
  const now = platform.now()
  const patience = platform.settings.mail.patience * hourMs
  let driven = 0
  let cursor: string | undefined
  do {
    const page = await platform.records.query<{ at: string }>(
      recordKeys.confirmationsDue,
      cursor ? { cursor } : {},
    )
    const standing: string[] = []
    for (const record of page.records) {
      const { at } = record.value
      if (now.getTime() - Date.parse(at) > patience) await settle(platform, record)
      else if (standsStill(at, now)) standing.push(record.sort)
    }
    if (standing.length > 0) {
      await platform.jobs.enqueue(
        standing.map((subscriberId) => ({ kind: 'confirm', subscriberId }) as const),
      )
    }
    driven += standing.length
    cursor = page.cursor
  } while (cursor)
  return driven
}

/**
 * `taken`: this day's mail went out. `busy`: another worker has it, or it is put off. An expired
 * attempt is judged by the mailer's evidence; where there is none it is sent again, because a reader
 * who waits in vain is worse than one mail too many.
 */
async function claimMail(
  { records, now, mailer }: Platform,
  subscriberId: string,
): Promise<StoredRecord<Claim> | 'taken' | 'busy'> {
  const key = recordKeys.confirmation(subscriberId)
  const stored = await records.get<Claim>(key)
  if (stored) {
    const { state, until, sends, deliveryId } = stored.value
    if (state === 'sent') return 'taken'
    if (Date.parse(until) > now().getTime()) return 'busy'
    if (state === 'sending') {
      if (sends >= maxSends) return 'taken'
      if ((await mailer.evidence(deliveryId)) === 'accepted') {
        await records.put(
          { ...key, value: { ...stored.value, state: 'sent' }, expiresAt: inMs(now(), dayMs) },
          { ifVersion: stored.version },
        )
        return 'taken'
      }
    }
  }
  const value: Claim = {
    state: 'sending',
    deliveryId: newConfirmationId(subscriberId),
    until: inMs(now(), leaseMs).toISOString(),
    // What was put off never left.
    sends: (stored?.value.state === 'sending' ? stored.value.sends : 0) + 1,
  }
  const expiresAt = inMs(now(), dayMs)
  const outcome = await records.put(
    { ...key, value, expiresAt },
    stored ? { ifVersion: stored.version } : { ifAbsent: true },
  )
  if (outcome.status === 'conflict') return 'busy'
  return { ...key, value, expiresAt, version: outcome.version }
}

/** Only while the claim is still this worker's: one that woke up late changes nothing. */
async function record(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  claim: StoredRecord<Claim>,
  value: Claim,
  keepMs: number,
) {
  const { partition, sort, version } = claim
  await records.put(
    { partition, sort, value, expiresAt: inMs(now(), keepMs) },
    { ifVersion: version },
  )
}

/** Takes the request off the list of what is due, unless it was asked for anew meanwhile. */
async function settle(
  { records }: Pick<Platform, 'records'>,
  due: StoredRecord<{ at: string }> | undefined,
) {
  if (due) await records.delete(due, { ifVersion: due.version })
}

async function compose(
  platform: Platform,
  subscriberId: string,
  request: SubscriptionRequest,
  subscriber: Subscriber | undefined,
  deliveryId: string,
) {
  const { settings } = platform
  const { baseUrl } = settings.site
  const confirmUrl = (purpose: 'confirm' | 'change-address') =>
    baseUrl +
    urlPaths.confirm(
      signLink(platform, purpose, subscriberId, {
        expires: new Date(request.expires),
        extra: request.nonce,
      }),
    )
  const isKnown = subscriber !== undefined && isReader(subscriber)
  const wanted = presentPreferences(request.wanted, settings)
  const locale = isKnown ? subscriber.locale : wanted.locale
  const email = request.changeFrom
    ? addressChangeEmail({ settings, locale, confirmUrl: confirmUrl('change-address') })
    : isKnown
      ? preferencesLinkEmail({
          settings,
          locale,
          preferencesUrl:
            baseUrl + urlPaths.preferences(signLink(platform, 'preferences', subscriberId)),
        })
      : confirmationEmail({
          settings,
          locale,
          confirmUrl: confirmUrl('confirm'),
          preferences: wanted,
          categoryTitles: await titlesOf(platform, wanted.categories),
        })
  const from = senderOf(settings)
  const { replyTo } = settings.mail
  const raw = plainMessage({
    from,
    ...(replyTo ? { replyTo } : {}),
    ...email,
    headers: { ...noticeHeaders, ...deliveryHeader(deliveryId) },
    to: request.email,
    messageId: messageIdOf(deliveryId, settings),
    date: platform.now(),
  })
  return { from, raw }
}

async function titlesOf(platform: Platform, slugs: readonly string[]): Promise<string[]> {
  if (slugs.length === 0) return []
  const titles = await categoryTitles(platform)
  return slugs.map((slug) => titles.get(slug) ?? slug)
}

const inMs = (now: Date, ms: number) => new Date(now.getTime() + ms)
