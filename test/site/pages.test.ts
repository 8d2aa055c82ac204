import { gunzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { runJob } from '../../functions/jobs.ts'
import { objectKeys, recordKeys, urlPaths } from '../../functions/keys.ts'
import type { Platform } from '../../functions/platform.ts'
import { placeAfter } from '../../functions/posts/date-index.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { errorPage } from '../../functions/site/error-page.ts'
import { sitePages } from '../../functions/site/routes.ts'
import { writePostPages } from '../../functions/site/write-pages.ts'
import { publishPosts } from '../support/publish-posts.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'

let platform: ScratchPlatform
let app: Hono

/** The pages with errors turned into pages, as the whole service does it. */
function siteOf(of: Platform): Hono {
  const site = new Hono({ strict: true })
  site.route('/', sitePages(of))
  site.notFound(() => errorPage(new ServiceError(404, 'not-found', 'Nothing.'), of))
  site.onError((error) => {
    if (error instanceof ServiceError) return errorPage(error, of)
    throw error
  })
  return site
}

beforeEach(async () => {
  platform = await scratchPlatform({ settings: { site: { title: '江畔 & Ledger' } } })
  app = siteOf(platform)
})
afterEach(() => platform.close())

const markdown = (front: string, body: string) => ({
  bytes: Buffer.from(`---\n${front}\n---\n${body}\n`),
  contentType: 'text/markdown' as const,
})

async function publish(front: string, body = 'Text.') {
  const [outcome] = await publishPosts(platform, [markdown(front, body)], { way: 'publish' })
  if (!outcome || !('post' in outcome)) throw new Error(JSON.stringify(outcome))
  await platform.settle()
  return outcome.post
}

const page = async (path: string, init?: RequestInit) => {
  const response = await app.request(`https://news.example${path}`, init)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

describe('older posts', () => {
  const count = 130

  /** The titles on a page and on all that follow it, and the pages' addresses. */
  async function readOn(start: string): Promise<{ titles: string[]; paths: string[] }> {
    const titles: string[] = []
    const paths: string[] = []
    for (let path: string | undefined = start; path !== undefined; ) {
      const { status, text } = await page(path)
      expect(status).toBe(200)
      titles.push(
        ...[...text.matchAll(/posts\/[^"]*">(Post \d+)</g)].map(([, title]) => title ?? ''),
      )
      paths.push(path)
      path = /href="([^"]*\/older\/[^"]*)">Older posts</.exec(text)?.[1]
    }
    return { titles, paths }
  }
  const postNumber = (i: number) => `Post ${String(i).padStart(3, '0')}`
  const day = (i: number) => new Date(Date.UTC(2026, 0, 1 + i)).toISOString().slice(0, 10)
  const postFrom = (i: number) =>
    markdown(`title: ${postNumber(i)}\ndate: ${day(i - 200)}\ncategories: [Harbour]`, 'Text.')
  const newestFirst = Array.from({ length: count }, (_, i) => postNumber(count - 1 - i))

  it('are all reached from the front page and from their category’s, each once and in order', async () => {
    await publishPosts(
      platform,
      Array.from({ length: count }, (_, i) => postFrom(i)),
      {
        way: 'publish',
      },
    )
    await platform.settle()
    for (const start of ['/', '/categories/harbour/']) {
      expect((await readOn(start)).titles).toEqual(newestFirst)
    }
  })

  it('stay where they are when a post comes, and are nowhere when one is withdrawn', async () => {
    await publishPosts(
      platform,
      Array.from({ length: count }, (_, i) => postFrom(i)),
      {
        way: 'publish',
      },
    )
    await platform.settle()
    const { paths } = await readOn('/categories/harbour/')
    const [, second = '', third = ''] = paths
    const before = (await page(third)).text
    await publishPosts(platform, [postFrom(count)], { way: 'publish' })
    await platform.settle()
    expect((await page(third)).text).toBe(before)
    expect((await readOn('/categories/harbour/')).titles).toEqual([
      postNumber(count),
      ...newestFirst,
    ])
    const [, title = ''] = />(Post \d+)</.exec(before) ?? []
    const slug = recordKeys.slug(title.toLowerCase().replace(' ', '-'))
    const target = await platform.records.get<{ postId: string }>(slug)
    await withdrawPost(platform, target?.value.postId ?? '')
    await platform.settle()
    expect((await page(third)).text).not.toContain(title)
    expect((await readOn(second)).titles).not.toContain(title)
  })

  it('are not promised where there are none, and have no page at a place that is none', async () => {
    const exactly = platform.settings.feeds.entries
    await publishPosts(
      platform,
      Array.from({ length: exactly }, (_, i) => postFrom(i)),
      {
        way: 'publish',
      },
    )
    await platform.settle()
    expect((await page('/')).text).not.toContain('Older posts')
    expect((await page('/categories/harbour/')).text).not.toContain('Older posts')
    const place = placeAfter({ published: '2026-01-01T00:00:00Z', id: 'a' })
    expect((await page(`/older/${place}/`)).status).toBe(200)
    for (const path of ['/older/x/', `/categories/none/older/${place}/`, '/older/%00/']) {
      expect((await page(path)).status).toBe(404)
    }
  })
})

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
    expect((await page('/robots.txt')).text).toContain('Disallow: /preferences/')
  })
})

describe('the outbox', () => {
  const local = () => ({
    ...platform,
    settings: {
      ...platform.settings,
      site: { ...platform.settings.site, baseUrl: 'http://127.0.0.1:8787' },
    },
  })
  const get = (of: Platform, path: string, host = '127.0.0.1:8787', remote?: string) =>
    siteOf(of).request(
      `http://${host}${path}`,
      { headers: { host } },
      {
        ...(remote ? { incoming: { socket: { remoteAddress: remote } } } : {}),
      },
    )

  async function mail(id: string, html: string) {
    const { plainMessage } = await import('../../functions/mail/message.ts')
    const raw = plainMessage({
      from: 'a@news.example',
      to: 'reader@mail.example',
      subject: '请确认',
      html,
      text: '确认',
      messageId: `<${id}@news.example>`,
      date: platform.now(),
    })
    const message = { deliveryId: id, from: 'a@news.example', to: 'reader@mail.example', raw }
    await platform.mailer.send({ ...message, kind: 'bulk' }, new Date('2030-01-01'))
  }

  it('shows each mail as it looks, as text and as source, and runs nothing of it', async () => {
    await mail('m1', '<html><head></head><body><script>alert(1)</script>确认</body></html>')
    const list = await (await get(local(), '/outbox/')).text()
    expect(list).toContain('请确认')
    expect(list).toContain('reader@mail.example')
    const shown = await get(local(), '/outbox/m1')
    expect(await shown.text()).toContain('<iframe')
    expect(shown.headers.get('content-security-policy')).toContain("frame-src 'self'")
    expect(await (await get(local(), '/outbox/m1?view=text')).text()).toContain('确认')
    expect(await (await get(local(), '/outbox/m1?view=source')).text()).toContain(
      'multipart/alternative',
    )
    const html = await get(local(), '/outbox/m1/html')
    expect(html.headers.get('content-security-policy')).toMatch(/^sandbox .*default-src 'none'/)
    expect(html.headers.get('content-security-policy')).not.toContain('script')
    expect((await get(local(), '/outbox/..%2f..%2fsecrets')).status).toBe(404)
  })

  it('shows itself in pages, the oldest reachable', async () => {
    for (let i = 0; i < 53; i++) await mail(`m${i}`, 'a')
    const list = await (await get(local(), '/outbox/')).text()
    const older = /href="(\/outbox\/\?after=[^"]+)"/.exec(list)?.[1] ?? ''
    const rest = await (await get(local(), older)).text()
    expect(rest.match(/href="\/outbox\/m\d+"/g)).toHaveLength(3)
  })

  it('is nothing to anybody but who sits at this machine', async () => {
    await mail('m1', 'a')
    const there = local()
    expect((await get(there, '/outbox/', '127.0.0.1:8787', '127.0.0.1')).status).toBe(200)
    expect((await get(there, '/outbox/', 'localhost:8787', '::ffff:127.0.0.1')).status).toBe(200)
    for (const path of ['/outbox/', '/outbox/m1', '/outbox/m1/html']) {
      expect((await get(there, path, 'evil.example')).status).toBe(404)
      expect((await get(there, path, '127.0.0.1:8787', '192.0.2.7')).status).toBe(404)
      expect((await get(platform, path)).status).toBe(404)
      expect((await get({ ...there, isLocal: false }, path)).status).toBe(404)
    }
  })
})
