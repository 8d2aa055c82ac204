import type { Hono } from 'hono'
import { simpleParser } from 'mailparser'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApiKey } from '../../functions/api/api-keys.ts'
import { createApp } from '../../functions/app.ts'
import { digestRoutes } from '../../functions/digests/routes.ts'
import { assertRecord } from '../../functions/record-limits.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from './newsroom.ts'

let platform: ScratchPlatform
let app: Hono
let key: string

beforeEach(async () => {
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z' })
  app = createApp(platform)
  key = (await createApiKey(platform, 'test')).key
  await tickAt(platform, '2026-03-01T18:00:00Z')
})
afterEach(() => platform.close())

async function call(path: string, body?: unknown) {
  const response = await app.request(path, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { authorization: `Bearer ${key}` },
  })
  return { status: response.status, body: (await response.json()) as Record<string, any> }
}

const runId = 'daily-0800-UTC_20260302T080000Z'

describe('runs', () => {
  it('are listed newest first, with their books', async () => {
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    await tickAt(platform, '2026-03-03T08:00:00Z')
    const { body } = await call('/api/v1/runs')
    expect(body.items.map((run: { state: string }) => run.state)).toEqual(['skipped', 'done'])
    expect(body.items[1]).toEqual({
      id: runId,
      schedule: 'daily-0800-UTC',
      kind: 'digest',
      dueAt: '2026-03-02T08:00:00Z',
      state: 'done',
      to: 1,
      createdAt: '2026-03-02T08:00:00.000Z',
      finishedAt: '2026-03-02T08:00:00.000Z',
      counts: {
        candidates: 1,
        accepted: 1,
        suppressed: 0,
        failed: 0,
        unknown: 0,
        empty: 0,
        pending: 0,
      },
    })
    const first = await call('/api/v1/runs?limit=1')
    const second = await call(`/api/v1/runs?limit=1&cursor=${first.body.cursor}`)
    expect(second.body.items[0].id).toBe(runId)
  })

  it('say who got them, and each reader what came', async () => {
    const ada = await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    const delivery = {
      id: `${runId}_0_${ada}_0`,
      runId,
      subscriberId: ada,
      state: 'accepted',
      attempts: 1,
      at: '2026-03-02T08:00:00.000Z',
    }
    const accepted = await call(`/api/v1/runs/${runId}/deliveries?state=accepted`)
    expect(accepted.body).toEqual({ items: [delivery] })
    expect((await call(`/api/v1/runs/${runId}/deliveries?state=failed`)).body.items).toEqual([])
    expect((await call(`/api/v1/subscribers/${ada}/deliveries`)).body.items).toEqual([delivery])
  })

  it('can be paused, resumed and retried', async () => {
    await confirmReader(platform, 'ada@example.org')
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await call(`/api/v1/runs/${runId}/pause`, {})).toMatchObject({
      status: 409,
      body: { code: 'run.over' },
    })
    expect(await call(`/api/v1/runs/${runId}/retry`, {})).toMatchObject({ status: 200 })
    expect(await call(`/api/v1/runs/${runId}/resume`, {})).toMatchObject({ status: 200 })
  })

  it.each([
    ['/api/v1/runs?limit=0', 422],
    ['/api/v1/runs?cursor=rubbish', 422],
    [`/api/v1/runs/${runId}/deliveries?state=lost`, 422],
  ])('answer a wrong request with a clear error: %s', async (path, status) => {
    await confirmReader(platform, 'ada@example.org')
    await tickAt(platform, '2026-03-02T08:00:00Z')
    const answer = await call(path)
    expect(answer.status).toBe(status)
    expect(answer.body.code).toMatch(/^[a-z-]+(\.[a-z-]+)?$/)
  })

  it.each(
    digestRoutes
      .filter(({ path }) => path.includes('/:id'))
      .map(({ method, path }) => [method.toUpperCase(), path] as const),
  )('of no such id are not found, whatever it looks like: %s %s', async (method, path) => {
    const asked = vi.spyOn(platform.records, 'get')
    for (const id of oddIds) {
      const response = await app.request(path.replace(':id', id), {
        method,
        headers: { authorization: `Bearer ${key}` },
      })
      expect([id.slice(0, 20), response.status]).toEqual([id.slice(0, 20), 404])
    }
    // Not every store answers a key that it would not take.
    for (const [key] of asked.mock.calls) assertRecord(key, '{}')
  })
})

const oddIds = [
  'none',
  'x'.repeat(2000),
  '%00',
  'a%00b',
  '..',
  '%2e%2e',
  '%2E%2E%2Fruns',
  '%20',
  'daily%20weekly',
  '%ff',
  'läufe',
  '%F0%9F%93%B0',
]

describe('the preview of a digest', () => {
  it('says how many readers it would go to at most', async () => {
    await publishArticle(platform, { title: 'Post A' })
    for (const name of ['ada', 'bob']) await confirmReader(platform, `${name}@example.org`)
    await confirmReader(platform, 'eve@example.org', { cadence: 'weekly', day: 'mon' })
    const daily = await call('/api/v1/digests/preview', { cadence: 'daily' })
    expect(daily.body.audience).toEqual({
      readers: 2,
      isAtLeast: false,
      estimate: { remaining: 2 },
    })
  })

  it('shows what would be mailed, and changes nothing', async () => {
    await publishArticle(platform, { title: 'Post A', categories: ['rust'] })
    await publishArticle(platform, { title: 'Post B', categories: ['go'] })
    const { status, body } = await call('/api/v1/digests/preview', {
      categories: ['rust'],
      cadence: 'daily',
      locale: 'de',
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ posts: 1, isSample: false })
    expect(body.subject).toContain('Post A')
    expect(body.html).toContain('lang="de"')
    expect(body.html).not.toContain('placeholder')
    const eml = await simpleParser(Buffer.from(body.eml, 'base64'))
    expect(eml.subject).toBe(body.subject)
    expect(eml.text).toContain('Post A')
    expect(eml.text).not.toContain('Post B')
    expect((await call('/api/v1/runs')).body.items).toEqual([])
    expect(await platform.outbox()).toEqual([])
  })

  it.each([
    ['2026-03-02T08:00:00Z', ['Post A'], false],
    ['2026-03-03T09:00:00+01:00', ['Post B'], false],
    ['2026-03-09T08:00:00Z', ['Post B', 'Post A'], true],
  ])('is that of the instant asked for: %s', async (at, titles, isSample) => {
    await publishArticle(platform, { title: 'Post A', published: '2026-03-01T10:00:00Z' })
    platform.setNow('2026-03-02T10:00:00Z')
    await publishArticle(platform, { title: 'Post B', published: '2026-03-02T09:00:00Z' })
    const { status, body } = await call('/api/v1/digests/preview', { cadence: 'daily', at })
    expect(status).toBe(200)
    expect(body).toMatchObject({ posts: titles.length, isSample })
    expect(body.text.match(/Post [AB](?=\n)/g)).toEqual(titles)
  })

  it('stands in with the newest posts where nothing is new, and says so', async () => {
    await publishArticle(platform, { title: 'Post A', published: '2026-02-20T10:00:00Z' })
    const { body } = await call('/api/v1/digests/preview', { cadence: 'daily' })
    expect(body).toMatchObject({ posts: 1, isSample: true })
  })

  it('mails it to one address, marked as a test', async () => {
    await publishArticle(platform, { title: 'Post A' })
    await call('/api/v1/digests/preview', { to: 'me@example.org' })
    const [mail, ...others] = await platform.outbox()
    expect(others).toEqual([])
    expect(mail?.to).toBe('me@example.org')
    expect((await simpleParser(mail?.raw ?? '')).subject).toMatch(/^\[Test\] /)
  })

  it.each([
    [{}, 'digest.empty'],
    [{ categories: ['none'] }, 'subscriber.categories'],
    [{ cadence: 'hourly' }, 'subscriber.cadence'],
    [{ at: 'tomorrow' }, 'invalid-input'],
    [{ colour: 'red' }, 'invalid-input'],
  ])('refuses what it cannot show: %j', async (wanted, code) => {
    expect(await call('/api/v1/digests/preview', wanted)).toMatchObject({
      status: 422,
      body: { code },
    })
  })
})

describe('the archive', () => {
  it('lists the editions between the occurrences of the default schedule, newest first', async () => {
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    platform.setNow('2026-03-04T08:00:00Z')
    await publishArticle(platform, { title: 'Post C' })
    await publishArticle(platform, { title: 'Post B' })
    await tickAt(platform, '2026-03-09T08:00:00Z')
    await tickAt(platform, '2026-03-16T08:00:00Z')
    const html = await (await app.request('/archive/')).text()
    const links = [...html.matchAll(/href="(\/archive\/[\w-]+\/)"[^>]*>([^<]*)</g)]
    expect(links.map(([, , title]) => title)).toEqual(['Post B (+1 more)', 'Post A'])
    const page = await app.request(links[0]?.[1] ?? '')
    expect(page.status).toBe(200)
    const edition = await page.text()
    expect(edition).toContain('<h1 class="title">Post B (+1 more)</h1>')
    expect(edition).toContain('March 9, 2026 · 2 posts')
    expect(edition).not.toContain('Post A')
  })

  it('says when its first edition comes due, whatever other readers got meanwhile', async () => {
    expect(await (await app.request('/archive/')).text()).toContain(
      'No issue of the usual schedule has come due yet. It is: One mail a week, on Monday at 08:00',
    )
  })

  it('has no page for an id that it did not sign', async () => {
    for (const path of ['/archive/none/', `/archive/${'x'.repeat(6000)}/`]) {
      expect((await app.request(path)).status).toBe(404)
    }
  })
})
