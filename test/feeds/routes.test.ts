import { describe, expect, it } from 'vitest'
import { regenerateFeed } from '../../functions/feeds/regenerate.ts'
import { feedDocuments, objectKeys } from '../../functions/keys.ts'
import { app, get, open, platform, publish } from './feed-server.ts'
import { hidePost, storePost } from './stored-posts.ts'

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
    // A client that sends UTF-8 as it is reaches us as Latin-1.
    const bytes = Buffer.from('泰州日报').toString('latin1')
    for (const slug of [encodeURIComponent('泰州日报'), '泰州日报', bytes]) {
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
