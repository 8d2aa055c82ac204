import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { regenerateFeed } from '../../functions/feeds/regenerate.ts'
import { feedRoutes } from '../../functions/feeds/routes.ts'
import { everything, feedDocuments, objectKeys } from '../../functions/keys.ts'
import { app, get, platform, publish } from './feed-server.ts'

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
