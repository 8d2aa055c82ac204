import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { publishDuePosts } from '../../functions/posts/due.ts'
import { postSchema } from '../../functions/posts/post-answer.ts'
import { faultsOf, titlesIn } from './consistency.ts'
import { changeOf, hello, json, platform, post, problemOf, send } from './posts-api.ts'

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
