import { invalid } from '../errors.ts'
import { urlPaths } from '../keys.ts'
import type { Settings } from '../settings/settings.ts'
import { headerText, rawHeaderLine, refuseControls } from './header-text.ts'

/** What comes before the `@` and after it are checked where addresses come in; this is the last guard. */
const plainAddress = /^[\x21-\x7e]{1,64}@[a-z0-9[\]:.-]{1,253}$/i

export interface Mailbox {
  name?: string
  address: string
}

/** Reads `Name <address>`, `"Name" <address>` or a bare address. @throws `mail.address` */
export function parseMailbox(text: string): Mailbox {
  const trimmed = text.trim()
  const open = trimmed.lastIndexOf('<')
  if (open < 0) return { address: checkAddress(trimmed) }
  const name = trimmed
    .slice(0, open)
    .trim()
    .replace(/^"(.*)"$/s, '$1')
    .replaceAll(/\\(.)/gs, '$1')
  const address = checkAddress(
    trimmed
      .slice(open + 1)
      .replace(/>$/, '')
      .trim(),
  )
  return name ? { name, address } : { address }
}

/** The address as it may stand in a header; nothing of it is shown when it may not. @throws `mail.address` */
function checkAddress(address: string): string {
  if (!plainAddress.test(address) || /[<>,;()\\]/.test(address)) {
    throw invalid(
      'mail.address',
      'An address cannot be put into a mail header: it must be `name@domain` in plain ASCII letters.',
    )
  }
  return address
}

/** `From`, `To` or `Reply-To` with its CRLF. */
export function addressLine(name: string, { name: person, address }: Mailbox): string {
  checkAddress(address)
  if (!person) return rawHeaderLine(name, address)
  refuseControls(name, person)
  const isAtoms = /^[\w!#$%&'*+/=?^`{|}~ -]{1,60}$/.test(person) && !/^ | $| {2}|=\?/.test(person)
  const isQuotable = /^[\x20-\x7e]{1,60}$/.test(person) && !person.includes('=?')
  const shown = isAtoms
    ? person
    : isQuotable
      ? `"${person.replaceAll(/["\\]/g, '\\$&')}"`
      : headerText(person, name.length + 2)
  // The address goes to a line of its own when the name has filled the first.
  const last = shown.length - shown.lastIndexOf('\n') + (shown.includes('\n') ? 0 : name.length + 2)
  return `${name}: ${shown}${last + address.length + 3 > 76 ? '\r\n' : ''} <${address}>\r\n`
}

/** `Mon, 02 Mar 2026 08:00:00 +0000` (RFC 5322 §3.3). */
export function dateText(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000')
}

/** Derived from the delivery, so that a mail sent twice can be recognised as one. */
export function messageIdOf(deliveryId: string, settings: Pick<Settings, 'site' | 'mail'>): string {
  if (!/^[A-Za-z0-9_-]{1,256}$/.test(deliveryId)) {
    throw new Error('a delivery id has 1 to 256 of `A-Z a-z 0-9 _ -`')
  }
  return `<${deliveryId}@${domainOf(settings)}>`
}

/**
 * The delivery's id in what a report gives back of a mail: its `Message-ID`, whatever the domain was
 * then, or the bare id. `undefined` for what has not the form of one.
 */
export function readMessageId(text: string): string | undefined {
  return /^\s*<?([A-Za-z0-9_-]{1,256})(?:@[^\s<>@]{1,255})?>?\s*$/.exec(text)?.[1]
}

/** A header that carries the delivery's id past relays which write a `Message-ID` of their own. */
export function deliveryHeader(deliveryId: string): Record<string, string> {
  return { 'X-Delivery-Id': deliveryId }
}

/** Who mails come from; without a setting an address that only an outbox can take. */
export function senderOf({ mail, site }: Pick<Settings, 'site' | 'mail'>): string {
  if (mail.from) return mail.from
  const title = site.title.replaceAll(/["\\<>]/g, ' ').trim()
  return `"${title}" <newsletter@${domainOf({ mail, site })}>`
}

/**
 * What marks a digest or letter as list mail: `List-Id` (RFC 2919), `List-Archive` (RFC 2369),
 * `Feedback-ID`, by which large mailbox providers count complaints, and `Precedence`, which keeps
 * automatic answers away. `List-Unsubscribe` is each reader's own and added by `personalise`.
 */
export function bulkHeaders(
  settings: Pick<Settings, 'site' | 'mail'>,
  run: { id: string; kind: string },
): Record<string, string> {
  const domain = domainOf(settings)
  const word = (text: string) => text.replaceAll(/[^A-Za-z0-9_.-]/g, '-').slice(0, 60)
  return {
    'List-Id': `${listName(settings.site.title)}<newsletter.${domain.replaceAll(/[[\]:]/g, '-')}>`,
    'List-Archive': `<${settings.site.baseUrl}${urlPaths.archive}>`,
    'Feedback-ID': `${word(run.id)}:${word(run.kind)}:newsletter:${word(domain)}`,
    Precedence: 'bulk',
  }
}

/** For mails that answer something a reader did: nobody's automatic reply should come back. */
export const noticeHeaders: Readonly<Record<string, string>> = {
  'Auto-Submitted': 'auto-generated',
  'X-Auto-Response-Suppress': 'All',
}

/**
 * The two headers of one-click unsubscribing (RFC 8058 §3.1), as lines. `mailto` is the publisher's
 * own address; its subject names the link's token, never the reader.
 */
export function unsubscribeLines(link: string, mailto?: string): string {
  const token = link.slice(link.lastIndexOf('/') + 1)
  const address = mailto && encodeURIComponent(checkAddress(mailto)).replace('%40', '@')
  const byMail = address ? `,\r\n <mailto:${address}?subject=unsubscribe%20${token}>` : ''
  const first = rawHeaderLine('List-Unsubscribe', `<${link}>`)
  return `${first.slice(0, -2)}${byMail}\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n`
}

/** The domain of `mail.from`, folded; `undefined` without a sender. @throws `mail.address` */
export function senderDomain({ mail }: Pick<Settings, 'mail'>): string | undefined {
  if (!mail.from) return undefined
  return parseMailbox(mail.from).address.split('@').at(-1)?.toLowerCase()
}

/** The sender's domain, else the site's host. */
function domainOf({ mail, site }: Pick<Settings, 'site' | 'mail'>): string {
  const domain = senderDomain({ mail })
  if (domain !== undefined) return domain
  const { hostname } = new URL(site.baseUrl)
  // An IP address is no domain; a literal in brackets would be right but is refused by many.
  return /^[\d.]+$|^\[/.test(hostname) ? 'localhost' : hostname
}

/** A phrase for `List-Id`; a title that is not plain is left out, as few programs decode it there. */
function listName(title: string): string {
  return /^[\w !'*+/?^{|}~-]{1,60}$/.test(title) ? `"${title}" ` : ''
}
