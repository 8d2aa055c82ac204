import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { get, platform, publish } from './feed-server.ts'

describe('a conditional request', () => {
  async function validators(path = '/feeds/town/rss.xml', encoding = 'identity') {
    const { headers } = await get(path, { 'accept-encoding': encoding })
    return { etag: headers.get('etag') ?? '', modified: headers.get('last-modified') ?? '' }
  }

  it.each<[string, (etag: string, modified: string) => Record<string, string>, number]>([
    ['the tag', (etag) => ({ 'if-none-match': etag }), 304],
    ['the tag, weak', (etag) => ({ 'if-none-match': `W/${etag}` }), 304],
    ['the tag in a list', (etag) => ({ 'if-none-match': `"x", W/"y",${etag}` }), 304],
    [
      'the tag of the gzipped form',
      (etag) => ({ 'if-none-match': etag.replace(/"$/, '-gzip"') }),
      304,
    ],
    [
      'the tag of the Brotli form',
      (etag) => ({ 'if-none-match': etag.replace(/"$/, '-br"') }),
      304,
    ],
    ['the tag without its quotes', (etag) => ({ 'if-none-match': etag.replaceAll('"', '') }), 304],
    ['any tag', () => ({ 'if-none-match': '*' }), 304],
    ['another tag', () => ({ 'if-none-match': '"other"' }), 200],
    ['an empty list', () => ({ 'if-none-match': '' }), 200],
    ['a part of the tag', (etag) => ({ 'if-none-match': `${etag.slice(0, 9)}"` }), 200],
    ['the date', (_, modified) => ({ 'if-modified-since': modified }), 304],
    ['a later date', () => ({ 'if-modified-since': 'Tue, 03 Mar 2026 08:00:00 GMT' }), 304],
    ['the second before', () => ({ 'if-modified-since': 'Mon, 02 Mar 2026 07:59:59 GMT' }), 200],
    ['no date', () => ({ 'if-modified-since': 'yesterday' }), 200],
    [
      'another tag and the date: the tag decides',
      (_, modified) => ({ 'if-none-match': '"other"', 'if-modified-since': modified }),
      200,
    ],
    [
      'the tag and an old date: the tag decides',
      (etag) => ({ 'if-none-match': etag, 'if-modified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }),
      304,
    ],
  ])('with %s', async (_, headersOf, status) => {
    await publish()
    const { etag, modified } = await validators()
    const response = await get('/feeds/town/rss.xml', headersOf(etag, modified))
    expect(response.status).toBe(status)
    if (status !== 304) return
    expect(await response.text()).toBe('')
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag: expect.stringContaining(etag.slice(1, -1)),
      'last-modified': modified,
      'cache-control': expect.stringContaining('max-age=300'),
      vary: 'Accept-Encoding',
    })
    expect(response.headers.get('content-type')).toBeNull()
    expect(response.headers.get('content-length')).toBeNull()
  })

  it('gets the feed again once it changed, by tag and by date, within the same second', async () => {
    await publish({ id: 'a' })
    const before = await validators()
    await publish({ id: 'b' })
    const after = await validators()
    expect(after.etag).not.toBe(before.etag)
    expect(Date.parse(after.modified)).toBeGreaterThan(Date.parse(before.modified))
    for (const header of [
      { 'if-none-match': before.etag },
      { 'if-modified-since': before.modified },
    ]) {
      expect((await get('/feeds/town/rss.xml', header)).status).toBe(200)
    }
  })

  it('keeps both validators when nothing changed', async () => {
    const post = await publish()
    const before = await validators()
    platform.advance(86_400_000)
    await publish(post)
    expect(await validators()).toEqual(before)
  })

  it('has a tag of its own for each encoding', async () => {
    await publish()
    const tags = await Promise.all(
      ['identity', 'gzip', 'br'].map(
        async (encoding) => (await validators(undefined, encoding)).etag,
      ),
    )
    expect(new Set(tags).size).toBe(3)
  })
})

describe('compression', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['identity', null],
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['gzip, deflate, br', 'br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip'],
    ['gzip;q=0', null],
    ['br;q=0, gzip', 'gzip'],
    ['*', 'br'],
    ['*;q=0', null],
    ['br;q=0, *', 'gzip'],
    ['GZIP', 'gzip'],
    ['deflate', null],
    ['gzip;q=0.2, identity;q=0.9', null],
    ['gzip;q=nonsense', null],
    ['zstd, gzip ; q=0.3', 'gzip'],
  ])('for Accept-Encoding %j is %j', async (accept, expected) => {
    await publish({}, `<p>${'A long story. '.repeat(200)}</p>`)
    const plain = await (await get('/feeds/town/rss.xml')).text()
    const response = await get(
      '/feeds/town/rss.xml',
      accept === undefined ? {} : { 'accept-encoding': accept },
    )
    expect(response.headers.get('content-encoding')).toBe(expected)
    const body = Buffer.from(await response.arrayBuffer())
    expect(response.headers.get('content-length')).toBe(String(body.length))
    const decoded =
      expected === 'gzip' ? gunzipSync(body) : expected === 'br' ? brotliDecompressSync(body) : body
    expect(decoded.toString()).toBe(plain)
    if (expected) expect(body.length).toBeLessThan(plain.length / 2)
  })

  it('gives a crowd the same bytes', async () => {
    await publish()
    const bodies = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const response = await get('/feeds/rss.xml', { 'accept-encoding': 'br' })
        return Buffer.from(await response.arrayBuffer()).toString('base64')
      }),
    )
    expect(new Set(bodies).size).toBe(1)
  })
})
