import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { edgeFunctionCode, senderFunctionCode } from '../../infra/edge-function.ts'

interface Answer {
  uri?: string
  statusCode?: number
  headers?: Record<string, { value: string }>
}

/** What the function makes of a viewer's request: a request to go on with, or an answer. */
function edge(uri: string, headers: Record<string, string> = {}, querystring: object = {}): Answer {
  const event = {
    version: '1.0',
    context: { eventType: 'viewer-request' },
    request: {
      method: 'GET',
      uri,
      querystring,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, { value }]),
      ),
      cookies: {},
    },
  }
  const answer = runInNewContext(`${edgeFunctionCode}\nJSON.stringify(handler(event))`, { event })
  return JSON.parse(answer as string) as Answer
}

const browser = { 'sec-fetch-dest': 'document' }

describe('the edge function', () => {
  it.each([
    ['/', '/index.html'],
    ['/posts/a/', '/posts/a/index.html'],
    ['/categories/%E6%97%85%E8%A1%8C/', '/categories/%E6%97%85%E8%A1%8C/index.html'],
    ['/feeds/rss.xml', '/feeds/rss.xml'],
    ['/posts/a', '/posts/a'],
    ['/feeds.opml', '/feeds.opml'],
  ])('asks the bucket for %s as %s', (uri, asked) => {
    expect(edge(uri).uri).toBe(asked)
  })

  it.each([
    ['/feeds/rss.xml', '/feeds/'],
    ['/feeds/atom.xml', '/feeds/'],
    ['/feeds/railways/feed.json', '/categories/railways/'],
    ['/feeds/%E6%97%85/rss.xml', '/categories/%E6%97%85/'],
  ])('leads a person who opens %s to %s', (uri, page) => {
    expect(edge(uri, browser)).toMatchObject({
      statusCode: 302,
      headers: { location: { value: page }, 'cache-control': { value: 'no-store' } },
    })
  })

  it.each([
    ['/feeds/rss.xml', {}, {}],
    ['/feeds/rss.xml', { 'sec-fetch-dest': 'empty' }, {}],
    ['/feeds/rss.xml', browser, { raw: { value: '' } }],
    ['/feeds/a/b/rss.xml', browser, {}],
    ['/feeds.opml', browser, {}],
  ])('gives %s as it is with %j and %j', (uri, headers, query) => {
    expect(edge(uri, headers, query)).toMatchObject({ uri })
  })

  it.each([
    'gzip',
    'gzip, deflate, br, zstd',
    'br;q=1.0, gzip;q=0.8, *;q=0.1',
    'deflate,gzip;q=0.001',
    'identity, GZIP;q=1.0',
  ])('gives the compressed twin to who accepts %j', (accepted) => {
    const headers = { 'accept-encoding': accepted }
    for (const path of ['/feeds/', '/feeds/railways/', '/feeds/%E6%97%85/']) {
      expect(edge(`${path}atom.xml`, headers).uri).toBe(`${path}atom.xml.gz`)
      expect(edge(`${path}feed.json`, headers).uri).toBe(`${path}feed.json.gz`)
      // These CloudFront compresses by itself.
      expect(edge(`${path}rss.xml`, headers).uri).toBe(`${path}rss.xml`)
    }
    for (const path of ['/posts/atom.xml', '/feeds/atom.xml.gz', '/feeds/xatom.xml', '/']) {
      expect(edge(path, headers).uri).not.toBe(`${path}.gz`)
    }
  })

  it.each([undefined, '', 'identity', 'br', 'gzip;q=0', 'gzip; q=0.0, br', 'x-gzipped', '*'])(
    'gives the document itself to who accepts %j',
    (accepted) => {
      const headers: Record<string, string> =
        accepted === undefined ? {} : { 'accept-encoding': accepted }
      expect(edge('/feeds/atom.xml', headers).uri).toBe('/feeds/atom.xml')
    },
  )

  it('fits into what CloudFront takes', () => {
    for (const code of [edgeFunctionCode, senderFunctionCode]) {
      expect(Buffer.byteLength(code)).toBeLessThan(10_240)
    }
  })
})
