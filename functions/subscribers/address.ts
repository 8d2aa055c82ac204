import { createHmac } from 'node:crypto'
import { domainToASCII } from 'node:url'
import { invalid, type ServiceError } from '../errors.ts'
import type { Platform } from '../platform.ts'

/** RFC 5321 §4.5.3.1: a path has 256 octets, angle brackets included. */
const maxLength = 254
const maxLocalLength = 64

const hidden = /[\s\p{C}\p{Default_Ignorable_Code_Point}]/u
/** RFC 5322 §3.2.3 `dot-atom-text`: quoted local parts are legal, yet nobody has one and few servers take it. */
const localPart = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * An address as it is mailed: blanks and invisible characters at the ends dropped, the domain in
 * its ASCII form (RFC 5891) and lower case, the local part as typed.
 *
 * @throws `subscriber.email` when nothing can be mailed there, without repeating the address.
 */
export function normaliseAddress(input: string): string {
  if (input.length > 4 * maxLength) throw refusal('it is longer than an address can be')
  const address = withoutHiddenEnds(input)
  if (address === '') throw refusal('it is empty')
  if (hidden.test(address)) {
    throw refusal('it has a blank or an invisible character inside')
  }
  const at = address.lastIndexOf('@')
  if (at < 1 || address.indexOf('@') !== at) {
    throw refusal('it needs one `@` between a name and a domain, as in `name@example.org`')
  }
  const local = address.slice(0, at)
  if (/[^\0-\x7f]/.test(local)) {
    throw refusal('the part before the `@` has a letter that most mail servers cannot take')
  }
  if (local.length > maxLocalLength || !localPart.test(local)) {
    throw refusal('the part before the `@` has a character or a length that no mailbox has')
  }
  const domain = asciiDomain(address.slice(at + 1))
  if (!domain) throw refusal('the part after the `@` is not the name of a domain')
  const mailed = `${local}@${domain}`
  if (mailed.length > maxLength) throw refusal('it is longer than an address can be')
  return mailed
}

/**
 * The subscriber's id: HMAC-SHA-256 of the address without regard to case, the first 32 hex digits.
 * Takes what `normaliseAddress` returned. The key never changes, so an erased reader is known again
 * by nothing but this.
 */
export function subscriberIdOf(
  { secrets }: Pick<Platform, 'secrets'>,
  normalisedAddress: string,
): string {
  return createHmac('sha256', secrets.subscribers)
    .update(normalisedAddress.toLowerCase())
    .digest('hex')
    .slice(0, 32)
}

/** Whether a string has the form of a subscriber's id. */
export function isSubscriberId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text)
}

function withoutHiddenEnds(text: string): string {
  const points = [...text]
  const start = points.findIndex((point) => !hidden.test(point))
  const end = points.findLastIndex((point) => !hidden.test(point))
  return start < 0 ? '' : points.slice(start, end + 1).join('')
}

function asciiDomain(domain: string): string | undefined {
  // What a URL would read as a port, a path or an escape is no part of a mail domain.
  if (/[\0-\x2c/:-@[-`{-\x7f]/.test(domain)) return undefined
  const ascii = domainToASCII(domain)
  const labels = ascii.split('.')
  if (labels.length < 2 || ascii.length > 253) return undefined
  if (!labels.every((part) => label.test(part))) return undefined
  // A last label of digits is an IPv4 address.
  return /^\d+$/.test(labels.at(-1) ?? '') ? undefined : ascii
}

function refusal(why: string): ServiceError {
  const message = `This mail address cannot be used: ${why}.`
  return invalid('subscriber.email', `${message} Check it and try again.`, {
    errors: [{ path: 'email', message }],
  })
}
