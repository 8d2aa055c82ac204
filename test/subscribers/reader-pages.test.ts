import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import { eraseSubscriber } from '../../functions/subscribers/erase.ts'
import { changeSubscriber } from '../../functions/subscribers/memberships.ts'
import { endPauses } from '../../functions/subscribers/pauses.ts'
import { subscriberPages } from '../../functions/subscribers/routes.ts'
import { everyByte, noted, readersPlatform } from './readers-platform.ts'

const hour = 60 * 60 * 1000
const day = 24 * hour
const ada = 'ada@example.org'
const headNumber = async (
  platform: Awaited<ReturnType<typeof readersPlatform>>['platform'],
  last: number,
) => platform.records.put({ ...recordKeys.logHead, value: { next: last + 1, entries: [] } })

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
      at: '25:00',
      timeZone: 'Asia/Tokyo',
    })
    expect(response.status).toBe(422)
    const html = await response.text()
    expect(html).toContain('25:00')
    expect(html).toMatch(/value="tech"[^>]*checked|checked[^>]*value="tech"/)
    expect(await readerOf(ada)).toEqual(reader)
  })

  it('can be used by a program in JSON', async () => {
    const { app, join, link } = await readersPlatform()
    await join(ada)
    const send = (body: unknown) =>
      app.request(link('preferences', ada), {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      })
    const saved = await send({ cadence: 'daily', categories: ['tech'] })
    expect(await saved.json()).toMatchObject({ cadence: 'daily', categories: ['tech'] })
    const refused = await send({ cadence: 'hourly' })
    expect(refused.status).toBe(422)
    expect(await refused.json()).toMatchObject({ code: 'subscriber.cadence' })
    expect((await send({ action: 'explode' })).status).toBe(422)
  })

  it('move an instant reader to catch-up when something may be owed', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await join(ada, { cadence: 'daily' })
    await headNumber(platform, 3)
    await post(link('preferences', ada), { cadence: 'instant' })
    expect(await readerOf(ada)).toMatchObject({ cadence: 'instant', catchUp: true })
  })
})

describe('a pause', () => {
  it('ends by itself at the start of the day in the reader’s zone, and owes nothing from meanwhile', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await join(ada, { categories: 'tech', timeZone: 'Asia/Tokyo' })
    await post(link('preferences', ada), { action: 'pause', pausedUntil: '2026-03-10' })
    expect(await readerOf(ada)).toMatchObject({
      state: 'paused',
      pausedUntil: '2026-03-09T15:00:00.000Z',
    })
    await headNumber(platform, 8)
    platform.setNow('2026-03-09T14:59:59Z')
    expect(await endPauses(platform)).toBe(0)
    expect((await readerOf(ada))?.state).toBe('paused')
    platform.setNow('2026-03-09T15:00:00Z')
    expect(await endPauses(platform)).toBe(1)
    const reader = await readerOf(ada)
    expect(reader).toMatchObject({ state: 'confirmed', categories: { tech: 8 }, watermark: 0 })
    expect(reader).not.toHaveProperty('pausedUntil')
    expect(await endPauses(platform)).toBe(0)
    expect((await platform.records.query(recordKeys.pauses)).records).toEqual([])
  })

  it('can be moved and ended by hand', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await join(ada)
    await post(link('preferences', ada), { action: 'pause', pausedUntil: '2026-03-10' })
    await post(link('preferences', ada), { action: 'pause', pausedUntil: '2026-04-10' })
    platform.setNow('2026-03-11T00:00:00Z')
    expect(await endPauses(platform)).toBe(0)
    await post(link('preferences', ada), { action: 'resume' })
    expect((await readerOf(ada))?.state).toBe('confirmed')
    platform.setNow('2026-05-01T00:00:00Z')
    expect(await endPauses(platform)).toBe(0)
    expect((await platform.records.query(recordKeys.pauses)).records).toEqual([])
  })

  it('keeps what is changed meanwhile', async () => {
    const { platform, join, post, link, readerOf } = await readersPlatform()
    await join(ada)
    await post(link('preferences', ada), { pausedUntil: '2026-03-10' })
    await post(link('preferences', ada), { cadence: 'daily', categories: 'tech' })
    expect(await readerOf(ada)).toMatchObject({ state: 'paused', cadence: 'daily' })
    platform.setNow('2026-03-11T00:00:00Z')
    await endPauses(platform)
    expect(await readerOf(ada)).toMatchObject({ state: 'confirmed', schedule: 'daily-0800-UTC' })
  })

  it.each(['', 'soon', '2026-03-02', '2025-01-01', '2027-03-04', '2026-02-30'])(
    'cannot end on %j',
    async (pausedUntil) => {
      const { join, post, link, readerOf } = await readersPlatform()
      const reader = await join(ada)
      const response = await post(link('preferences', ada), { action: 'pause', pausedUntil })
      expect(response.status).toBe(422)
      expect(await readerOf(ada)).toEqual(reader)
    },
  )

  it('ends for many readers in one tick', async () => {
    const { platform, idOf, readerOf } = await readersPlatform()
    const { aReader } = await import('./readers.ts')
    const names = Array.from({ length: 1200 }, (_, i) => `reader${i}@example.org`)
    await Promise.all(
      names.map((email) =>
        changeSubscriber(platform, idOf(email), () =>
          aReader({
            id: idOf(email),
            email,
            state: 'paused',
            pausedUntil: '2026-03-05T00:00:00.000Z',
          }),
        ),
      ),
    )
    platform.setNow('2026-03-06T00:00:00Z')
    const ended = await Promise.all([endPauses(platform), endPauses(platform)])
    expect(ended[0] + ended[1]).toBeGreaterThanOrEqual(1200)
    expect((await readerOf(names[7] ?? ''))?.state).toBe('confirmed')
    expect(await endPauses(platform)).toBe(0)
  }, 60_000)
})

describe('the reader’s own data', () => {
  it('can be had as a file', async () => {
    const { join, post, link } = await readersPlatform()
    const { id } = await join(ada, { categories: 'tech' })
    const response = await post(link('preferences', ada), { action: 'export' })
    expect(response.headers.get('content-disposition')).toContain('attachment')
    expect(await response.json()).toMatchObject({ id, email: ada, categories: ['tech'] })
  })

  it('is erased when the box is ticked; what stays is a hash', async () => {
    const { platform, join, post, link, readerOf, idOf } = await readersPlatform({
      mailer: {
        send: async () => ({ status: 'sent' }),
        quota: async () => ({}),
        evidence: async () => 'none',
        evidenceDelaySeconds: 0,
        hasFinalEvidence: true,
      },
    }).then((all) => ({
      ...all,
      // No outbox here, which would keep the mails: the reader confirms by the record.
      join: async (email: string) => {
        await all.post('/subscribe', { email })
        await all.platform.settle()
        const { confirmSubscription } = await import('../../functions/subscribers/subscribe.ts')
        const page = await all.platform.records.query<{ nonce: string }>(
          recordKeys.subscriptionRequests(all.idOf(email)),
        )
        const nonce = page.records.find(({ sort }) => sort !== 'latest')?.sort ?? ''
        await confirmSubscription(all.platform, all.idOf(email), nonce)
      },
    }))
    await join('Ada.Lovelace@example.org')
    await changeSubscriber(
      platform,
      idOf('Ada.Lovelace@example.org'),
      (current) =>
        current && {
          ...current,
          watermark: 9,
          note: {
            run: 'r',
            chunk: 0,
            try: 0,
            from: 3,
            to: 9,
            token: 't',
            at: '2026-03-02T08:00:00.000Z',
            born: '2026-03-02T08:00:00.000Z',
            phase: 'deferred',
            sends: 1,
            doubt: false,
            reason: '451 <ada.lovelace@example.org> try later',
            expires: '2027-03-02T08:00:00.000Z',
          },
        },
    )
    expect((await everyByte(platform)).toLowerCase()).toContain('ada.lovelace')
    const email = 'Ada.Lovelace@example.org'
    const refused = await post(link('preferences', email), { action: 'erase' })
    expect(refused.status).toBe(422)
    const erased = await post(link('preferences', email), { action: 'erase', confirm: 'yes' })
    expect(erased.status).toBe(200)
    const stub = await readerOf(email)
    expect(stub).toMatchObject({
      id: idOf(email),
      state: 'suppressed',
      reason: 'erased',
      watermark: 9,
      note: { run: 'r', token: 't', phase: 'deferred' },
      categories: {},
    })
    expect((await everyByte(platform)).toLowerCase()).not.toContain('ada.lovelace')
    expect(platform.logged.join('').toLowerCase()).not.toContain('ada.lovelace')
  })

  it('may come back by a new confirmation, from now on, with the note of the mail in flight', async () => {
    const { platform, join, post, confirmLink, idOf, readerOf } = await readersPlatform()
    await join(ada)
    const old = await confirmLink(ada)
    await changeSubscriber(
      platform,
      idOf(ada),
      (current) => current && { ...current, watermark: 6 },
    )
    platform.advance(day)
    await post('/subscribe', { email: ada })
    await platform.settle()
    await eraseSubscriber(platform, idOf(ada))
    platform.advance(day)
    await headNumber(platform, 9)
    await post('/subscribe', { email: ada })
    await platform.settle()
    expect((await readerOf(ada))?.email).toBeUndefined()
    expect((await post(old)).status).toBe(410)
    await post(await confirmLink(ada, [old]))
    expect(await readerOf(ada)).toMatchObject({
      state: 'confirmed',
      email: ada,
      watermark: 6,
      categories: { '*': 9 },
    })
  })
})
