import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Context } from 'hono'

/** What an address answers with, before a request's conditions and encodings. */
export interface Representation {
  body: Uint8Array
  contentType: string
  lastModified: Date
  cacheControl: string
  /** `Link` header (RFC 8288). */
  link?: string
  /** Whether scripts of other sites may read it, such as readers that run in a browser. */
  isForAnySite?: boolean
}

type Encoding = 'br' | 'gzip' | 'identity'

/**
 * Answers GET and HEAD. The ETag is a hash of the bytes, the same in every process and after every
 * restart, with the encoding behind it (RFC 9110 §8.8.3.3); any of them is recognised in
 * `If-None-Match`, since proxies and readers keep or strip the end of it.
 */
export async function answerWith(c: Context, found: Representation): Promise<Response> {
  const hash = createHash('sha256').update(found.body).digest('base64url').slice(0, 27)
  const encoding =
    found.body.length < 400 ? 'identity' : chooseEncoding(c.req.header('accept-encoding'))
  const headers = new Headers({
    etag: tagOf(hash, encoding),
    'last-modified': found.lastModified.toUTCString(),
    'cache-control': found.cacheControl,
    vary: 'Accept-Encoding',
  })
  if (found.isForAnySite) headers.set('access-control-allow-origin', '*')
  if (found.link) headers.set('link', found.link)

  const known = knownTag(c.req.header('if-none-match'), hash)
  if (known !== undefined) headers.set('etag', known)
  if (known !== undefined || isUnmodified(c, found.lastModified)) {
    return new Response(null, { status: 304, headers })
  }
  const body = await encode(found.body, hash, encoding)
  headers.set('content-type', found.contentType)
  headers.set('content-length', String(body.length))
  if (encoding !== 'identity') headers.set('content-encoding', encoding)
  return new Response(body as Uint8Array<ArrayBuffer>, { headers })
}

/** Leads to another address for good: readers then keep that one. */
export function moved(c: Context, path: string): Response {
  c.header('cache-control', 'public, max-age=86400')
  return c.redirect(path, 301)
}

function tagOf(hash: string, encoding: Encoding) {
  return encoding === 'identity' ? `"${hash}"` : `"${hash}-${encoding}"`
}

/** The tag of the list that names these bytes (weak comparison, RFC 9110 §13.1.2), in its strong form. */
function knownTag(ifNoneMatch: string | undefined, hash: string): string | undefined {
  for (const part of ifNoneMatch?.split(',') ?? []) {
    const tag = part.trim()
    if (tag === '*') return tagOf(hash, 'identity')
    const opaque = tag.replace(/^W\//, '').replace(/^"|"$/g, '')
    if (opaque.replace(/-(?:br|gzip)$/, '') === hash) return `"${opaque}"`
  }
  return undefined
}

/** Only looked at without `If-None-Match` (RFC 9110 §13.1.3); what is no date says nothing. */
function isUnmodified(c: Context, lastModified: Date) {
  const since = c.req.header('if-modified-since')
  if (since === undefined || c.req.header('if-none-match') !== undefined) return false
  return lastModified.getTime() <= Date.parse(since)
}

/** The best of what the request accepts (RFC 9110 §12.5.3); Brotli when it is liked as much as gzip. */
function chooseEncoding(accept: string | undefined): Encoding {
  const weights = new Map<string, number>()
  for (const part of (accept ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim())
    const q = parameters.find((parameter) => /^q\s*=/.test(parameter))
    const weight = q === undefined ? 1 : Number(q.slice(q.indexOf('=') + 1))
    if (name) weights.set(name, weight >= 0 && weight <= 1 ? weight : 0)
  }
  const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0
  const best = Math.max(weightOf('br'), weightOf('gzip'))
  if (best === 0 || best < (weights.get('identity') ?? 0)) return 'identity'
  return weightOf('br') === best ? 'br' : 'gzip'
}

const compress: Record<Exclude<Encoding, 'identity'>, (body: Uint8Array) => Promise<Buffer>> = {
  gzip: (body) => promisify(gzip)(body, { level: 6 }),
  // Above 5 it costs a hundred times more for a tenth less.
  br: (body) =>
    promisify(brotliCompress)(body, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 5,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
}

/** Compressed bodies by tag, the least recently asked for first: compressing costs more than rendering. */
const encoded = new Map<string, { work: Promise<Buffer>; bytes: number }>()
const mostEncoded = 200
const mostEncodedBytes = 16 * 1024 * 1024
let encodedBytes = 0

async function encode(body: Uint8Array, hash: string, encoding: Encoding): Promise<Uint8Array> {
  if (encoding === 'identity') return body
  const tag = tagOf(hash, encoding)
  const known = encoded.get(tag)
  if (known) {
    encoded.delete(tag)
    encoded.set(tag, known)
    return known.work
  }
  // Kept from the start: a crowd that asks for a new feed at once has it compressed once.
  const entry = { work: compress[encoding](body), bytes: 0 }
  encoded.set(tag, entry)
  try {
    const { length } = await entry.work
    if (encoded.get(tag) === entry) {
      entry.bytes = length
      encodedBytes += length
    }
  } catch (error) {
    encoded.delete(tag)
    throw error
  }
  for (const [oldest, { bytes }] of encoded) {
    if (encodedBytes <= mostEncodedBytes && encoded.size <= mostEncoded) break
    encoded.delete(oldest)
    encodedBytes -= bytes
  }
  return entry.work
}
