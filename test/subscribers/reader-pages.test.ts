import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { eraseSubscriber } from '../../functions/subscribers/erase.ts'
import { subscriberPages } from '../../functions/subscribers/routes.ts'
import { suppress } from '../../functions/subscribers/suppression.ts'
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

describe('preferences', () => {
  it('are shown as they are and changed by one form', async () => {
    const { platform, app, join, post, link, readerOf } = await readersPlatform()
    await join(ada, { categories: 'tech', cadence: 'weekly', day: 'fri' })
    await headNumber(platform, 4)
    const page = await (await app.request(link('preferences', ada))).text()
    expect(page).toContain(ada)
    const saved = await post(link('preferences', ada), {
      action: 'save',
      categories: ['', 'tech', 'life'],
      cadence: 'monthly',
      day: 'last-fri',
      at: '18:15',
      timeZone: 'Asia/Tokyo',
      locale: 'de',
    })
    expect(saved.status).toBe(200)
    expect(await saved.text()).toContain('<html lang="de"')
    expect(await readerOf(ada)).toMatchObject({
      categories: { tech: 0, life: 4 },
      cadence: 'monthly',
      day: 'last-fri',
      schedule: 'monthly-last-fri-1815-Asia_sTokyo',
    })
  })

  it('keep what was typed when a field is wrong, and change nothing', async () => {
    const { join, post, link, readerOf } = await readersPlatform()
    const reader = await join(ada)
    const response = await post(link('preferences', ada), {
      categories: ['', 'tech'],
      cadence: 'monthly',
      day: 'last-fri',
      at: '25:00',
      timeZone: 'Asia/Tokyo',
      locale: 'de',
    })
    expect(response.status).toBe(422)
    const html = await response.text()
    expect(html).toContain('<html lang="en"')
    expect(html).toContain('25:00')
    for (const value of ['monthly', 'last-fri', 'Asia/Tokyo', 'de']) {
      expect(html).toMatch(new RegExp(`value="${value}"[^>]*(checked|selected)`))
    }
    expect(html).toMatch(/value="tech"[^>]*checked|checked[^>]*value="tech"/)
    expect(await readerOf(ada)).toEqual(reader)
  })

  it('go back to the usual day when a reader chooses that', async () => {
    const { join, post, link, readerOf } = await readersPlatform()
    await join(ada, { cadence: 'weekly', day: 'fri' })
    await post(link('preferences', ada), { cadence: 'weekly', at: '07:00' })
    expect(await readerOf(ada)).toMatchObject({ day: 'fri', at: '07:00' })
    await post(link('preferences', ada), { cadence: 'weekly', day: '' })
    expect((await readerOf(ada))?.day).toBe('mon')
    await post(link('preferences', ada), { cadence: 'monthly', day: '' })
    expect((await readerOf(ada))?.day).toBe('1')
  })

  it('keep a chosen category that the site lists no more', async () => {
    const { platform, app, join, post, link, readerOf } = await readersPlatform()
    await join(ada, { categories: 'tech' })
    delete platform.settings.categories.tech
    const html = await (await app.request(link('preferences', ada))).text()
    const boxes = html.match(/<input[^>]*name="categories"[^>]*>/g) ?? []
    const ticked = boxes.filter((box) => /checked|type="hidden"/.test(box))
    const sent = ticked.map((box) => /value="([^"]*)"/.exec(box)?.[1] ?? '')
    await post(link('preferences', ada), { categories: sent, at: '07:00' })
    expect(await readerOf(ada)).toMatchObject({ at: '07:00' })
    expect((await readerOf(ada))?.categories).toEqual({ tech: 0 })
  })

  it('lead from each fault to its field', async () => {
    const { join, post, link } = await readersPlatform()
    await join(ada)
    for (const fields of [
      { action: 'erase' },
      { action: 'pause', pausedUntil: 'soon' },
      { action: 'address', email: 'nobody' },
      {
        cadence: 'hourly',
        day: 'someday',
        at: 'noon',
        timeZone: '?',
        locale: '?',
        categories: '?',
      },
    ]) {
      const html = await (await post(link('preferences', ada), fields)).text()
      const targets = [...html.matchAll(/href="#(field-[^"]+)"/g)].map(([, id]) => id)
      expect(targets).not.toEqual([])
      for (const id of targets) expect(html).toContain(`id="${id}"`)
      const described = [...html.matchAll(/aria-describedby="([^"]+)"/g)].flatMap(([, ids = '']) =>
        ids.split(' '),
      )
      for (const id of described) expect(html).toContain(`id="${id}"`)
      for (const id of targets) expect(described).toContain(id?.replace('field', 'fault'))
    }
  })

  it.each([
    ['en', 'A pause can last a year at most.'],
    ['de', 'höchstens ein Jahr'],
    ['zh-CN', '最多在一年之后'],
  ])('say in each language how long a pause may be: %s', async (locale, words) => {
    const { join, post, link } = await readersPlatform()
    await join(ada, { locale })
    const fields = { action: 'pause', pausedUntil: '2029-05-01' }
    expect(await (await post(link('preferences', ada), fields)).text()).toContain(words)
  })

  it('name a wrong time zone also while mail is paused', async () => {
    const { join, post, link } = await readersPlatform()
    await join(ada)
    await post(link('preferences', ada), { action: 'pause', pausedUntil: '2026-05-01' })
    const response = await post(link('preferences', ada), { timeZone: 'Nowhere/Else' })
    expect(response.status).toBe(422)
    const html = await response.text()
    expect(html).toContain('IANA name')
    expect(html).toContain('paused until May 1, 2026')
  })

  it('of one whom no mail may reach say so, and never that something was saved', async () => {
    const { platform, app, join, post, link, idOf, readerOf } = await readersPlatform()
    await join(ada)
    await suppress(platform, idOf(ada), 'soft-bounces')
    const path = link('preferences', ada)
    const actions = ['save', 'subscribe', 'pause', 'resume']
    const pages = [
      await app.request(path),
      ...(await Promise.all(
        actions.map((action) => post(path, { action, pausedUntil: '2026-05-01' })),
      )),
    ]
    for (const response of pages) {
      const html = await response.text()
      expect(html).toContain('No mail goes to this address')
      expect(html).not.toContain('Your choices are saved')
      expect([...html.matchAll(/name="action" value="(\w+)"/g)].map(([, name]) => name)).toEqual([
        'export',
        'erase',
      ])
    }
    expect((await readerOf(ada))?.state).toBe('suppressed')
  })

  it('of one who left offer the way back, and nothing that only a reader can do', async () => {
    const { app, join, post, link } = await readersPlatform()
    await join(ada)
    await post(link('unsubscribe', ada))
    const html = await (await app.request(link('preferences', ada))).text()
    expect([...html.matchAll(/name="action" value="(\w+)"/g)].map(([, name]) => name)).toEqual([
      'subscribe',
      'export',
      'erase',
    ])
    const late = await post(link('preferences', ada), { action: 'save', cadence: 'daily' })
    expect(await late.text()).not.toContain('Your choices are saved')
  })

  it('can be used by a program in JSON', async () => {
    const { app, join, link } = await readersPlatform()
    await join(ada)
    const send = (body: unknown) =>
      app.request(link('preferences', ada), {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      })
    const saved = await send({ cadence: 'daily', categories: ['tech'] })
    expect(await saved.json()).toMatchObject({ cadence: 'daily', categories: ['tech'] })
    const refused = await send({ cadence: 'hourly' })
    expect(refused.status).toBe(422)
    expect(await refused.json()).toMatchObject({ code: 'subscriber.cadence' })
    expect((await send({ action: 'explode' })).status).toBe(422)
    for (const body of ['{', '[]', '{"action":"save"']) {
      const malformed = await send(body)
      expect(malformed.status).toBe(400)
      expect(malformed.headers.get('content-type')).toContain('application/problem+json')
    }
  })

  it('move an instant reader to catch-up when something may be owed', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await join(ada, { cadence: 'daily' })
    await headNumber(platform, 3)
    await post(link('preferences', ada), { cadence: 'instant' })
    expect(await readerOf(ada)).toMatchObject({ cadence: 'instant', catchUp: true })
  })
})
