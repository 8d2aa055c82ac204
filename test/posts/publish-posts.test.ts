import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import type { Platform } from '../../functions/platform.ts'
import { findPostBySlug } from '../../functions/posts/addresses.ts'
import { newestDated, newestPosts } from '../../functions/posts/date-index.ts'
import { publishDuePosts } from '../../functions/posts/due.ts'
import { readLog } from '../../functions/posts/log.ts'
import { publishPost } from '../../functions/posts/publish.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { publishPosts } from '../support/publish-posts.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { faultsOf, mortal, titlesIn } from './consistency.ts'
import { markdown, stored } from './sources.ts'

const publish = { way: 'publish' } as const

let platform: ScratchPlatform

beforeEach(async () => {
  platform = await scratchPlatform({ settings: { categories: { notes: { mail: 'letter' } } } })
})

afterEach(() => platform.close())

describe('publishPosts', () => {
  it('lists a batch in its order, refuses single ones, and takes a second of one post as its edit', async () => {
    const outcomes = await publishPosts(
      platform,
      [
        markdown({ title: 'A', category: 'a' }, { path: 'a.md' }),
        markdown({ title: 'Bad', date: 'tomorrowish' }, { path: 'bad.md' }),
        markdown({ title: 'B' }, { path: 'b.md' }),
        markdown({ title: 'A2', category: 'a' }, { path: 'a.md' }),
      ],
      publish,
    )
    expect(outcomes.map(({ status }) => status)).toEqual([
      'published',
      'refused',
      'published',
      'updated',
    ])
    expect(outcomes[1]).toMatchObject({ code: 'post.date' })
    const entries = await readLog(platform, '*', { after: 0, to: 9 })
    expect(entries.map(({ postId }) => postId)).toEqual([
      stored(outcomes[0]).post.id,
      stored(outcomes[2]).post.id,
    ])
    expect(await titlesIn(platform, 'a')).toEqual(['A2'])
    expect(await faultsOf(platform)).toEqual([])
  })

  it('costs as many operations for one new post whatever the archive', async () => {
    const some = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) =>
        markdown(
          { title: `P${from + i}`, date: '2026-02-01', category: 'a' },
          { path: `p${from + i}.md` },
        ),
      )
    const one = async (path: string) => {
      const counted = mortal(platform)
      await publishPost(
        counted.platform,
        markdown({ title: 'New', category: 'a' }, { path }),
        publish,
      )
      return counted.counter.operations
    }
    await publishPosts(platform, some(0, 70), publish)
    await one('warm.md')
    const few = await one('x.md')
    await publishPosts(platform, some(70, 400), publish)
    await one('trim.md')
    expect(await one('y.md')).toBe(few)
    expect(few).toBeLessThan(30)
  })

  it('makes one post when many publish it in the same moment', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        publishPost(
          platform,
          markdown({ title: `T${i}`, category: 'a' }, { path: 'same.md' }),
          publish,
        ),
      ),
    )
    expect(outcomes.filter((outcome) => stored(outcome).isNew).length).toBe(1)
    expect(new Set(outcomes.map((outcome) => stored(outcome).post.id)).size).toBe(1)
    expect((await titlesIn(platform, 'a')).length).toBe(1)
    expect(await faultsOf(platform)).toEqual([])
  })

  it('gives one of two posts that want the same key in the same moment to the other', async () => {
    for (let i = 0; i < 20; i++) {
      const id = `shared-${i}`
      await Promise.all([
        publishPost(
          platform,
          markdown({ title: 'A', id, category: 'a' }, { path: `a${i}.md` }),
          publish,
        ),
        publishPost(
          platform,
          markdown({ title: 'B', id, category: 'b' }, { path: `b${i}.md` }),
          publish,
        ),
      ])
    }
    expect((await newestPosts(platform, '*', { limit: 100 })).posts.length).toBe(20)
    expect(await faultsOf(platform)).toEqual([])
  })

  it('pages through a feed without missing or repeating a post while others come and go', async () => {
    const sources = Array.from({ length: 30 }, (_, i) =>
      markdown(
        { title: `P${i}`, date: `2026-02-${String(1 + (i % 28)).padStart(2, '0')}` },
        { path: `p${i}.md` },
      ),
    )
    const outcomes = await publishPosts(platform, sources, publish)
    const seen: string[] = []
    let cursor: string | undefined
    let turn = 0
    do {
      const page = await newestDated(platform, '*', { limit: 7, ...(cursor ? { cursor } : {}) })
      seen.push(...page.rows.map(({ id }) => id))
      cursor = page.cursor
      await publishPost(
        platform,
        markdown({ title: `New ${turn}` }, { path: `new${turn}.md` }),
        publish,
      )
      // The post at which the page ended goes.
      if (turn++ === 0) await withdrawPost(platform, page.rows.at(-1)?.id as string)
    } while (cursor)
    expect(seen).toHaveLength(30)
    expect(new Set(seen)).toEqual(new Set(outcomes.map((outcome) => stored(outcome).post.id)))
    await expect(
      newestDated(platform, '*', { limit: 5, cursor: 'nonsense!' }),
    ).rejects.toMatchObject({ code: 'cursor' })
  })
})

describe('a publish that dies', () => {
  const sources = [
    markdown({ title: 'A', categories: ['a', 'b'], id: 'one' }, { path: 'a.md' }),
    markdown({ title: 'B', category: 'b', slug: 'a' }, { path: 'b.md' }),
    markdown({ title: 'D', draft: true, category: 'c' }, { path: 'd.md' }),
    markdown({ title: 'S', date: '2026-03-09T08:00:00Z' }, { path: 's.md' }),
  ]
  const edits = [
    markdown(
      { title: 'A', categories: ['b', 'c'], date: '2026-02-20', id: 'one' },
      { path: 'a2.md' },
    ),
    markdown({ title: 'B2', category: 'b', slug: 'a', draft: true }, { path: 'b.md' }),
    markdown({ title: 'D', category: 'c' }, { path: 'd.md' }),
    markdown({ title: 'S', date: '2026-02-28T08:00:00Z' }, { path: 's.md' }),
  ]

  /** Publishes, edits and withdraws in processes that die at the n-th operation; says whether it came through. */
  async function live(scratch: ScratchPlatform, n: number, repeats: boolean): Promise<boolean> {
    let cameThrough = true
    const steps = [
      (p: Platform) => publishPosts(p, sources, publish),
      (p: Platform) => publishPosts(p, edits, publish),
      async (p: Platform) => {
        const b = await findPostBySlug(scratch, 'a')
        if (b) await withdrawPost(p, b.id)
      },
    ]
    for (const step of steps) {
      const process = mortal(scratch, n)
      try {
        await step(process.platform)
      } catch {
        cameThrough = false
        if (repeats) await step(scratch)
        else {
          scratch.advance(180_000)
          await publishDuePosts(scratch)
        }
      }
    }
    return cameThrough
  }

  it('at any step is mended by the same publish again', async () => {
    let n = 0
    for (let done = false; !done; n++) {
      const scratch = await scratchPlatform()
      done = await live(scratch, n, true)
      scratch.advance(180_000)
      await publishDuePosts(scratch)
      expect(await faultsOf(scratch), `after ${n} operations`).toEqual([])
      expect(await titlesIn(scratch, 'c'), `after ${n} operations`).toEqual(['D'])
      expect(await titlesIn(scratch, '*')).toEqual(['D', 'S'])
      await scratch.close()
    }
    expect(n).toBeGreaterThan(20)
  }, 120_000)

  it('at any step is finished by the next ticks although nobody repeats it', async () => {
    let n = 0
    for (let done = false; !done; n++) {
      const scratch = await scratchPlatform()
      done = await live(scratch, n, false)
      expect(await faultsOf(scratch), `after ${n} operations`).toEqual([])
      await scratch.close()
    }
    expect(n).toBeGreaterThan(20)
  }, 120_000)

  it('leaves no wrong count, and rebuilding its feed mends one', async () => {
    const { rebuildFeeds } = await import('../../functions/feeds/rebuild.ts')
    for (const n of [14, 22, 30]) {
      const scratch = await scratchPlatform()
      await live(scratch, n, true)
      scratch.advance(180_000)
      await publishDuePosts(scratch)
      await scratch.records.put({ ...recordKeys.categoryCount('b'), value: { count: 17 } })
      await rebuildFeeds(scratch, ['b'])
      expect(await faultsOf(scratch)).toEqual([])
      await scratch.close()
    }
  }, 60_000)
})
