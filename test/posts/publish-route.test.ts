import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { problemSchema } from '../../functions/api/api.ts'
import type { Platform } from '../../functions/platform.ts'
import { readLogHead } from '../../functions/posts/log.ts'
import { changeSchema } from '../../functions/posts/post-answer.ts'
import { scratchPlatform } from '../support/scratch-platform.ts'
import { faultsOf, mortal, titlesIn } from './consistency.ts'
import {
  appOf,
  awaited,
  changeOf,
  hello,
  json,
  md,
  platform,
  post,
  problemOf,
  send,
} from './posts-api.ts'

describe('POST /api/v1/posts', () => {
  it('answers 201 with ids, addresses and feeds of a new post', async () => {
    const response = await post(hello)
    expect(response.status).toBe(201)
    const answer = await changeOf(response)
    expect(answer).toEqual({
      id: answer.id,
      url: 'https://news.example/posts/hello/',
      outcome: 'published',
      categories: ['news'],
      feeds: [
        {
          rss: 'https://news.example/feeds/rss.xml',
          atom: 'https://news.example/feeds/atom.xml',
          json: 'https://news.example/feeds/feed.json',
        },
        {
          category: 'news',
          rss: 'https://news.example/feeds/news/rss.xml',
          atom: 'https://news.example/feeds/news/atom.xml',
          json: 'https://news.example/feeds/news/feed.json',
        },
      ],
      mailed: true,
    })
    expect(response.headers.get('location')).toBe(`https://news.example/api/v1/posts/${answer.id}`)
    expect(awaited.length).toBe(3)
  })

  it('answers 200 to an edit and to what is there unchanged', async () => {
    await post(hello)
    const same = await post(hello)
    expect([same.status, (await changeOf(same)).outcome]).toEqual([200, 'unchanged'])
    const edit = await post({ ...hello, title: 'Hello again' })
    expect([edit.status, (await changeOf(edit)).outcome]).toEqual([200, 'updated'])
    const again = await changeOf(await post(hello, {}, '?mail=again'))
    expect(again).toMatchObject({ outcome: 'updated', mailed: true })
  })

  it('takes Markdown and HTML with front matter, and a path that names the file', async () => {
    const text = '---\ntitle: 長い\ncategory: 新聞\n---\n\nWords.'
    const answer = await changeOf(await send('POST', '/api/v1/posts?path=a/長い.md', text, md))
    expect(answer.url).toBe(`https://news.example/posts/${encodeURIComponent('長い')}/`)
    expect(answer.feeds[1]?.rss).toBe(
      `https://news.example/feeds/${encodeURIComponent('新聞')}/rss.xml`,
    )
    const again = await send('POST', '/api/v1/posts?path=a/長い.md', text, md)
    expect((await changeOf(again)).outcome).toBe('unchanged')
    const html = await send('POST', '/api/v1/posts', '<h1>Hi</h1><p>Words.</p>', {
      'content-type': 'text/html; charset=UTF-8',
    })
    expect(html.status).toBe(201)
  })

  it('answers a draft as hidden, with the reason', async () => {
    expect(await changeOf(await post({ ...hello, draft: true }))).toMatchObject({
      outcome: 'hidden',
      feeds: [],
      mailed: false,
      reason: expect.any(String),
    })
  })

  it.each([
    ['no media type', '# Hi', {}, '', 415, 'media-type'],
    ['another media type', '# Hi', { 'content-type': 'application/pdf' }, '', 415, 'media-type'],
    [
      'another charset',
      '# Hi',
      { 'content-type': 'text/markdown; charset=gbk' },
      '',
      415,
      'media-type',
    ],
    ['an empty body', '', md, '', 422, undefined],
    ['broken JSON', '{', json, '', undefined, undefined],
    ['JSON that is no object', '[1]', json, '', undefined, undefined],
    ['an unreadable date', '---\ntitle: A\ndate: soon\n---\nText', md, '', 422, 'post.date'],
    ['a path that leads out', '# Hi', md, '?path=../x.md', 422, 'post.path'],
    ['another wish for mail', '# Hi', md, '?mail=never', 422, 'invalid-input'],
    ['more than 5 MB', 'x'.repeat(5 * 1024 * 1024 + 1), md, '', 413, 'too-large'],
  ])('refuses %s by name', async (_, body, headers, query, status, code) => {
    const response = await send('POST', `/api/v1/posts${query}`, body, headers)
    const answer = await problemOf(response, status ?? response.status)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
    if (code) expect(answer.code).toBe(code)
    expect((await readLogHead(platform)).last).toBe(0)
  })

  it('answers whatever comes in without a fault', async () => {
    const app = appOf(platform)
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.json().map((value) => value.slice(0, 2000)),
      fc
        .record({
          title: fc.anything(),
          content: fc.anything(),
          categories: fc.anything(),
          published: fc.anything(),
          id: fc.anything(),
          url: fc.anything(),
        })
        .map((value) => JSON.stringify(value) ?? ''),
      fc
        .tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))
        .map(([a, b]) => `---\ntitle: ${a}\ncategories: [${b}]\n---\n${b}`),
    )
    const type = fc.constantFrom('text/markdown', 'text/html', 'application/json')
    await fc.assert(
      fc.asyncProperty(
        text,
        type,
        fc.option(fc.string({ unit: 'binary', maxLength: 40 })),
        async (body, contentType, path) => {
          const query = path === null ? '' : `?path=${encodeURIComponent(path.toWellFormed())}`
          const response = await app.request(`/api/v1/posts${query}`, {
            method: 'POST',
            headers: { 'content-type': contentType },
            body,
          })
          const answer = await response.json()
          if (response.ok) v.parse(changeSchema, answer)
          else v.parse(problemSchema, answer)
          expect(response.status).toBeLessThan(500)
        },
      ),
      { numRuns: 150 },
    )
    expect(await faultsOf(platform)).toEqual([])
  }, 60_000)
})

describe('Idempotency-Key', () => {
  const key = { 'idempotency-key': 'k-1' }
  const keyless = { title: 'Hello', content: 'Two words.' }

  it('gives the same answer to the same request, also at the same moment, and makes one post', async () => {
    const responses = await Promise.all(Array.from({ length: 50 }, () => post(keyless, key)))
    const bodies = await Promise.all(responses.map((response) => response.text()))
    expect(new Set(bodies).size).toBe(1)
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201]))
    expect(await titlesIn(platform, '*')).toEqual(['Hello'])
    const later = await post(keyless, key)
    expect([later.status, await later.text()]).toEqual([201, bodies[0]])
    expect(later.headers.get('etag')).toBe(responses[0]?.headers.get('etag'))
  })

  it('refuses another request under the same key, and forgets it after a day', async () => {
    await post(keyless, key)
    const other = await post({ ...keyless, title: 'Other' }, key)
    expect((await problemOf(other, 422)).code).toBe('idempotency.mismatch')
    platform.advance(24 * 3600 * 1000 + 1)
    expect((await post({ ...keyless, title: 'Other' }, key)).status).toBe(201)
    const bad = await post(keyless, { 'idempotency-key': 'x'.repeat(300) })
    expect((await problemOf(bad, 422)).code).toBe('idempotency.key')
  })

  it('tells publishers apart by their API keys', async () => {
    await post(keyless, { ...key, authorization: 'Bearer one' })
    expect(
      (await post({ ...keyless, title: 'B' }, { ...key, authorization: 'Bearer two' })).status,
    ).toBe(201)
  })

  it('gives the first answer after a crash at any step', async () => {
    let n = 0
    for (let done = false; !done; n++) {
      const scratch = await scratchPlatform()
      const request = async (of: Platform) =>
        appOf(of).request('/api/v1/posts?mail=again', {
          method: 'POST',
          headers: { ...json, ...key },
          body: JSON.stringify(keyless),
        })
      const process = mortal(scratch, n)
      done = await request(process.platform).then(
        ({ ok }) => ok,
        () => false,
      )
      const response = await request(scratch)
      expect([response.status, (await changeOf(response)).outcome], `after ${n}`).toEqual([
        201,
        'published',
      ])
      expect((await readLogHead(scratch)).last).toBe(1)
      await scratch.close()
    }
    expect(n).toBeGreaterThan(20)
  }, 60_000)

  it('mails an edit again once, however often the request comes', async () => {
    await post(hello)
    const edit = { ...hello, title: 'Hello 2' }
    const first = await (await post(edit, key, '?mail=again')).text()
    const second = await (await post(edit, key, '?mail=again')).text()
    expect(second).toBe(first)
    expect((await readLogHead(platform)).last).toBe(2)
  })
})
