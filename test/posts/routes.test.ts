import fc from 'fast-check'
import { Hono } from 'hono'
import * as v from 'valibot'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { problem, problemSchema } from '../../functions/api.ts'
import { ServiceError } from '../../functions/errors.ts'
import type { Platform } from '../../functions/platform.ts'
import { publishDuePosts } from '../../functions/posts/due.ts'
import { readLogHead } from '../../functions/posts/log.ts'
import { changeSchema, postSchema } from '../../functions/posts/post-answer.ts'
import { postRoutes } from '../../functions/posts/routes.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { faultsOf, mortal, titlesIn } from './consistency.ts'

let platform: ScratchPlatform
/** Jobs are not run here; what a caller would wait for is noted. */
let awaited: string[]
beforeEach(async () => {
  platform = await scratchPlatform()
  awaited = []
})
afterEach(() => platform.close())

/** The posts' routes alone, with errors answered as the service does. */
function appOf(of: Platform) {
  const app = new Hono()
  const quiet = { ...of, settled: async (ids: readonly string[]) => void awaited.push(...ids) }
  for (const route of postRoutes) {
    app.on(route.method.toUpperCase(), route.path, (c) => route.handle(c, quiet))
  }
  app.onError((error) => {
    if (error instanceof ServiceError) return problem(error, of.settings.site.baseUrl)
    throw error
  })
  return app
}
const send = async (
  method: string,
  path: string,
  body?: BodyInit,
  headers: Record<string, string> = {},
) => appOf(platform).request(path, { method, headers, ...(body === undefined ? {} : { body }) })

const json = { 'content-type': 'application/json' }
const md = { 'content-type': 'text/markdown' }
const post = (body: object, headers = {}, query = '') =>
  send('POST', `/api/v1/posts${query}`, JSON.stringify(body), { ...json, ...headers })
const hello = { id: 'h', title: 'Hello', categories: ['News'], content: 'Two *words*.' }

async function changeOf(response: Response) {
  expect(response.status).toBeLessThan(300)
  return v.parse(v.strictObject(changeSchema.entries), await response.json())
}
async function problemOf(response: Response, status: number) {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.status).toBe(status)
  return v.parse(problemSchema, await response.json())
}

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

describe('/api/v1/posts/:id', () => {
  it('shows a post with its content and an ETag, which a second GET may name', async () => {
    const { id } = await changeOf(await post(hello))
    const response = await send('GET', `/api/v1/posts/${id}`)
    const answer = v.parse(v.strictObject(postSchema.entries), await response.json())
    expect(answer).toMatchObject({
      id,
      title: 'Hello',
      state: 'visible',
      mailed: true,
      contentType: 'text/html',
    })
    expect(answer.content).toContain('<em>words</em>')
    const etag = response.headers.get('etag') as string
    expect(
      (await send('GET', `/api/v1/posts/${id}`, undefined, { 'if-none-match': etag })).status,
    ).toBe(304)
    const head = await send('HEAD', `/api/v1/posts/${id}`)
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag])
  })

  it('replaces a post, whatever keys the body has, and keeps its ids', async () => {
    const { id } = await changeOf(await post(hello))
    const { id: _, ...keyless } = hello
    const answer = await changeOf(
      await send('PUT', `/api/v1/posts/${id}`, JSON.stringify({ ...keyless, title: 'New' }), json),
    )
    expect(answer).toMatchObject({
      id,
      outcome: 'updated',
      url: 'https://news.example/posts/hello/',
    })
    expect(await titlesIn(platform, 'news')).toEqual(['New'])
    const unknown = await send('PUT', '/api/v1/posts/0000000000000000', JSON.stringify(hello), json)
    await problemOf(unknown, 404)
    const { id: other } = await changeOf(await post({ ...hello, id: 'o' }))
    const taken = await send('PUT', `/api/v1/posts/${other}`, JSON.stringify(hello), json)
    expect((await problemOf(taken, 409)).code).toBe('post.identity-taken')
  })

  it('puts back what GET has shown without changing what readers see but the date of change', async () => {
    const { id } = await changeOf(
      await post({ ...hello, published: '2026-03-01T10:00:00Z', tags: ['t'] }),
    )
    const shown = (await (await send('GET', `/api/v1/posts/${id}`)).json()) as Record<
      string,
      unknown
    >
    const { title, published, categories, tags, summary, content, contentType } = shown
    const back = { title, published, categories, tags, summary, content, contentType }
    await changeOf(await send('PUT', `/api/v1/posts/${id}`, JSON.stringify(back), json))
    const again = (await (await send('GET', `/api/v1/posts/${id}`)).json()) as Record<
      string,
      unknown
    >
    expect(again).toMatchObject({ title, published, categories, tags, summary, content })
  })

  it('loses no edit of two editors who name what they read', async () => {
    const { id } = await changeOf(await post(hello))
    const etag = (await send('GET', `/api/v1/posts/${id}`)).headers.get('etag') as string
    const put = (title: string, match: string) =>
      send('PUT', `/api/v1/posts/${id}`, JSON.stringify({ title, content: title }), {
        ...json,
        'if-match': match,
      })
    const both = await Promise.all([put('One', etag), put('Two', etag)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412])
    const won = both[0]?.status === 200 ? 'One' : 'Two'
    const shown = (await (await send('GET', `/api/v1/posts/${id}`)).json()) as {
      title: string
      content: string
    }
    expect(shown).toMatchObject({ title: won, content: expect.stringContaining(won) })
    await problemOf(await put('Three', etag), 412)
    await problemOf(
      await send('DELETE', `/api/v1/posts/${id}`, undefined, { 'if-match': etag }),
      412,
    )
    expect((await put('Four', `"x", *`)).status).toBe(200)
    platform.advance(180_000)
    await publishDuePosts(platform)
    expect(await faultsOf(platform)).toEqual([])
  })

  it('takes a post back: 200, then 410, and the same again', async () => {
    const { id } = await changeOf(await post(hello))
    const response = await send('DELETE', `/api/v1/posts/${id}`)
    expect(await changeOf(response)).toMatchObject({ id, outcome: 'withdrawn', feeds: [] })
    expect((await problemOf(await send('GET', `/api/v1/posts/${id}`), 410)).code).toBe(
      'post.withdrawn',
    )
    expect((await send('DELETE', `/api/v1/posts/${id}`)).status).toBe(200)
    expect(await titlesIn(platform, '*')).toEqual([])
    const back = await send('PUT', `/api/v1/posts/${id}`, JSON.stringify(hello), json)
    expect((await changeOf(back)).outcome).toBe('updated')
  })

  it.each(['0000000000000000', 'x'.repeat(2000), '%00', 'ü', '*'])(
    'does not know %s',
    async (id) => {
      for (const method of ['GET', 'DELETE']) {
        await problemOf(await send(method, `/api/v1/posts/${id}`), 404)
      }
    },
  )
})

describe('GET lists', () => {
  it('pages through the visible posts, newest first', async () => {
    for (let i = 1; i <= 5; i++) {
      await post({
        ...hello,
        id: `p${i}`,
        title: `P${i}`,
        published: `2026-02-0${i}T00:00:00Z`,
        categories: [i % 2 ? 'odd' : 'even'],
      })
    }
    const titles: string[] = []
    let query = '?limit=2'
    for (;;) {
      const response = await send('GET', `/api/v1/posts${query}`)
      const page = (await response.json()) as { items: { title: string }[]; cursor?: string }
      titles.push(...page.items.map(({ title }) => title))
      if (!page.cursor) break
      expect(response.headers.get('link')).toContain(`cursor=${page.cursor}`)
      query = `?limit=2&cursor=${page.cursor}`
    }
    expect(titles).toEqual(['P5', 'P4', 'P3', 'P2', 'P1'])
    const odd = (await (await send('GET', '/api/v1/posts?category=odd')).json()) as {
      items: object[]
    }
    expect(odd.items).toHaveLength(3)
    const categories = await (await send('GET', '/api/v1/categories')).json()
    expect(categories).toEqual({
      items: [
        { slug: 'even', title: 'even', posts: 2 },
        { slug: 'odd', title: 'odd', posts: 3 },
      ],
    })
  })

  it.each([
    ['?limit=0', 422],
    ['?limit=1001', 422],
    ['?limit=x', 422],
    ['?cursor=%00', 422],
    [`?cursor=${'x'.repeat(3000)}`, 422],
    ['?category=nowhere', 404],
    ['?category=', 404],
    ['?category=*', 404],
    [`?category=${'x'.repeat(3000)}`, 404],
  ])('refuses %s', async (query, status) => {
    await problemOf(await send('GET', `/api/v1/posts${query}`), status)
  })
})

describe('POST /api/v1/imports', () => {
  const ndjson = { 'content-type': 'application/x-ndjson' }
  const linesOf = async (response: Response) =>
    (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  it('answers a line for each line', async () => {
    const body = [
      JSON.stringify({ path: '2022-02-23-a.md', source: '---\ntitle: A\n---\nText.' }),
      'nonsense',
      '',
      JSON.stringify({ ...hello, published: '2022-01-01' }),
    ].join('\r\n')
    const response = await send('POST', '/api/v1/imports', body, ndjson)
    expect(response.headers.get('content-type')).toMatch(/^application\/x-ndjson/)
    expect((await linesOf(response)).map(({ path, outcome }) => [path, outcome])).toEqual([
      ['2022-02-23-a.md', 'published'],
      ['line 2', 'refused'],
      ['line 4', 'published'],
    ])
    expect(awaited.length).toBeGreaterThan(2)
    const dry = await send('POST', '/api/v1/imports?dryRun=true&identity=name', body, ndjson)
    expect((await linesOf(dry)).map(({ outcome }) => outcome)).toEqual([
      'unchanged',
      'refused',
      'unchanged',
    ])
  })

  it('refuses a line over its limit by name and goes on', async () => {
    const long = JSON.stringify({ path: 'long.md', source: 'x'.repeat(9 * 1024 * 1024) })
    const large = JSON.stringify({
      path: '2022-02-23-large.md',
      source: 'x'.repeat(6 * 1024 * 1024),
    })
    const last = JSON.stringify({ path: '2022-02-23-a.md', source: '# A' })
    const response = await send('POST', '/api/v1/imports', `${long}\n${large}\n${last}`, ndjson)
    expect(
      (await linesOf(response)).map(({ path, outcome, code }) => [path, outcome, code]),
    ).toEqual([
      ['line 1', 'refused', 'import.line'],
      ['2022-02-23-large.md', 'refused', 'too-large'],
      ['2022-02-23-a.md', 'published', undefined],
    ])
  })

  it('answers nothing to nothing, and refuses other media types and queries', async () => {
    expect(await (await send('POST', '/api/v1/imports', '', ndjson)).text()).toBe('')
    await problemOf(await send('POST', '/api/v1/imports', '{}', json), 415)
    await problemOf(await send('POST', '/api/v1/imports?dryRun=maybe', '', ndjson), 422)
    await problemOf(await send('POST', '/api/v1/imports?identity=hash', '', ndjson), 422)
  })

  it('breaks off when the platform fails, so that nobody takes half a report for the whole', async () => {
    const { platform: failing } = mortal(platform, 3)
    const response = await appOf(failing).request('/api/v1/imports', {
      method: 'POST',
      headers: ndjson,
      body: JSON.stringify({ path: '2022-02-23-a.md', source: '# A' }),
    })
    await expect(response.text()).rejects.toThrow()
    expect(platform.logged.join()).toContain('import.failed')
  })
})
