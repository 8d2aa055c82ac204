import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { problem } from '../../functions/api/api.ts'
import { ServiceError } from '../../functions/errors.ts'
import { eraseSubscriber } from '../../functions/subscribers/erase.ts'
import { subscriberRoutes } from '../../functions/subscribers/routes.ts'
import { suppress } from '../../functions/subscribers/suppression.ts'
import { readersPlatform } from './readers-platform.ts'

/** The routes as `createApp` serves them, without keys. */
async function api() {
  const all = await readersPlatform()
  const app = new Hono()
  for (const route of subscriberRoutes) {
    app.on(route.method.toUpperCase(), route.path, (c) => route.handle(c, all.platform))
  }
  app.onError((error) => {
    if (!(error instanceof ServiceError)) throw error
    return problem(error, 'https://news.example')
  })
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await app.request(`/api/v1/subscribers${path}`, {
      method,
      ...(body === undefined
        ? {}
        : typeof body === 'string'
          ? { body, headers: { 'content-type': 'text/csv' } }
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    return {
      status: response.status,
      body: isJson && !text.includes('}\n') ? JSON.parse(text) : text,
    }
  }
  return { ...all, call }
}

const consent = { at: '2026-01-01T00:00:00Z', from: 'checkout', text: 'Send me news.' }

describe('POST /api/v1/subscribers', () => {
  it('asks an address without proof and says pending', async () => {
    const { call, platform, idOf, mailsTo } = await api()
    const { status, body } = await call('POST', '', {
      email: ' Ada@Example.org ',
      categories: ['tech'],
      cadence: 'daily',
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      id: idOf('ada@example.org'),
      email: 'Ada@example.org',
      state: 'pending',
      categories: ['tech'],
      cadence: 'daily',
      at: '08:00',
      timeZone: 'UTC',
      locale: 'en',
    })
    expect((await call('POST', '', { email: 'ada@example.org' })).status).toBe(200)
    await platform.settle()
    expect(await mailsTo('ada@example.org')).toHaveLength(1)
  })

  it('subscribes one with proof, and changes what is named when sent again', async () => {
    const { call, platform, mailsTo } = await api()
    const email = 'ada@example.org'
    const first = await call('POST', '', { email, confirmed: true, consent, categories: ['tech'] })
    expect(first).toMatchObject({
      status: 201,
      body: {
        state: 'confirmed',
        categories: ['tech'],
        consent: { ...consent, source: 'api', at: '2026-01-01T00:00:00.000Z' },
      },
    })
    const again = await call('POST', '', { email, confirmed: true, consent, cadence: 'daily' })
    expect(again).toMatchObject({ status: 200, body: { categories: ['tech'], cadence: 'daily' } })
    await platform.settle()
    expect(await mailsTo(email)).toEqual([])
  })

  it('leaves a reader as they are when there is no proof', async () => {
    const { call } = await api()
    const email = 'ada@example.org'
    await call('POST', '', { email, confirmed: true, consent, categories: ['tech'] })
    const answer = await call('POST', '', { email, categories: ['life'], cadence: 'instant' })
    expect(answer).toMatchObject({
      status: 200,
      body: { state: 'confirmed', categories: ['tech'], cadence: 'weekly' },
    })
  })

  it.each([
    [{ email: 'nobody' }, 'subscriber.email'],
    [{}, 'invalid-input'],
    [{ email: 'a@example.org', categories: 'tech' }, 'invalid-input'],
    [{ email: 'a@example.org', categories: ['nope'] }, 'subscriber.categories'],
    [{ email: 'a@example.org', cadence: 'hourly' }, 'subscriber.cadence'],
    [{ email: 'a@example.org', confirmed: true }, 'subscriber.consent'],
    [{ email: 'a@example.org', confirmed: true, consent: { at: 'once' } }, 'subscriber.consent'],
    [{ email: 'a@example.org', confirmed: true, consent: { at: '1' } }, 'subscriber.consent'],
    [
      { email: 'a@example.org', confirmed: true, consent: { at: 'May 2025' } },
      'subscriber.consent',
    ],
    [
      { email: 'a@example.org', confirmed: true, consent: { at: '2031-01-01' } },
      'subscriber.consent',
    ],
    [{ email: 'x'.repeat(5000) }, 'invalid-input'],
  ])('refuses %j', async (input, code) => {
    const { call } = await api()
    expect(await call('POST', '', input)).toMatchObject({ status: 422, body: { code } })
  })

  it('does not bring back one who left or may not be mailed', async () => {
    const { call, platform, idOf } = await api()
    await call('POST', '', { email: 'left@example.org', confirmed: true, consent })
    await call('PATCH', `/${idOf('left@example.org')}`, { state: 'unsubscribed' })
    await call('POST', '', { email: 'bad@example.org', confirmed: true, consent })
    await suppress(platform, idOf('bad@example.org'), 'complaint')
    const send = (email: string) => call('POST', '', { email, confirmed: true, consent })
    expect(await send('left@example.org')).toMatchObject({ body: { code: 'subscriber.left' } })
    expect(await send('bad@example.org')).toMatchObject({ body: { code: 'subscriber.suppressed' } })
  })

  it('says how one who left can be asked, which works', async () => {
    const { call, platform, idOf } = await api()
    await call('POST', '', { email: 'left@example.org', confirmed: true, consent })
    const path = `/${idOf('left@example.org')}`
    await call('PATCH', path, { state: 'unsubscribed' })
    expect(await call('PATCH', path, { cadence: 'daily' })).toMatchObject({
      status: 422,
      body: {
        code: 'subscriber.state',
        detail: expect.stringContaining('POST /api/v1/subscribers'),
      },
    })
    await call('POST', '', { email: 'left@example.org' })
    await platform.settle()
    expect(await platform.outbox()).toHaveLength(1)
  })
})

describe('one reader', () => {
  it('is read, changed in what is named, and erased', async () => {
    const { call, idOf, platform } = await api()
    const path = `/${idOf('ada@example.org')}`
    expect((await call('GET', path)).status).toBe(404)
    await call('POST', '', {
      email: 'ada@example.org',
      confirmed: true,
      consent,
      cadence: 'weekly',
      day: 'fri',
    })
    expect(await call('GET', path)).toMatchObject({ status: 200, body: { day: 'fri' } })
    const daily = await call('PATCH', path, { cadence: 'daily' })
    expect(daily).toMatchObject({ status: 200, body: { cadence: 'daily', at: '08:00' } })
    expect(daily.body).not.toHaveProperty('day')
    const paused = await call('PATCH', path, { pausedUntil: '2026-05-01T00:00:00Z' })
    expect(paused.body).toMatchObject({ state: 'paused', pausedUntil: '2026-05-01T00:00:00.000Z' })
    expect((await call('PATCH', path, { pausedUntil: null })).body).toMatchObject({
      state: 'confirmed',
    })
    expect((await call('PATCH', path, { state: 'unsubscribed' })).body.state).toBe('unsubscribed')
    expect((await call('PATCH', path, { cadence: 'daily' })).status).toBe(422)
    expect((await call('DELETE', path)).status).toBe(204)
    const stub = await call('GET', path)
    expect(stub.body).toMatchObject({ state: 'suppressed', reason: 'erased' })
    expect(stub.body).not.toHaveProperty('email')
    expect(platform.logged.join('')).not.toContain('ada@')
  })

  it.each([
    ['PATCH', { email: 'other@example.org' }],
    ['PATCH', { watermark: 0 }],
    ['PATCH', { state: 'suppressed' }],
    ['PATCH', { pausedUntil: 'soon' }],
    ['PATCH', { pausedUntil: '' }],
    ['PATCH', { pausedUntil: 'May 1 2027' }],
    ['PATCH', { pausedUntil: '2027-05-01T08:00' }],
    ['PATCH', { pausedUntil: '+012000-01-01T00:00:00Z' }],
    ['PATCH', { pausedUntil: '2020-01-01T00:00:00Z' }],
    ['PATCH', { cadence: 'weekly', day: '15' }],
  ])('refuses %s %j and changes nothing', async (method, input) => {
    const { call, idOf, readerOf } = await api()
    await call('POST', '', { email: 'ada@example.org', confirmed: true, consent })
    const before = await readerOf('ada@example.org')
    expect((await call(method, `/${idOf('ada@example.org')}`, input)).status).toBe(422)
    expect(await readerOf('ada@example.org')).toEqual(before)
  })

  it.each(['x', '..%2f..', '0'.repeat(31), 'G'.repeat(32), '%00', 'é'])(
    'does not exist by the id %j',
    async (id) => {
      const { call } = await api()
      for (const method of ['GET', 'DELETE']) {
        expect((await call(method, `/${id}`)).status).toBe(404)
      }
    },
  )
})

describe('GET /api/v1/subscribers', () => {
  it('goes through all readers page by page, each once', async () => {
    const { call } = await api()
    const csv = `email,confirmedAt,consent\n${Array.from({ length: 230 }, (_, i) => `r${i}@example.org,2024-05-01,yes\n`).join('')}`
    await call('POST', '/import', csv)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const { body } = await call('GET', `?limit=50${cursor ? `&cursor=${cursor}` : ''}`)
      seen.push(...body.items.map(({ id }: { id: string }) => id))
      cursor = body.cursor
    } while (cursor)
    expect(seen).toHaveLength(230)
    expect(seen).toEqual([...new Set(seen)].sort())
  })

  it('finds one by the address, and those of a state', async () => {
    const { call, platform, idOf } = await api()
    await call('POST', '', { email: 'a@example.org', confirmed: true, consent })
    await call('POST', '', { email: 'b@example.org' })
    await call('POST', '', { email: 'c@example.org', confirmed: true, consent })
    await eraseSubscriber(platform, idOf('c@example.org'))
    const emails = async (query: string) =>
      (await call('GET', query)).body.items.map((item: { email?: string }) => item.email)
    const find = (email: string) => call('POST', '/find', { email })
    expect((await find('A@EXAMPLE.org')).body.email).toBe('a@example.org')
    expect((await find('z@example.org')).status).toBe(404)
    expect((await find('nope')).status).toBe(422)
    expect(await emails('?state=pending')).toEqual(['b@example.org'])
    expect(await emails('?state=confirmed')).toEqual(['a@example.org'])
    expect(await emails('?state=suppressed')).toEqual([undefined])
    for (const query of ['?limit=0', '?limit=x', '?state=happy', '?cursor=nope']) {
      expect((await call('GET', query)).status).toBe(422)
    }
  })
})

describe('lists', () => {
  it('are taken in and given out as files', async () => {
    const { call } = await api()
    const { status, body } = await call(
      'POST',
      '/import',
      'email;confirmedAt;consent\nada@example.org;2024-05-01;yes\nnobody;;\n',
    )
    expect(status).toBe(200)
    const lines = String(body)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      { line: 2, outcome: 'added' },
      { line: 3, outcome: 'refused', code: 'subscriber.email' },
    ])
    const list = await call('GET', '/export')
    expect(list.body).toMatch(/^email,categories,.*\r\nada@example\.org,,weekly,mon,/)
    expect(await call('POST', '/import', 'name\nx\n')).toMatchObject({
      status: 422,
      body: { code: 'import.header' },
    })
    expect((await call('POST', '/import')).status).toBe(422)
  })
})
