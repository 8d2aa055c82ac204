import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { regenerateFeed } from '../../functions/feeds/regenerate.ts'
import { feedPages, feedRoutes } from '../../functions/feeds/routes.ts'
import { everything, feedDocuments, objectKeys } from '../../functions/keys.ts'
import type { Settings } from '../../functions/settings.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { hidePost, storePost } from './stored-posts.ts'

let platform: ScratchPlatform
let app: Hono

async function open(settings: Parameters<typeof scratchPlatform>[0] = {}) {
  platform = await scratchPlatform(settings)
  app = new Hono()
  for (const route of feedRoutes) {
    app.on(route.method.toUpperCase(), route.path, (c) => route.handle(c, platform))
  }
  app.route('/', feedPages(platform))
  app.onError((error, c) => {
    if (!(error instanceof ServiceError)) throw error
    return c.json({ code: error.code }, error.status as 404)
  })
}
beforeEach(() => open())
afterEach(() => platform.close())

function get(path: string, headers: Record<string, string> = {}) {
  return app.request(`https://news.example${path}`, { headers })
}

async function publish(over: Parameters<typeof storePost>[1] = {}, html?: string) {
  const post = await storePost(platform, over, html)
  for (const feed of [everything, ...post.categories]) await regenerateFeed(platform, feed)
  return post
}

describe('GET /feeds/…', () => {
  it.each([
    ['/feeds/rss.xml', 'application/rss+xml; charset=utf-8'],
    ['/feeds/atom.xml', 'application/atom+xml; charset=utf-8'],
    ['/feeds/feed.json', 'application/feed+json; charset=utf-8'],
    ['/feeds/town/rss.xml', 'application/rss+xml; charset=utf-8'],
    ['/feeds/town/atom.xml', 'application/atom+xml; charset=utf-8'],
    ['/feeds/town/feed.json', 'application/feed+json; charset=utf-8'],
  ])('answers %s', async (path, type) => {
    await publish()
    const response = await get(path)
    expect(response.status).toBe(200)
    const headers = Object.fromEntries(response.headers)
    expect(headers).toMatchObject({
      'content-type': type,
      'cache-control': expect.stringMatching(/^public, max-age=300, stale-while-revalidate=\d+$/),
      vary: 'Accept-Encoding',
      etag: expect.stringMatching(/^"[\w-]{27}"$/),
      'last-modified': 'Mon, 02 Mar 2026 08:00:00 GMT',
      link: `<https://news.example${path}>; rel="self"`,
    })
    const text = await response.text()
    expect(text).toContain('A bridge opens')
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
  })

  it('answers HEAD with the same headers and no body', async () => {
    await publish()
    for (const encoding of ['identity', 'gzip', 'br']) {
      const headers = { 'accept-encoding': encoding }
      const full = await get('/feeds/town/rss.xml', headers)
      const head = await app.request('https://news.example/feeds/town/rss.xml', {
        method: 'HEAD',
        headers,
      })
      expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(full.headers))
      expect(await head.text()).toBe('')
    }
  })

  it('names the hubs in a header too', async () => {
    await platform.close()
    await open({ settings: { feeds: { hubs: ['https://hub.example/'] } } })
    await publish()
    expect((await get('/feeds/rss.xml')).headers.get('link')).toBe(
      '<https://news.example/feeds/rss.xml>; rel="self", <https://hub.example/>; rel="hub"',
    )
  })

  it.each([
    ['/feeds/nowhere/rss.xml'],
    ['/feeds/town/other.xml'],
    ['/feeds/other.xml'],
    ['/feeds/town/rss.xml/'],
    ['/feeds/town/x/rss.xml'],
    ['/feeds//rss.xml'],
    ['/feeds/%ff/rss.xml'],
    ['/feeds/*/rss.xml'],
    ['/feeds/_all/rss.xml'],
    ['/feeds/__proto__/rss.xml'],
    ['/feeds/constructor/rss.xml'],
    [`/feeds/${'a'.repeat(5000)}/rss.xml`],
    [`/feeds/${'字'.repeat(100)}/rss.xml`],
    ['/feeds/..%2f..%2fposts/rss.xml'],
    ['/feeds/..%5c..%5cposts/rss.xml'],
    ['/feeds/town%00/rss.xml'],
    ['/feeds/town/..%2f..%2f..%2fmanifests%2ftown.json'],
  ])('knows no feed at %s', async (path) => {
    await publish()
    for (const name of ['posts/rss.xml', 'public/rss.xml', 'manifests/rss.xml']) {
      await platform.objects.put(name, Buffer.from('secret'), {
        contentType: 'text/plain',
        version: '1 1',
      })
    }
    const response = await get(path)
    expect(response.status).toBe(404)
    expect(await response.text()).not.toContain('secret')
  })

  it('finds a category of any script, percent-encoded, raw or decomposed', async () => {
    await publish({ id: 'a', categories: ['泰州日报'] })
    await publish({ id: 'b', categories: ['éclair'] })
    for (const slug of [encodeURIComponent('泰州日报'), '泰州日报']) {
      expect((await get(`/feeds/${slug}/rss.xml`)).status).toBe(200)
    }
    for (const slug of ['éclair', 'e\u0301clair', '%C3%A9clair', 'e%CC%81clair']) {
      expect((await get(`/feeds/${slug}/atom.xml`)).status).toBe(200)
    }
  })

  it('answers for everything and for a known category before anything was rendered', async () => {
    await platform.close()
    await open({ settings: { categories: { sport: { title: 'Sport' } } } })
    for (const document of feedDocuments) {
      expect((await get(`/feeds/${document}`)).status).toBe(200)
      const response = await get(`/feeds/sport/${document}`)
      expect(response.status).toBe(200)
      expect(await response.text()).toContain('Sport · ')
    }
    await storePost(platform, { categories: ['town'] })
    expect(await (await get('/feeds/town/rss.xml')).text()).toContain('A bridge opens')
  })

  it('renders again what a crash left broken, and sees to it that it is stored', async () => {
    await publish()
    const key = objectKeys.feed('town', 'rss.xml')
    const before = await get('/feeds/town/rss.xml')
    await platform.objects.put(key, new Uint8Array(), { contentType: 'text/plain' })
    const response = await get('/feeds/town/rss.xml')
    expect(await response.text()).toBe(await before.text())
    await regenerateFeed(platform, 'town')
    expect((await platform.objects.get(key))?.version).toBeDefined()
  })

  it('answers with an empty feed once the last post has gone', async () => {
    await hidePost(platform, await publish())
    await regenerateFeed(platform, 'town')
    const feed = await (await get('/feeds/town/feed.json')).json()
    expect(feed).toMatchObject({ items: [] })
  })
})

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

describe('a browser that opens a feed', () => {
  const navigation = { 'sec-fetch-dest': 'document', accept: 'text/html' }

  it.each([
    ['/feeds/rss.xml', '/feeds/'],
    ['/feeds/feed.json', '/feeds/'],
    ['/feeds/town/atom.xml', '/categories/town/'],
    ['/feeds/%E6%B3%B0/rss.xml', '/categories/%E6%B3%B0/'],
  ])('is led from %s to %s', async (path, page) => {
    await publish({ categories: ['town', '泰'] })
    const response = await get(path, navigation)
    expect(response.status).toBe(302)
    expect(response.headers.get('location')).toBe(page)
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('sees the feed itself with ?raw, and an unknown one nowhere', async () => {
    await publish()
    expect((await get('/feeds/town/rss.xml?raw', navigation)).status).toBe(200)
    expect((await get('/feeds/none/rss.xml', navigation)).status).toBe(404)
  })

  it('is not a reader, an image or a script', async () => {
    await publish()
    for (const destination of ['empty', 'image', 'script', 'iframe']) {
      expect((await get('/feeds/rss.xml', { 'sec-fetch-dest': destination })).status).toBe(200)
    }
  })
})

describe('an old address', () => {
  const settings: { categories: Settings['categories']; feeds: Partial<Settings['feeds']> } = {
    categories: { news: { title: 'News', renamedFrom: ['alt', '新闻'] }, sport: {} },
    feeds: {
      redirects: {
        '/blog/feed.xml': '*/rss.xml',
        '/rss.xml': 'sport/rss.xml',
        '/tags/公告.xml': 'news/atom.xml',
        '/tags/e%CC%81.json': 'sport',
        '/old/atom': '*',
        '/alt/rss': 'alt/rss.xml',
        '/feeds/sport/rss.xml': 'news/rss.xml',
      },
    },
  }

  it.each([
    ['/feed.xml', '/feeds/atom.xml'],
    ['/feed/', '/feeds/rss.xml'],
    ['/feed', '/feeds/rss.xml'],
    ['/atom.xml', '/feeds/atom.xml'],
    ['/index.xml', '/feeds/rss.xml'],
    ['/feed.json', '/feeds/feed.json'],
    ['/feed.xml?format=x', '/feeds/atom.xml'],
    ['/rss.xml', '/feeds/sport/rss.xml'],
    ['/blog/feed.xml', '/feeds/rss.xml'],
    ['/tags/公告.xml', '/feeds/news/atom.xml'],
    ['/tags/%E5%85%AC%E5%91%8A.xml', '/feeds/news/atom.xml'],
    ['/tags/é.json', '/feeds/sport/feed.json'],
    ['/old/atom', '/feeds/atom.xml'],
    ['/alt/rss', '/feeds/news/rss.xml'],
    ['/feeds/alt/rss.xml', '/feeds/news/rss.xml'],
    ['/feeds/%E6%96%B0%E9%97%BB/feed.json', '/feeds/news/feed.json'],
  ])('%s leads to %s for good', async (from, to) => {
    await platform.close()
    await open({ settings })
    const response = await get(from)
    expect(response.status).toBe(301)
    expect(response.headers.get('location')).toBe(to)
  })

  it('never takes the place of a feed that exists', async () => {
    await platform.close()
    await open({ settings })
    expect((await get('/feeds/sport/rss.xml')).status).toBe(200)
  })

  it.each(['/', '/feedx', '/nothing', '/%', '/%ff.xml', '/constructor', '/__proto__'])(
    'is none: %s',
    async (path) => {
      expect((await get(path)).status).toBe(404)
    },
  )
})

describe('GET /feeds.opml', () => {
  it('lists the feeds before the pages’ writer has, and what it wrote after', async () => {
    await publish()
    const first = await get('/feeds.opml')
    expect(first.headers.get('content-type')).toBe('text/x-opml; charset=utf-8')
    expect(await first.text()).toContain('https://news.example/feeds/town/rss.xml')
    await platform.objects.put(objectKeys.opml, Buffer.from('<opml/>'), {
      contentType: 'text/x-opml',
    })
    const second = await get('/feeds.opml')
    expect(await second.text()).toBe('<opml/>')
    const again = await get('/feeds.opml', { 'if-none-match': second.headers.get('etag') ?? '' })
    expect(again.status).toBe(304)
  })
})

describe('POST /api/v1/feeds/rebuild', () => {
  function rebuild(body?: unknown) {
    return app.request('https://news.example/api/v1/feeds/rebuild', {
      method: 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  it('renders every feed again from the stored posts, into the same bytes', async () => {
    await publish({ id: 'a', categories: ['town'] })
    await publish({ id: 'b', categories: ['sport'] })
    const paths = ['', 'town/', 'sport/'].flatMap((folder) =>
      feedDocuments.map((document) => `/feeds/${folder}${document}`),
    )
    const texts = () => Promise.all(paths.map(async (path) => (await get(path)).text()))
    const before = await texts()
    for (const feed of [everything, 'town', 'sport']) {
      for (const document of feedDocuments) {
        await platform.objects.delete(objectKeys.feed(feed, document))
      }
      await platform.objects.put(objectKeys.manifest(feed), Buffer.from('{'), {
        contentType: 'x/y',
      })
    }
    const response = await rebuild()
    expect(response.status).toBe(200)
    const { feeds } = await response.json()
    expect(feeds).toEqual([
      {
        rss: 'https://news.example/feeds/rss.xml',
        atom: 'https://news.example/feeds/atom.xml',
        json: 'https://news.example/feeds/feed.json',
        state: 'rendered',
      },
      expect.objectContaining({ category: 'sport', state: 'rendered' }),
      expect.objectContaining({ category: 'town', state: 'rendered' }),
    ])
    for (const feed of [everything, 'town', 'sport']) {
      expect(await platform.objects.get(objectKeys.feed(feed, 'rss.xml'))).toBeDefined()
    }
    expect(await texts()).toEqual(before)
  })

  it('renders the categories that are named, by slug or name', async () => {
    await publish({ id: 'a', categories: ['town', 'sport'] })
    const { feeds } = await (await rebuild({ categories: ['Town', 'town', '*'] })).json()
    expect(feeds.map(({ category }: { category?: string }) => category)).toEqual([
      'town',
      undefined,
    ])
  })

  it.each<[unknown, number, string]>([
    [{ categories: ['nowhere'] }, 404, 'not-found'],
    [{ categories: 'town' }, 422, 'invalid-input'],
    [{ categories: [1] }, 422, 'invalid-input'],
    [{ categories: Array(1001).fill('town') }, 422, 'invalid-input'],
    ['x', 422, 'invalid-input'],
  ])('refuses %j', async (body, status, code) => {
    await publish()
    const response = await rebuild(body)
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({ code })
  })

  it('says which feeds are not rendered, when they could not be', async () => {
    await publish()
    const { objects } = platform
    const put: typeof objects.put = async (key, body, options) => {
      if (key.startsWith('public/feeds/town/')) throw new Error('disk full')
      return objects.put(key, body, options)
    }
    await objects.delete(objectKeys.feed('town', 'rss.xml'))
    const failing = { ...platform, objects: { ...objects, put } }
    // Its jobs run on the failing store.
    failing.settled = async () => {
      await regenerateFeed(failing, 'town').catch(() => undefined)
    }
    const route = new Hono()
    route.post('/', (c) => feedRoutes[0]?.handle(c, failing) ?? c.text(''))
    const response = await route.request('/', { method: 'POST', body: '{"categories":["town"]}' })
    expect((await response.json()).feeds).toMatchObject([{ category: 'town', state: 'queued' }])
  })
})
