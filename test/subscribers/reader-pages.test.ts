import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { eraseSubscriber } from '../../functions/subscribers/erase.ts'
import { subscriberPages } from '../../functions/subscribers/routes.ts'
import { headNumber, noted, readersPlatform } from './readers-platform.ts'

const hour = 60 * 60 * 1000
const day = 24 * hour
const ada = 'ada@example.org'

describe('GET and HEAD', () => {
  it('change nothing, whoever follows the links of all mails a thousand times', async () => {
    const { platform, post, join, link, confirmLink } = await readersPlatform()
    await join(ada)
    await post('/subscribe', { email: 'new@example.org' })
    await platform.settle()
    const pending = await confirmLink('new@example.org')
    const watched = noted(platform)
    const app = new Hono().route('/', subscriberPages(watched.platform))
    const paths = [
      pending,
      await confirmLink(ada),
      link('preferences', ada),
      link('unsubscribe', ada),
      `${link('unsubscribe', ada)}?category=tech`,
      `${link('preferences', ada)}?action=erase&confirm=yes`,
      '/subscribe?email=ada@example.org',
    ]
    for (let i = 0; i < 1000; i++) {
      const path = paths[i % paths.length] ?? ''
      const response = await app.request(path, { method: i % 3 ? 'GET' : 'HEAD' })
      expect(response.status).toBe(200)
    }
    expect(watched.writes).toEqual([])
  }, 60_000)
})

describe('pages with a token', () => {
  it('are stored nowhere, indexed nowhere and tell nobody where one came from', async () => {
    const { app, join, post, link, confirmLink } = await readersPlatform()
    await join(ada)
    const paths = [
      link('preferences', ada),
      link('unsubscribe', ada),
      await confirmLink(ada),
      '/preferences/nonsense',
      '/confirm/nonsense',
      '/unsubscribe/nonsense',
    ]
    for (const path of paths) {
      for (const response of [await app.request(path), await post(path)]) {
        expect(Object.fromEntries(response.headers)).toMatchObject({
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
          'x-robots-tag': 'noindex',
        })
        const html = await response.text()
        expect(html).not.toMatch(/<script|onclick|javascript:/i)
        expect(response.headers.get('set-cookie')).toBeNull()
      }
    }
  })

  it('refuse a token of another purpose or reader, or with a letter changed', async () => {
    const { app, join, post, link, readerOf } = await readersPlatform()
    const reader = await join(ada)
    await join('grace@example.org')
    const token = link('preferences', ada).split('/')[2] ?? ''
    const forged = [
      `/unsubscribe/${token}`,
      `/confirm/${token}`,
      `/preferences/${link('unsubscribe', ada).split('/')[2]}`,
      `/preferences/${token.slice(0, 30)}${token[30] === 'A' ? 'B' : 'A'}${token.slice(31)}`,
      `/preferences/${token.slice(0, -1)}`,
      `/preferences/${token}x`,
    ]
    for (const path of forged) {
      expect((await app.request(path)).status).toBe(404)
      expect((await post(path, { action: 'erase', confirm: 'yes' })).status).toBe(404)
    }
    expect(await readerOf(ada)).toEqual(reader)
  })

  it('refuse a form that another site sends, and take one from no site at all', async () => {
    const { join, post, link, readerOf } = await readersPlatform()
    const reader = await join(ada)
    const refused: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site', origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
    ]
    for (const headers of refused) {
      const response = await post(link('unsubscribe', ada), {}, headers)
      expect(response.status).toBeGreaterThanOrEqual(400)
      expect(await readerOf(ada)).toEqual(reader)
    }
    const taken: Record<string, string>[] = [
      { 'sec-fetch-site': 'same-origin', origin: 'null' },
      { origin: 'null' },
      { origin: 'https://news.example' },
      {},
    ]
    for (const headers of taken) {
      const response = await post(link('preferences', ada), { cadence: 'daily' }, headers)
      expect(response.status).toBe(200)
    }
  })
})

describe('leaving', () => {
  it('takes one click of a mailbox provider: no redirect, no cookie, no origin', async () => {
    const { platform, app, join, link, readerOf } = await readersPlatform()
    await join(ada)
    platform.advance(hour)
    for (let i = 0; i < 3; i++) {
      const response = await app.request(link('unsubscribe', ada), {
        method: 'POST',
        body: 'List-Unsubscribe=One-Click',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
      expect(response.status).toBe(200)
      expect(await readerOf(ada)).toMatchObject({
        state: 'unsubscribed',
        unsubscribedAt: '2026-03-02T09:00:00.000Z',
      })
    }
    const form = new FormData()
    form.set('List-Unsubscribe', 'One-Click')
    const multipart = await app.request(link('unsubscribe', ada), { method: 'POST', body: form })
    expect(multipart.status).toBe(200)
    expect((await app.request(link('unsubscribe', ada), { method: 'POST' })).status).toBe(200)
  })

  it('can be of one category, until it was the last', async () => {
    const { join, post, link, readerOf, app } = await readersPlatform()
    await join(ada, { categories: ['tech', 'life'] })
    const page = await (await app.request(`${link('unsubscribe', ada)}?category=tech`)).text()
    expect(page).toContain('Technology')
    await post(link('unsubscribe', ada), { category: 'tech' })
    expect(await readerOf(ada)).toMatchObject({ state: 'confirmed', categories: { life: 0 } })
    await post(link('unsubscribe', ada), { category: 'tech' })
    expect(await readerOf(ada)).toMatchObject({ state: 'confirmed', categories: { life: 0 } })
    await post(`${link('unsubscribe', ada)}?category=life`, { 'List-Unsubscribe': 'One-Click' })
    expect((await readerOf(ada))?.state).toBe('unsubscribed')
  })

  it('of one category leaves a reader of everything the others', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await headNumber(platform, 5)
    await join(ada)
    await headNumber(platform, 9)
    await post(link('unsubscribe', ada), { category: 'tech' })
    expect((await readerOf(ada))?.categories).toEqual({ life: 5 })
  })

  it('of a category that nobody knows is leaving, and the page does not repeat its name', async () => {
    const { app, join, post, link, readerOf } = await readersPlatform()
    await join(ada)
    const path = `${link('unsubscribe', ada)}?category=Your%20account%20is%20locked`
    expect(await (await app.request(path)).text()).not.toContain('locked')
    await post(path)
    expect((await readerOf(ada))?.state).toBe('unsubscribed')
  })

  it('can be undone by the link on the page; what came meanwhile is not owed', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await join(ada, { categories: 'tech', cadence: 'daily' })
    const html = await (await post(link('unsubscribe', ada))).text()
    const undo = /href="[^"]*(\/preferences\/[\w-]+)"/.exec(html)?.[1] ?? ''
    platform.advance(30 * day)
    await headNumber(platform, 7)
    expect((await post(undo, { cadence: 'daily' })).status).toBe(200)
    expect((await readerOf(ada))?.state).toBe('unsubscribed')
    await post(undo, { action: 'subscribe' })
    expect(await readerOf(ada)).toMatchObject({
      state: 'confirmed',
      categories: { tech: 7 },
      cadence: 'daily',
    })
  })

  it('by an old link still answers after the reader was erased, or never existed', async () => {
    const { platform, app, join, post, idOf, link } = await readersPlatform()
    await join(ada)
    await eraseSubscriber(platform, idOf(ada))
    for (const path of [link('unsubscribe', ada), link('unsubscribe', 'nobody@example.org')]) {
      expect((await app.request(path)).status).toBe(200)
      expect((await post(path, { 'List-Unsubscribe': 'One-Click' })).status).toBe(200)
    }
    expect((await app.request(link('preferences', ada))).status).toBe(410)
    expect((await app.request(link('preferences', 'nobody@example.org'))).status).toBe(410)
  })

  it('before the confirmation makes its link useless', async () => {
    const { platform, post, link, confirmLink, readerOf } = await readersPlatform()
    await post('/subscribe', { email: ada })
    await platform.settle()
    const confirm = await confirmLink(ada)
    await post(link('unsubscribe', ada))
    expect((await post(confirm)).status).toBe(410)
    expect((await readerOf(ada))?.state).toBe('pending')
  })

  it('works with links from before the keys were changed', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await join(ada)
    const old = link('unsubscribe', ada)
    await platform.rotateLinks()
    expect(link('unsubscribe', ada)).not.toBe(old)
    await post(old)
    expect((await readerOf(ada))?.state).toBe('unsubscribed')
  })
})
