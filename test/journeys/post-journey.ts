import { describe, expect, it } from 'vitest'
import type { OpenService } from './service.ts'

const post = {
  id: 'night-train',
  title: 'The night train is back',
  categories: ['railways', 'travel'],
  content: 'It leaves at **22:04**.',
}

/** What becomes of a post, from its publication to its withdrawal. */
export function postJourney(where: string, open: OpenService): void {
  describe(`${where}: a post that is published`, () => {
    it('stands at once in its feeds, those of everything, its categories and its own page', async () => {
      const { api, feeds, page } = await open()
      const response = await api('POST', '/api/v1/posts', post)
      expect(response.status).toBe(201)
      const answer = await response.json()
      expect(answer).toMatchObject({
        url: 'https://news.example/posts/the-night-train-is-back/',
        outcome: 'published',
        categories: ['railways', 'travel'],
        mailed: true,
      })
      expect(answer.feeds.map(({ category }: { category?: string }) => category)).toEqual([
        undefined,
        'railways',
        'travel',
      ])
      for (const feed of [undefined, 'railways', 'travel']) {
        const { rss, atom, json } = await feeds(feed)
        for (const document of [rss, atom]) expect(document).toContain('The night train is back')
        expect(json.items).toMatchObject([{ title: post.title, url: answer.url }])
        expect(json.items[0]?.content_html).toContain('<strong>22:04</strong>')
      }
      for (const path of ['/', '/categories/railways/', '/categories/travel/', answer.url]) {
        expect((await page(path)).html).toContain('The night train is back')
      }
    })

    it('keeps its entry’s id over an edit and moves its date of change', async () => {
      const { api, feeds, platform, publish } = await open()
      const { id } = await publish(post)
      const before = (await feeds('railways')).json.items[0]
      platform.advance(3_600_000)
      const edited = await api('PUT', `/api/v1/posts/${id}`, { ...post, title: 'It is back' })
      expect(edited.status).toBe(200)
      const after = (await feeds('railways')).json.items
      expect(after).toMatchObject([{ id: before?.id, title: 'It is back' }])
      expect(after[0]?.date_published).toBe(before?.date_published)
      expect(Date.parse(after[0]?.date_modified ?? '')).toBe(platform.now().getTime())
    })

    it('leaves a category that an edit takes away, and stands in the new one', async () => {
      const { publish, feeds } = await open()
      await publish(post)
      await publish({ ...post, categories: ['travel', '旅行'] })
      expect((await feeds('railways')).json.items).toEqual([])
      expect((await feeds('旅行')).json.items).toHaveLength(1)
    })

    it('changes nothing when nothing changed, down to the bytes of the feeds', async () => {
      const { app, publish, platform } = await open()
      await publish(post)
      const before = await app.request('/feeds/rss.xml')
      platform.advance(3_600_000)
      expect(await publish(post)).toMatchObject({ outcome: 'unchanged', mailed: false })
      const after = await app.request('/feeds/rss.xml')
      expect(after.headers.get('etag')).toBe(before.headers.get('etag'))
      const etag = before.headers.get('etag') ?? ''
      const cached = await app.request('/feeds/rss.xml', { headers: { 'if-none-match': etag } })
      expect(cached.status).toBe(304)
    })

    it('is gone everywhere when it is withdrawn, and its address says so', async () => {
      const { api, feeds, page, publish } = await open()
      const { id, url } = await publish(post)
      await publish({ id: 'other', title: 'Another', categories: ['travel'], content: 'Text.' })
      expect((await api('DELETE', `/api/v1/posts/${id}`)).status).toBe(200)
      for (const feed of [undefined, 'railways', 'travel']) {
        const { rss, json } = await feeds(feed)
        expect(rss).not.toContain('night train')
        expect(json.items.map(({ title }) => title)).not.toContain(post.title)
      }
      for (const path of ['/', '/categories/travel/']) {
        expect((await page(path)).html).not.toContain('night train')
      }
      expect((await page(url)).status).toBe(410)
      expect((await api('GET', `/api/v1/posts/${id}`)).status).toBe(410)
    })

    it('is changed only by who has read it, if they say so', async () => {
      const { api, publish } = await open()
      const { id } = await publish(post)
      const etag = (await api('GET', `/api/v1/posts/${id}`)).headers.get('etag') ?? ''
      const change = { ...post, title: 'Mine' }
      const first = await api('PUT', `/api/v1/posts/${id}`, change, { 'if-match': etag })
      expect(first.status).toBe(200)
      const late = { ...post, title: 'Yours' }
      const second = await api('PUT', `/api/v1/posts/${id}`, late, { 'if-match': etag })
      expect(second.status).toBe(412)
      expect(await second.json()).toMatchObject({ code: 'changed-meanwhile' })
    })

    it('is one post however often a request with the same key is repeated', async () => {
      const { api, feeds } = await open()
      const body = { title: 'Once', content: 'Text.' }
      const headers = { 'idempotency-key': 'abc-1' }
      const [first, second] = [
        await api('POST', '/api/v1/posts', body, headers),
        await api('POST', '/api/v1/posts', body, headers),
      ]
      expect(await second.json()).toEqual(await first.json())
      expect((await feeds()).json.items).toHaveLength(1)
    })

    it('waits for its date when that is to come', async () => {
      const { feeds, publish, tick } = await open({ now: '2026-03-02T08:00:00Z' })
      const later = { ...post, published: '2026-03-02T12:00:00Z' }
      expect(await publish(later)).toMatchObject({ outcome: 'hidden' })
      await tick('2026-03-02T11:59:00Z')
      expect((await feeds().catch(() => undefined))?.json.items ?? []).toEqual([])
      await tick('2026-03-02T12:00:00Z')
      expect((await feeds('railways')).json.items).toHaveLength(1)
    })
  })
}
