import { firstYear } from '../posts/format-instant.ts'

/**
 * Cleans every value before `feed` sees it. What comes out may stand in any of the three formats:
 * nothing illegal in XML 1.0, no half characters, no address that is not http(s), no date that a
 * reader could misread. Marks of `additions.ts` are noncharacters, so no cleaned value holds one.
 */

// XML 1.0 §2.2 `Char`; beside it C1 and the noncharacters, which validators refuse. Written for
// UTF-16: with the `u` flag this takes as long as all the rest of a rendering.
const illegal =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]|[\ud83f\ud87f\ud8bf\ud8ff\ud93f\ud97f\ud9bf\ud9ff\uda3f\uda7f\udabf\udaff\udb3f\udb7f\udbbf\udbff][\udffe\udfff]/g

/**
 * Text with line ends as LF and without characters that a document cannot hold. Half characters
 * go as well: JSON would keep them and XML show U+FFFD, another text in each format.
 */
export function clean(text: string): string {
  // Halves first: what goes later must not bring two of them together.
  const whole = text.isWellFormed() ? text : text.replace(/\p{Cs}/gu, '')
  return whole.replace(/\r\n?/g, '\n').replace(illegal, '')
}

/** Where the first character stands that `clean` would take out, but for a CR; -1 without any. */
export function findIllegal(text: string): number {
  const at = text.search(illegal)
  return at === -1 && !text.isWellFormed() ? text.search(/\p{Cs}/u) : at
}

/** The same on one line, trimmed, runs of white space as one blank. Empty when nothing is left. */
export function line(text: string): string {
  return clean(text)
    .replace(/[\s\u2028\u2029]+/g, ' ')
    .trim()
}

/**
 * An absolute http(s) address with every character outside RFC 3986 percent-encoded, so that it is
 * the same in each format; `undefined` for anything else (relative, `javascript:`, over 4,000).
 */
export function webAddress(address: string | undefined): string | undefined {
  const url = parse(address)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || !url.hostname) {
    return undefined
  }
  return encode(url.href)
}

/** A `tag:` or `urn:` URI or a web address, in the one form that all formats then show (RFC 4287 §4.2.6.1). */
export function entryIdentifier(id: string): string | undefined {
  const url = parse(id)
  if (!url) return undefined
  if (url.protocol === 'tag:' || url.protocol === 'urn:') {
    return url.pathname.length > 0 ? encode(url.href) : undefined
  }
  return webAddress(id)
}

function parse(address: string | undefined): URL | undefined {
  if (address === undefined || address.length > 4000) return undefined
  return URL.parse(clean(address).trim()) ?? undefined
}

// The URL standard leaves these as they are in one part of an address or another; RFC 3986 has
// none of them. `[` and `]` stay, since they belong to IPv6 hosts.
function encode(href: string) {
  return href.replace(/[\s<>"{}|\\^`]|[^\u0000-\u007e]/gu, (character) =>
    encodeURIComponent(character),
  )
}

/** Whole seconds between the years 1900 and 9999; `undefined` for what no reader could sort. */
export function instant(date: string): Date | undefined {
  const time = Date.parse(date)
  if (!(time >= Date.UTC(firstYear) && time <= 253402300799000)) return undefined
  return new Date(Math.floor(time / 1000) * 1000)
}

/** A language tag in the form of BCP 47; `undefined` when it has another. */
export function languageTag(language: string | undefined): string | undefined {
  if (language === undefined || language.length > 35) return undefined
  return /^[a-z]{2,8}(?:-[a-z0-9]{1,8})*$/i.test(language) ? language : undefined
}

/** A media type without parameters; what has no such form is plain bytes. */
export function mediaType(type: string): string {
  const essence = type.split(';')[0]?.trim().toLowerCase() ?? ''
  return /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/.test(essence)
    ? essence
    : 'application/octet-stream'
}

/** Bytes, 0 when not known. */
export function byteLength(length: number): number {
  return Number.isSafeInteger(length) && length > 0 ? length : 0
}
