import type { Context } from 'hono'

/**
 * The slugs that the second segment of a path may mean: percent-encoding undone and composed. A
 * client that sends UTF-8 as it is reaches us as Latin-1, so that reading comes second. Nothing but
 * what slugs are made of passes.
 */
export function slugsIn(c: Context): string[] {
  const segment = new URL(c.req.url).pathname.split('/')[2] ?? ''
  let decoded: string
  try {
    decoded = decodeURIComponent(segment).normalize('NFC')
  } catch {
    return []
  }
  const readings = [decoded]
  if (/^[\u0000-\u00ff]*[\u0080-\u00ff]/.test(decoded)) {
    readings.push(Buffer.from(decoded, 'latin1').toString('utf8').normalize('NFC'))
  }
  return readings.filter(
    (slug) => /^[\p{L}\p{M}\p{N}-]{1,255}$/u.test(slug) && Buffer.byteLength(slug) <= 255,
  )
}
