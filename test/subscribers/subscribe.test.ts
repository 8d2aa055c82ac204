import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import { membershipRows } from '../../functions/subscribers/membership-rows.ts'
import { requestSubscription } from '../../functions/subscribers/subscribe.ts'
import { suppress } from '../../functions/subscribers/suppression.ts'
import { listInLog } from '../support/list-in-log.ts'
import type { ScratchPlatform } from '../support/scratch-platform.ts'
import { preferencesFor } from './readers.ts'
import { noted, readersPlatform } from './readers-platform.ts'

const day = 24 * 60 * 60 * 1000
const ada = 'ada@example.org'

async function listPosts(platform: ScratchPlatform, ...ids: string[]) {
  for (const id of ids) {
    await platform.records.put({ ...recordKeys.post(id), value: { id, again: 0, categories: [] } })
  }
  await listInLog(
    platform,
    ids.map((postId) => ({ postId, categories: ['tech'], mail: 'digest' as const, again: 0 })),
  )
}

describe('subscribing', () => {
  it('takes a mail, a look and a button, and nothing less', async () => {
    const { platform, app, post, readerOf, mailsTo, confirmLink } = await readersPlatform()
    await listPosts(platform, 'one', 'two')
    const fields = { email: ada, categories: ['tech', 'life'], cadence: 'daily', at: '07:30' }
    const answer = await post('/subscribe', fields)
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('<h1')
    await platform.settle()
    expect(await readerOf(ada)).toMatchObject({ state: 'pending', email: ada })
    expect(await mailsTo(ada)).toHaveLength(1)

    const link = await confirmLink(ada)
    const page = await app.request(link)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Technology')])
    expect((await readerOf(ada))?.state).toBe('pending')

    await listPosts(platform, 'three')
    const done = await post(link)
    expect([done.status, done.headers.get('location')]).toEqual([200, null])
    const reader = await readerOf(ada)
    expect(reader).toMatchObject({
      state: 'confirmed',
      categories: { tech: 3, life: 3 },
      cadence: 'daily',
      at: '07:30',
      schedule: 'daily-0730-UTC',
      consent: { source: 'form', text: expect.any(String), from: 'https://news.example/subscribe' },
      confirmedAt: '2026-03-02T08:00:00.000Z',
    })
    for (const field of ['wanted', 'expires']) expect(reader).not.toHaveProperty(field)
    const rows = await platform.records.getMany(membershipRows(reader as never))
    expect(rows).not.toContain(undefined)
  })

  it('confirms once, however often the button is pressed', async () => {
    const { post, readerOf, join, confirmLink, platform } = await readersPlatform()
    const reader = await join(ada)
    await listPosts(platform, 'one')
    for (let i = 0; i < 3; i++) {
      expect((await post(await confirmLink(ada))).status).toBe(200)
      expect(await readerOf(ada)).toEqual(reader)
    }
  })

  it('keeps where the form stood, without query, as proof', async () => {
    const { post, readerOf, platform, confirmLink } = await readersPlatform()
    const referer = 'https://blog.example/a/post?utm=1&email=x#y'
    await post('/subscribe', { email: ada }, { referer, origin: 'https://blog.example' })
    await platform.settle()
    await post(await confirmLink(ada))
    expect((await readerOf(ada))?.consent?.from).toBe('https://blog.example/a/post')
  })

  it('is forgotten after a week without confirmation, address and all', async () => {
    const { platform, post, app, readerOf, confirmLink } = await readersPlatform()
    await post('/subscribe', { email: ada })
    await platform.settle()
    const link = await confirmLink(ada)
    platform.advance(7 * day - 1000)
    expect((await app.request(link)).status).toBe(200)
    platform.advance(1000)
    expect(await readerOf(ada)).toBeUndefined()
    expect((await app.request(link)).status).toBe(404)
    expect((await post(link)).status).toBe(404)
    expect(await readerOf(ada)).toBeUndefined()
  })

  it('confirms what the mail said, not what a stranger asked for since', async () => {
    const { platform, post, app, readerOf, confirmLink } = await readersPlatform()
    await post('/subscribe', { email: ada, categories: 'tech', cadence: 'monthly' })
    await platform.settle()
    const link = await confirmLink(ada)
    await post('/subscribe', { email: 'ADA@example.org', cadence: 'instant', locale: 'de' })
    await platform.settle()
    expect(await (await app.request(link)).text()).toContain('Technology')
    await post(link)
    expect(await readerOf(ada)).toMatchObject({
      email: ada,
      cadence: 'monthly',
      categories: { tech: 0 },
      locale: 'en',
    })
  })

  it('sends a reader who subscribes again the link to the preferences, and changes nothing', async () => {
    const { platform, post, join, readerOf, mailsTo, linksTo } = await readersPlatform()
    const reader = await join(ada, { cadence: 'weekly' })
    platform.advance(day)
    await post('/subscribe', { email: ada, cadence: 'instant', categories: 'tech' })
    await platform.settle()
    expect(await readerOf(ada)).toEqual(reader)
    expect(await mailsTo(ada)).toHaveLength(2)
    expect(await linksTo(ada, 'preferences')).toHaveLength(1)
  })

  it('brings back one who left, from now on, by a new confirmation only', async () => {
    const { platform, post, join, link, readerOf, confirmLink } = await readersPlatform()
    await join(ada, { categories: 'tech' })
    const old = await confirmLink(ada)
    await listPosts(platform, 'one')
    platform.advance(day)
    await post(link('unsubscribe', ada))
    expect((await readerOf(ada))?.state).toBe('unsubscribed')
    expect((await post(old)).status).toBe(410)
    expect((await readerOf(ada))?.state).toBe('unsubscribed')

    await listPosts(platform, 'two')
    platform.advance(1000)
    await post('/subscribe', { email: ada, categories: 'life' })
    await platform.settle()
    expect((await readerOf(ada))?.state).toBe('unsubscribed')
    await post(await confirmLink(ada, [old]))
    const reader = await readerOf(ada)
    expect(reader).toMatchObject({ state: 'confirmed', categories: { life: 2 } })
    expect(reader).not.toHaveProperty('unsubscribedAt')
  })

  it('sends a suppressed address nothing and never brings it back', async () => {
    const { platform, post, idOf, readerOf, mailsTo, confirmLink } = await readersPlatform()
    await post('/subscribe', { email: ada })
    await platform.settle()
    await suppress(platform, idOf(ada), 'complaint')
    const before = (await mailsTo(ada)).length
    platform.advance(day)
    await post('/subscribe', { email: ada })
    await platform.settle()
    expect(await mailsTo(ada)).toHaveLength(before)
    await post(await confirmLink(ada))
    expect(await readerOf(ada)).toMatchObject({ state: 'suppressed', reason: 'complaint' })
  })

  it('answers the same bytes for a known, unknown, suppressed and pending address', async () => {
    const { platform, post, join, idOf } = await readersPlatform()
    await join('known@example.org')
    await join('left@example.org')
    await join('bad@example.org')
    await suppress(platform, idOf('bad@example.org'), 'hard-bounce')
    await post('/subscribe', { email: 'pending@example.org' })
    await platform.settle()
    const answers = new Set<string>()
    for (const name of ['known', 'unknown', 'bad', 'pending', 'left']) {
      const response = await post('/subscribe', { email: `${name}@example.org` })
      answers.add(JSON.stringify([response.status, [...response.headers], await response.text()]))
    }
    expect(answers.size).toBe(1)
  })

  it('reads nothing about the address before it answers, and writes the same for every one', async () => {
    const { platform, join, idOf } = await readersPlatform()
    await join('known@example.org')
    await join('bad@example.org')
    await suppress(platform, idOf('bad@example.org'), 'hard-bounce')
    const shapes = new Set<string>()
    for (const name of ['known', 'unknown', 'bad']) {
      const watched = noted(platform)
      const reads: string[] = []
      await requestSubscription(
        {
          ...watched.platform,
          records: new Proxy(watched.platform.records, {
            get(target, member, receiver) {
              if (['get', 'getMany', 'query'].includes(String(member))) reads.push(String(member))
              return Reflect.get(target, member, receiver)
            },
          }),
        },
        {
          email: `${name}@example.org`,
          preferences: preferencesFor(),
          consent: { source: 'form' },
        },
      )
      expect(reads).toEqual([])
      shapes.add(watched.writes.map((write) => write.split(' ')[0]).join(' '))
    }
    expect(shapes.size).toBe(1)
  })
})

describe('the subscribe form', () => {
  it('keeps what was typed and names every fault', async () => {
    const { platform, post, mailsTo } = await readersPlatform()
    const response = await post('/subscribe', {
      email: 'ada@"><script>alert(1)</script>',
      categories: 'tech',
      at: '99:99',
      cadence: 'daily',
    })
    expect(response.status).toBe(422)
    const html = await response.text()
    expect(html).not.toContain('<script')
    expect(html).toContain('value="99:99"')
    expect(html).toMatch(/value="tech"[^>]*checked|checked[^>]*value="tech"/)
    for (const path of ['email', 'at']) expect(html).toContain(`fault-${path}`)
    await platform.settle()
    expect(await mailsTo('ada@example.org')).toEqual([])
  })

  it.each([
    [
      'application/json',
      '{"email":"ada@example.org","categories":["tech"],"cadence":"daily"}',
      202,
    ],
    ['application/json', '{"email":"nobody"}', 422],
    ['application/json', '{"email":"ada@example.org","categories":["nope"]}', 422],
    ['application/json', '{"email":["ada@example.org"]}', 422],
    ['application/json', '[]', 400],
    ['application/json', '{"email":', 400],
    ['application/json', '', 400],
  ])('answers JSON with JSON: %s %s', async (type, body, status) => {
    const { app } = await readersPlatform()
    const response = await app.request('/subscribe', {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    })
    expect(response.status).toBe(status)
    if (status === 202) expect(await response.json()).toEqual({ status: 'check-inbox' })
    else {
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(await response.json()).toMatchObject({ status, code: expect.any(String) })
    }
  })

  it('takes a multipart form, with repeated categories', async () => {
    const { app, platform, readerOf } = await readersPlatform()
    const form = new FormData()
    form.set('email', ada)
    form.append('categories', '')
    form.append('categories', 'tech')
    form.append('categories', 'life')
    form.set('file', new Blob(['x'.repeat(1000)]), 'x.txt')
    const response = await app.request('/subscribe', { method: 'POST', body: form })
    expect(response.status).toBe(200)
    await platform.settle()
    expect((await readerOf(ada))?.wanted?.categories).toEqual(['tech', 'life'])
  })

  it('takes the form of another site, also without an origin', async () => {
    const { post } = await readersPlatform()
    for (const headers of [
      { origin: 'https://blog.example', 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
      {},
    ]) {
      expect((await post('/subscribe', { email: ada }, headers)).status).toBe(200)
    }
  })

  it('gives a machine that fills the hidden field the usual answer and nothing else', async () => {
    const { app, platform, post, mailsTo } = await readersPlatform()
    expect(await (await app.request('/subscribe')).text()).toMatch(
      /<input[^>]*name="website"[^>]*hidden/,
    )
    const usual = await post('/subscribe', { email: 'grace@example.org' })
    const answer = await post('/subscribe', { email: ada, website: 'https://spam.example' })
    expect([answer.status, await answer.text()]).toEqual([200, await usual.text()])
    await platform.settle()
    expect(await mailsTo(ada)).toEqual([])
  })

  it('shows what the link presets, and nothing that it does not know', async () => {
    const { app } = await readersPlatform()
    const html = await (await app.request('/subscribe?categories=tech&cadence=daily&x=<b>')).text()
    expect(html).toMatch(/value="tech"[^>]*checked|checked[^>]*value="tech"/)
    expect(html).not.toContain('<b>')
  })

  it.each([
    'cadence=hourly',
    'cadence=monthly&day=some-mon',
    'cadence=monthly&day=some-mon&locale=de',
    'day=constructor&at=noon&timeZone=Nowhere',
  ])('has a whole sentence on the schedule, whatever its address asks for: %s', async (query) => {
    const { app } = await readersPlatform()
    const response = await app.request(`/subscribe?${query}`)
    expect(response.status).toBe(200)
    expect(await response.text()).not.toMatch(/undefined|NaN/)
  })

  it.each([
    ['a form of 100 kB', 'application/x-www-form-urlencoded', `email=${'x'.repeat(100_000)}`, 413],
    ['thousands of fields', 'application/x-www-form-urlencoded', 'a=&'.repeat(5000), 400],
    ['a text', 'text/plain', '{"email":"ada@example.org"}', 415],
    ['no type', '', 'email=ada%40example.org', 415],
    ['half a multipart form', 'multipart/form-data; boundary=x', '--x\r\nContent-', 400],
    ['a multipart form without its boundary', 'multipart/form-data', 'x', 400],
  ])('refuses %s', async (_what, type, body, status) => {
    const { app, platform } = await readersPlatform()
    const watched = noted(platform)
    for (const path of ['/subscribe', '/preferences/x']) {
      const response = await app.request(path, {
        method: 'POST',
        body: new TextEncoder().encode(body),
        headers: type === '' ? {} : { 'content-type': type },
      })
      expect(response.status).toBe(path === '/subscribe' || status === 413 ? status : 404)
    }
    expect(watched.writes).toEqual([])
  })

  it('speaks the browser’s language', async () => {
    const { app } = await readersPlatform()
    const response = await app.request('/subscribe', {
      headers: { 'accept-language': 'de-AT,de;q=0.9' },
    })
    expect(await response.text()).toContain('<html lang="de"')
  })
})
