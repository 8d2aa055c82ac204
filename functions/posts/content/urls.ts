/** Addresses longer than this are cut from posts: no browser or mail client needs them. */
const urlLimit = 4000

const linkSchemes = new Set(['http:', 'https:', 'mailto:', 'tel:'])
const webSchemes = new Set(['http:', 'https:'])

/**
 * An address of a post made absolute against `base`; `undefined` when it is none, is longer than
 * 4,000 characters, or has a scheme other than http, https (links also mailto, tel). What stands
 * without a scheme (`//host/x`) is https, whatever the base: such links date from mixed hosting.
 */
export function resolveUrl(
  raw: string,
  base: string,
  use: 'link' | 'image' = 'link',
): string | undefined {
  if (raw.length > urlLimit) return undefined
  // Browsers drop these wherever they stand, so a scheme may hide in them.
  const text = trimmed(raw).replace(/[\t\n\r]/g, '')
  if (text === '') return undefined
  const url = URL.parse(text.startsWith('//') ? `https:${text}` : text, base)
  if (!url || !(use === 'link' ? linkSchemes : webSchemes).has(url.protocol)) return undefined
  if (webSchemes.has(url.protocol) && url.hostname === '') return undefined
  return url.href.length > urlLimit ? undefined : url.href
}

/** An absolute http(s) address in its normal spelling; `undefined` for all else. */
export function webAddress(raw: string): string | undefined {
  return /^\s*https?:\/\//i.test(raw)
    ? resolveUrl(raw, 'https://invalid.invalid/', 'image')
    : undefined
}

/** By hand, because `[…]+$` walks a text of many blanks again and again. */
function trimmed(raw: string): string {
  let start = 0
  let end = raw.length
  while (start < end && isBlank(raw.charCodeAt(start))) start++
  while (end > start && isBlank(raw.charCodeAt(end - 1))) end--
  return raw.slice(start, end)
}

const isBlank = (code: number) => code <= 0x20 || (code >= 0x7f && code <= 0xa0)
