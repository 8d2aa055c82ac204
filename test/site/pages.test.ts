import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { runJob } from '../../functions/jobs.ts'
import { objectKeys, recordKeys, urlPaths } from '../../functions/keys.ts'
import type { Platform } from '../../functions/platform.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { writePostPages } from '../../functions/site/write-pages.ts'
import { app, page, platform, publish, siteOf } from './scratch-site.ts'

describe('the front page', () => {
  it('stands before any post does', async () => {
    const { status, text } = await page('/')
    expect(status).toBe(200)
    expect(text).toContain('Nothing has been published yet')
    expect(text).toContain('<html lang="en">')
    expect(text).toContain('江畔 &amp; Ledger')
    expect((await page('/feeds/')).status).toBe(200)
  })

  it('shows what was published at once, and is answered with 304 to those who have it', async () => {
    await publish('title: <b>Tide</b> & co\ndate: 2026-03-01\ncategories: [Harbour]')
    const first = await page('/')
    expect(first.text).toContain('&lt;b&gt;Tide&lt;/b&gt; &amp; co')
    expect(first.headers.get('cache-control')).toBe('public, max-age=0, s-maxage=60')
    const etag = first.headers.get('etag') ?? ''
    const again = await page('/', { headers: { 'if-none-match': etag } })
    expect([again.status, again.text]).toEqual([304, ''])
    const head = await page('/', { method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
  })

  it('is sent compressed to who takes it', async () => {
    await publish('title: Tide\ndate: 2026-03-01')
    const response = await app.request('https://news.example/', {
      headers: { 'accept-encoding': 'gzip' },
    })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    const text = gunzipSync(Buffer.from(await response.arrayBuffer())).toString()
    expect(text).toContain('Tide')
  })
})

describe('a category', () => {
  it('has a page under its name in any script, composed, encoded or sent as bytes', async () => {
    await publish('title: A\ndate: 2026-03-01\ncategories: [泰州日报, Café]')
    const encoded = await page('/categories/%E6%B3%B0%E5%B7%9E%E6%97%A5%E6%8A%A5/')
    expect(encoded.status).toBe(200)
    for (const document of ['rss.xml', 'atom.xml', 'feed.json']) {
      expect(encoded.text).toContain(
        `>https://news.example/feeds/%E6%B3%B0%E5%B7%9E%E6%97%A5%E6%8A%A5/${document}<`,
      )
    }
    const raw = Buffer.from('泰州日报').toString('latin1')
    expect((await page(`/categories/${encodeURIComponent(raw)}/`)).status).toBe(200)
    expect((await page('/categories/cafe%CC%81/')).status).toBe(200)
    expect((await page('/categories/%E0%A4%A/')).status).toBe(404)
    expect((await page('/categories/..%2F..%2Fetc/')).status).toBe(404)
    expect((await page(`/categories/${'a'.repeat(5_000)}/`)).status).toBe(404)
  })

  it('leads to its address with the slash, query and all', async () => {
    const { status, headers } = await page('/categories/x?a=1')
    expect([status, headers.get('location')]).toEqual([301, '/categories/x/?a=1'])
  })

  it('that nobody wrote in does not exist', async () => {
    expect((await page('/categories/nobody/')).status).toBe(404)
  })
})

describe('a post', () => {
  it('has a page with its text, its categories and its home elsewhere', async () => {
    const post = await publish(
      'title: Tide\ndate: 2026-03-01\ncategories: [Harbour]\ncanonical_url: https://elsewhere.example/tide',
      'High *water*.',
    )
    const { status, text } = await page(urlPaths.post(post.slug))
    expect(status).toBe(200)
    expect(text).toContain('<em>water</em>')
    expect(text).toContain('/categories/harbour/')
    expect(text).not.toMatch(/<script|style=/)
  })

  it('follows an edit, and is gone when it is withdrawn', async () => {
    const front = 'id: tide\ntitle: Tide\ndate: 2026-03-01'
    const post = await publish(front, 'Old.')
    await publish(front, 'New.')
    expect((await page(urlPaths.post(post.slug))).text).toContain('New.')
    await withdrawPost(platform, post.id)
    await platform.settle()
    const gone = await page(urlPaths.post(post.slug))
    expect(gone.status).toBe(410)
    expect(gone.text).toContain('withdrawn')
    expect((await page('/')).text).not.toContain('Tide')
  })

  it('that is due later has no page yet', async () => {
    const post = await publish('title: Soon\ndate: 2026-04-01')
    expect((await page(urlPaths.post(post.slug))).status).toBe(404)
  })

  it('is made again when a page is missing or was made with other settings', async () => {
    const post = await publish('title: Tide\ndate: 2026-03-01')
    const key = objectKeys.page(urlPaths.post(post.slug))
    await platform.objects.delete(key)
    expect((await page(urlPaths.post(post.slug))).status).toBe(200)
    const renamed = {
      ...platform,
      settings: { ...platform.settings, site: { ...platform.settings.site, title: 'New name' } },
    }
    const response = await siteOf(renamed).request(
      `https://news.example${urlPaths.post(post.slug)}`,
    )
    expect(await response.text()).toContain('Tide – New name')
  })

  it('is never left older than its record by two writers at once', async () => {
    const front = 'id: tide\ntitle: Tide\ndate: 2026-03-01'
    const post = await publish(front, 'Old.')
    const key = objectKeys.page(urlPaths.post(post.slug))
    let isEdited = false
    const slow: Platform = {
      ...platform,
      objects: {
        ...platform.objects,
        // While the first writer holds what it read, the post is edited and its page written.
        put: async (at, body, options) => {
          if (at === key && !isEdited) {
            isEdited = true
            await publish(front, 'New.')
          }
          return platform.objects.put(at, body, options)
        },
      },
    }
    await platform.objects.delete(key)
    await writePostPages(slow, [post.id])
    const stored = await platform.objects.get(key)
    expect(Buffer.from(stored?.body ?? []).toString()).toContain('New.')
  })

  it('that is written again unchanged costs no write', async () => {
    const post = await publish('title: Tide\ndate: 2026-03-01')
    let puts = 0
    const counting: Platform = {
      ...platform,
      objects: {
        ...platform.objects,
        put: (...input) => {
          puts += 1
          return platform.objects.put(...input)
        },
      },
    }
    // The first call on a store also writes the stylesheet and the icon.
    await writePostPages(counting, [post.id])
    puts = 0
    await writePostPages(counting, [post.id, 'ffffffffffffffff'])
    await platform.records.add(recordKeys.dirty('*'), 1)
    await runJob(counting, { kind: 'regenerate', feed: '*' })
    expect(puts).toBeLessThanOrEqual(1)
  })
})

describe('what pages need', () => {
  it('is there for any web server, with an address that changes with its bytes', async () => {
    await publish('title: Tide\ndate: 2026-03-01')
    const { text } = await page('/')
    const path = /href="(\/assets\/site\.[0-9a-f]+\.css)"/.exec(text)?.[1] ?? ''
    const sheet = await page(path)
    expect(sheet.headers.get('cache-control')).toContain('immutable')
    expect(
      Buffer.from((await platform.objects.get(objectKeys.publicPath(path)))?.body ?? []).toString(),
    ).toBe(sheet.text)
    expect((await page('/assets/site.0000000000.css')).headers.get('cache-control')).not.toContain(
      'immutable',
    )
    expect((await page('/assets/other.css')).status).toBe(404)
    expect((await page('/favicon.svg')).headers.get('content-type')).toBe('image/svg+xml')
    // Bare, `/api` and `/outbox` are addresses, too.
    const robots = (await page('/robots.txt')).text
    for (const path of ['/api', '/admin', '/outbox', '/preferences/']) {
      expect(robots.split('\n')).toContain(`Disallow: ${path}`)
    }
  })
})
