import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  currentSlug,
  getCategory,
  listCategories,
  noteCategoryUse,
  resolveCategories,
} from '../../functions/posts/categories.ts'
import { publishDuePosts } from '../../functions/posts/due.ts'
import { publishPost } from '../../functions/posts/publish.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { publishPosts } from '../support/publish-posts.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { faultsOf, titlesIn } from './consistency.ts'
import { markdown, stored } from './sources.ts'

const publish = { way: 'publish' } as const

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
})
afterEach(() => platform.close())

const slugsOf = async (...names: string[]) => {
  const slugs = await resolveCategories(platform, names)
  return names.map((name) => slugs.get(name))
}

describe('resolveCategories', () => {
  it('numbers names whose slugs collide, in order of first use, for good', async () => {
    expect(await slugsOf('C', 'C++', 'C#')).toEqual(['c', 'c-2', 'c-3'])
    expect(await slugsOf('C#', 'C', 'C++')).toEqual(['c-3', 'c', 'c-2'])
  })

  it('takes a name that has another’s slug for a name of its own', async () => {
    expect(await slugsOf('C++', 'C')).toEqual(['c', 'c-2'])
  })

  it('takes a slug that is written letter by letter for its category', async () => {
    const names = ['a/b', 'a b', 'a-b', 'a-b-2']
    const slugs = ['a-b', 'a-b-2', 'a-b', 'a-b-2']
    for (const [i, name] of names.entries()) expect(await slugsOf(name)).toEqual([slugs[i]])
    expect(await slugsOf(...names)).toEqual(slugs)
    // In one post they mean the same.
    expect(await slugsOf('x/y', 'x y', 'x-y', 'x-y-2')).toEqual(['x-y', 'x-y-2', 'x-y', 'x-y-2'])
  })

  it('gives no category a slug that leads to a configured one', async () => {
    await platform.close()
    platform = await scratchPlatform({ settings: { categories: { town: { title: 'A b' } } } })
    expect(await slugsOf('a/b', 'a b', 'a-b')).toEqual(['a-b-2', 'town', 'town'])
    expect(await slugsOf('a-b-2')).toEqual(['a-b-2'])
  })

  it('takes slugs as well as names, and names that differ in case or blanks only as one', async () => {
    expect(await slugsOf('Town Hall')).toEqual(['town-hall'])
    expect(await slugsOf('town-hall', 'TOWN  hall', 'town_hall')).toEqual(
      Array(3).fill('town-hall'),
    )
    expect(await slugsOf('C++')).toEqual(['c'])
    expect(await slugsOf('c')).toEqual(['c'])
  })

  it('keeps letters of any script, and finds a slug for a name without any', async () => {
    expect(await slugsOf('泰州日报', 'Größe', 'Cafe\u0301', 'Café')).toEqual([
      '泰州日报',
      'größe',
      'café',
      'café',
    ])
    const [slug] = await slugsOf('!!!')
    expect(slug).toMatch(/^category-[0-9a-f]{8}$/)
    expect(await slugsOf('!!!', '???')).not.toEqual([slug, slug])
  })

  it('keeps `history` free, and names that every object has', async () => {
    expect(await slugsOf('History', 'constructor', '__proto__', 'toString')).toEqual([
      'history-2',
      'constructor',
      'proto',
      'tostring',
    ])
    expect(await slugsOf('history-2')).toEqual(['history-2'])
  })

  it('gives racers the same slug for the same name', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => slugsOf(i % 2 ? 'Rust' : 'Rust!')),
    )
    expect(new Set(all.map(([slug]) => slug)).size).toBe(2)
  })

  it('finds a free slug when very many names share one', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `X${'!'.repeat(i)}`)
    expect(new Set(await slugsOf(...names)).size).toBe(60)
  })

  it('follows broadsheet.yaml: slugs, titles and former slugs', async () => {
    await platform.close()
    platform = await scratchPlatform({
      settings: {
        categories: {
          tech: { title: 'Technology' },
          c: { title: 'C language' },
          new: { renamedFrom: ['old'] },
        },
      },
    })
    expect(await slugsOf('tech', 'Tech', 'Technology', 'technology')).toEqual(Array(4).fill('tech'))
    expect(await slugsOf('C++', 'C language', 'old', 'new')).toEqual(['c-2', 'c', 'new', 'new'])
    expect(currentSlug(platform.settings, 'old')).toBe('new')
    expect(currentSlug(platform.settings, 'constructor')).toBe('constructor')
  })
})

describe('listCategories', () => {
  const post = (title: string, front: object) =>
    publishPost(platform, markdown({ title, ...front }, { path: `${title}.md` }), publish)

  it('names a category by the tag of its first post with one category and one tag', async () => {
    await post('1', { categories: ['taizhouribao', 'x'], tags: ['no'] })
    await post('2', { categories: ['taizhouribao'], tags: ['no', 'neither'] })
    await post('3', { categories: ['taizhouribao'], tags: ['泰州日报新闻'] })
    await post('4', { categories: ['taizhouribao'], tags: ['another'] })
    expect(await getCategory(platform, 'taizhouribao')).toEqual({
      slug: 'taizhouribao',
      title: '泰州日报新闻',
      posts: 4,
    })
  })

  it('else by its name as written, else by its slug', async () => {
    await post('1', { categories: ['C++', 'town-hall'] })
    expect((await listCategories(platform)).map(({ slug, title }) => [slug, title])).toEqual([
      ['c', 'C++'],
      ['town-hall', 'town-hall'],
    ])
  })

  it('puts those of broadsheet.yaml first, with their words, and counts visible posts exactly', async () => {
    await platform.close()
    platform = await scratchPlatform({
      settings: { categories: { z: { title: 'Zed', description: 'Last.', mail: 'none' }, y: {} } },
    })
    const a = stored(await post('a', { categories: ['z', 'b'], tags: ['t'] }))
    await post('b', { categories: ['z'], tags: ['t'] })
    await post('c', { categories: ['z'], draft: true })
    await post('d', { categories: ['b'] })
    await post('d', { categories: ['z'] })
    await withdrawPost(platform, a.post.id)
    await withdrawPost(platform, a.post.id)
    expect(await listCategories(platform)).toEqual([
      { slug: 'z', title: 'Zed', description: 'Last.', mail: 'none', posts: 2 },
      { slug: 'y', title: 'y', posts: 0 },
      { slug: 'b', title: 'b', posts: 0 },
    ])
    expect(await getCategory(platform, 'y')).toEqual({ slug: 'y', title: 'y', posts: 0 })
    expect(await getCategory(platform, 'nowhere')).toBeUndefined()
    expect(await getCategory(platform, '*')).toBeUndefined()
    expect(await getCategory(platform, 'toString')).toBeUndefined()
  })

  it('notes the use of a category once', async () => {
    await noteCategoryUse(platform, [{ categories: ['a'], tags: [] }])
    await noteCategoryUse(platform, [{ categories: ['a'], tags: ['Title'] }])
    await noteCategoryUse(platform, [{ categories: ['a'], tags: ['Other'] }])
    expect((await getCategory(platform, 'a'))?.title).toBe('Title')
  })
})

describe('a category that is renamed', () => {
  it('takes its posts along at the next tick, under their numbers', async () => {
    const sources = Array.from({ length: 5 }, (_, i) =>
      markdown(
        { title: `P${i}`, date: `2026-02-0${i + 1}`, categories: ['old', 'x'] },
        { path: `${i}.md` },
      ),
    )
    await publishPosts(platform, sources, publish)
    const { settings } = platform
    const renamed = {
      ...platform,
      settings: { ...settings, categories: { new: { title: 'New', renamedFrom: ['old'] } } },
    }
    await publishDuePosts(renamed)
    expect(await titlesIn(platform, 'new')).toEqual(['P4', 'P3', 'P2', 'P1', 'P0'])
    expect(await titlesIn(platform, 'old')).toEqual([])
    expect((await listCategories(renamed)).map(({ slug, posts }) => [slug, posts])).toEqual([
      ['new', 5],
      ['x', 5],
    ])
    expect(await faultsOf(renamed)).toEqual([])
    const again = stored(await publishPost(renamed, sources[0] as never, publish))
    expect(again.post).toMatchObject({ categories: ['new', 'x'], number: 1 })
  })
})
