import { ServiceError } from '../../errors.ts'
import { urlPaths } from '../../keys.ts'
import { messageIdOf, parseMailbox, senderOf } from '../../mail/headers.ts'
import { linkPlaceholders, personalise } from '../../mail/message.ts'
import { sendTransactional } from '../../mail/send-transactional.ts'
import type { Platform } from '../../platform.ts'
import { normaliseAddress } from '../../subscribers/address.ts'
import { linkLength } from '../../subscribers/links.ts'
import { newToken } from '../delivery/claim-token.ts'
import { leaseSeconds } from '../delivery/ledger.ts'
import type { Run } from '../runs/run.ts'
import { composeBulk, type DigestText } from './compose-digest.ts'

/** A mail as it would reach a reader. */
export interface PreviewedMail {
  subject: string
  html: string
  text: string
  /** The whole message. */
  eml: Uint8Array
  /** The test mail was taken by the mail server. */
  mailedTo?: string
}

type Source = Pick<Platform, 'records' | 'settings' | 'mailer' | 'now'>

/**
 * A mail made whole with links that lead nowhere; with `to` it is mailed there too, marked as a test.
 *
 * @throws `subscriber.email` for an address that cannot be one; `mail.not-sent`.
 */
export async function previewMessage(
  platform: Source,
  {
    run,
    mail,
    date,
    to: wanted,
  }: { run: Pick<Run, 'id' | 'kind'>; mail: DigestText; date: Date; to: string | undefined },
): Promise<PreviewedMail> {
  const { settings } = platform
  const text = { ...mail, subject: wanted ? `[Test] ${mail.subject}` : mail.subject }
  const deliveryId = `test_${newToken()}`
  const to = wanted === undefined ? 'reader@example.org' : normaliseAddress(wanted)
  const links = sampleLinks(settings.site.baseUrl)
  const eml = personalise(composeBulk(settings, run, text), {
    to,
    messageId: messageIdOf(deliveryId, settings),
    date,
    links,
  })
  if (wanted !== undefined) await mailTest(platform, { deliveryId, to, raw: eml })
  const filled = (body: string) =>
    body
      .replaceAll(linkPlaceholders.preferences, links.preferences)
      .replaceAll(linkPlaceholders.unsubscribe, links.unsubscribe)
  return {
    subject: text.subject,
    html: filled(text.html),
    text: filled(text.text),
    eml,
    ...(wanted === undefined ? {} : { mailedTo: to }),
  }
}

async function mailTest(
  platform: Source,
  message: { deliveryId: string; to: string; raw: Uint8Array },
): Promise<void> {
  const from = parseMailbox(senderOf(platform.settings)).address
  const until = new Date(platform.now().getTime() + leaseSeconds * 1000)
  const outcome = await sendTransactional(platform, { ...message, from }, until)
  if (outcome.status === 'sent') return
  throw new ServiceError(
    502,
    'mail.not-sent',
    `The test was not mailed (${outcome.status}). Check the mail settings with \`broadsheet doctor\`, then try again.`,
  )
}

/** As long as a reader's own, and signed by nobody. */
function sampleLinks(baseUrl: string): { preferences: string; unsubscribe: string } {
  const token = 'preview'.padEnd(linkLength, '-')
  return {
    preferences: `${baseUrl}${urlPaths.preferences(token)}`,
    unsubscribe: `${baseUrl}${urlPaths.unsubscribe(token)}`,
  }
}
