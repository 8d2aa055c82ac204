import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Platform } from '../platform.ts'
import type { Secrets } from '../secrets.ts'
import { isSubscriberId } from './address.ts'

/**
 * Signed links: who holds one may do what its purpose says, for the reader it names, and nothing
 * else. A token is base64url of
 *
 *     key tag (2 bytes) · kind (1) · [reader (16) · [expiry, seconds (6)] · [extra] | text] · MAC (32)
 *
 * where the MAC is HMAC-SHA-256 over the purpose and everything before it. There is no address in
 * it, and nothing is stored to check it.
 */
export type LinkPurpose = 'confirm' | 'preferences' | 'unsubscribe' | 'change-address' | 'edition'

const macLength = 32
const headLength = 3
const idLength = 16
const expiryLength = 6
/** Bounds the work on a hostile token. */
const maxTokenLength = 4000

const readerLink = 1
const readerLinkWithExpiry = 2
const textLink = 3

/**
 * A token that names a reader. Without `expires` and `extra` its length is always the same 68
 * characters, which lets a composed mail be personalised by splicing.
 */
export function signLink(
  { secrets }: Pick<Platform, 'secrets'>,
  purpose: LinkPurpose,
  subscriberId: string,
  options: { expires?: Date; extra?: string } = {},
): string {
  if (!isSubscriberId(subscriberId))
    throw new Error('a link needs a subscriber id of 32 hex digits')
  const parts: Uint8Array[] = [Buffer.from(subscriberId, 'hex')]
  if (options.expires) {
    const seconds = Buffer.alloc(expiryLength)
    seconds.writeUIntBE(Math.floor(options.expires.getTime() / 1000), 0, expiryLength)
    parts.push(seconds)
  }
  if (options.extra) parts.push(Buffer.from(options.extra, 'utf8'))
  return sign(secrets, purpose, options.expires ? readerLinkWithExpiry : readerLink, parts)
}

/** The length of a token without expiry and extra, in characters. */
export const linkLength = ((headLength + idLength + macLength) * 4) / 3

/** Whom a token names, or `undefined` when it is forged, damaged, expired or of another purpose. */
export function verifyLink(
  { secrets, now }: Pick<Platform, 'secrets' | 'now'>,
  purpose: LinkPurpose,
  token: string,
): { subscriberId: string; extra?: string } | undefined {
  const found = verify(secrets, purpose, token)
  if (!found || found.kind === textLink || found.body.length < idLength) return undefined
  const subscriberId = found.body.toString('hex', 0, idLength)
  let rest = found.body.subarray(idLength)
  if (found.kind === readerLinkWithExpiry) {
    if (rest.length < expiryLength) return undefined
    if (rest.readUIntBE(0, expiryLength) * 1000 <= now().getTime()) return undefined
    rest = rest.subarray(expiryLength)
  }
  return rest.length > 0 ? { subscriberId, extra: rest.toString('utf8') } : { subscriberId }
}

/** A token that carries a text and no reader, such as the name of an edition. */
export function signText(
  { secrets }: Pick<Platform, 'secrets'>,
  purpose: LinkPurpose,
  text: string,
): string {
  return sign(secrets, purpose, textLink, [Buffer.from(text, 'utf8')])
}

/** The text of a token of `signText`, or `undefined` when it is not one of ours for this purpose. */
export function verifyText(
  { secrets }: Pick<Platform, 'secrets'>,
  purpose: LinkPurpose,
  token: string,
): string | undefined {
  const found = verify(secrets, purpose, token)
  return found?.kind === textLink ? found.body.toString('utf8') : undefined
}

function sign(secrets: Secrets, purpose: LinkPurpose, kind: number, parts: Uint8Array[]): string {
  const key = secrets.links[0]
  if (!key) throw new Error('there is no key to sign links with')
  const body = Buffer.concat([tagOf(key.id), Uint8Array.of(kind), ...parts])
  return Buffer.concat([body, macOf(key.key, purpose, body)]).toString('base64url')
}

function verify(secrets: Secrets, purpose: LinkPurpose, token: string) {
  if (token.length > maxTokenLength) return undefined
  const bytes = Buffer.from(token, 'base64url')
  // Decoding forgives foreign characters and stray bits; one link has one spelling.
  if (bytes.length < headLength + macLength || bytes.toString('base64url') !== token) {
    return undefined
  }
  const body = bytes.subarray(0, -macLength)
  const mac = bytes.subarray(-macLength)
  for (const key of secrets.links) {
    if (!tagOf(key.id).equals(body.subarray(0, 2))) continue
    if (timingSafeEqual(macOf(key.key, purpose, body), mac)) {
      return { kind: body[2], body: body.subarray(headLength) }
    }
  }
  return undefined
}

function macOf(key: string, purpose: LinkPurpose, body: Uint8Array) {
  return createHmac('sha256', key).update(`broadsheet link ${purpose}\0`).update(body).digest()
}

const tags = new Map<string, Buffer>()

/** Finds the key without trying each; two keys of one tag are both tried. */
function tagOf(keyId: string) {
  let tag = tags.get(keyId)
  if (!tag) {
    tag = createHash('sha256').update(keyId).digest().subarray(0, 2)
    tags.set(keyId, tag)
  }
  return tag
}
