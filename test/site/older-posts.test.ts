import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import { placeAfter } from '../../functions/posts/date-index.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { publishPosts } from '../support/publish-posts.ts'
import { markdown, page, platform } from './scratch-site.ts'

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
