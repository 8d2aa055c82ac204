import { describe, expect, it } from 'vitest'
import { suppress } from '../../functions/subscribers/suppression.ts'
import { headNumber, readersPlatform } from './readers-platform.ts'

const ada = 'ada@example.org'

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
