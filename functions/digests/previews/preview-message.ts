import { urlPaths } from '../../keys.ts'
import { messageIdOf } from '../../mail/headers.ts'
import { linkPlaceholders, personalise } from '../../mail/message.ts'
import type { Platform } from '../../platform.ts'
import { normaliseAddress } from '../../subscribers/address.ts'
import { linkLength } from '../../subscribers/links.ts'
import { newToken } from '../delivery/claim-token.ts'
import { composeBulk, type DigestText } from '../editions/compose-digest.ts'
import type { Run } from '../runs/run.ts'

/** A mail as it would reach a reader. */
export interface PreviewedMail {
  subject: string
  html: string
  text: string
  /** The whole message. */
  eml: Uint8Array
}

/** A test mail: where it goes, and by which name. */
export interface TestEnvelope {
  to: string
  deliveryId: string
}

/**
 * A mail made whole with links that lead nowhere; marked as a test where it is to be mailed as one.
 *
 * @throws `subscriber.email` for an address that cannot be one.
 */
export function previewMessage(
  { settings }: Pick<Platform, 'settings'>,
  {
    run,
    mail,
    date,
    test,
  }: {
    run: Pick<Run, 'id' | 'kind'>
    mail: DigestText
    date: Date
    test?: TestEnvelope | undefined
  },
): PreviewedMail {
  const text = { ...mail, subject: test ? `[Test] ${mail.subject}` : mail.subject }
  const to = test ? normaliseAddress(test.to) : 'reader@example.org'
  const links = sampleLinks(settings.site.baseUrl)
  const eml = personalise(composeBulk(settings, run, text), {
    to,
    messageId: messageIdOf(test?.deliveryId ?? `preview_${newToken()}`, settings),
    date,
    links,
  })
  const filled = (body: string) =>
    body
      .replaceAll(linkPlaceholders.preferences, links.preferences)
      .replaceAll(linkPlaceholders.unsubscribe, links.unsubscribe)
  return {
    subject: text.subject,
    html: filled(text.html),
    text: filled(text.text),
    eml,
  }
}

/** As long as a reader's own, and signed by nobody. */
function sampleLinks(baseUrl: string): { preferences: string; unsubscribe: string } {
  const token = 'preview'.padEnd(linkLength, '-')
  return {
    preferences: `${baseUrl}${urlPaths.preferences(token)}`,
    unsubscribe: `${baseUrl}${urlPaths.unsubscribe(token)}`,
  }
}
