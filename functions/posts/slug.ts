/** Bytes of UTF-8: a slug is a path segment of objects (255) and may get `-<id>` behind it. */
const slugLimit = 180

/**
 * The part of an address that names a post or category: letters and digits of any script in lower
 * case, with their marks, composed (NFC), everything else a single `-`. At most 180 bytes of UTF-8,
 * cut between characters; empty when the text has no letter or digit. Of a slug it is that slug.
 */
export function slugify(text: string): string {
  const words = text
    .slice(0, 2000)
    .normalize('NFC')
    .toLowerCase()
    // Format and variation characters are invisible; an apostrophe joins (`don’t` is one word).
    .replace(/\p{Cf}|[\uFE00-\uFE0F]|['’]/gu, '')
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, '-')
    // A mark without its letter would combine with the hyphen.
    .replace(/(^|-)\p{M}+/gu, '$1')
    .replace(/-{2,}/g, '-')
  return cut(words.replace(/^-/, ''), slugLimit).replace(/-$/, '')
}

/** The author's slug, or the last segment of a path or permalink; percent-encoding is undone. */
export function slugOfAddress(address: string): string {
  const path = address.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '').replace(/[?#].*$/s, '')
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  let last = decodeSegment(segments.pop() ?? '')
  if (/^index\.(html?|php|md)$/i.test(last)) last = decodeSegment(segments.pop() ?? '')
  return slugify(last.replace(/\.(html?|php|aspx?|md|markdown)$/i, ''))
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function cut(text: string, bytes: number): string {
  let length = 0
  let end = 0
  for (const character of text) {
    length += Buffer.byteLength(character)
    if (length > bytes) return text.slice(0, end)
    end += character.length
  }
  return text
}
