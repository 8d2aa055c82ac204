import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findPostBySlug } from '../../functions/posts/addresses.ts'
import { readLog, readLogHead } from '../../functions/posts/log.ts'
import { getPost } from '../../functions/posts/post.ts'
import { getPostBody, sourceKey } from '../../functions/posts/post-body.ts'
import { publishPost } from '../../functions/posts/publish.ts'
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

async function waitingJobs() {
  const found: unknown[] = []
  for (const lane of ['urgent', 'work', 'mail'] as const) {
    for (;;) {
      const received = await platform.jobs.receive(lane, { limit: 10, leaseSeconds: 60 })
      if (received.length === 0) break
      for (const { job, receipt } of received) {
        found.push(job)
        await platform.jobs.complete(receipt)
      }
    }
  }
  return found
}

describe('publishPost', () => {
  it('stores the post, lists it and marks its feeds', async () => {
    const source = markdown({ title: 'Hello', category: 'News', tags: ['Town'] }, { path: 'a.md' })
    const outcome = stored(await publishPost(platform, source, publish))
    expect(outcome).toMatchObject({
      status: 'published',
      isNew: true,
      mailed: true,
      feeds: ['*', 'news'],
    })
    const { post } = outcome
    expect(post).toMatchObject({
      state: 'visible',
      number: 1,
      published: '2026-03-02T08:00:00Z',
      updated: '2026-03-02T08:00:00Z',
      entryId: `tag:news.example,2026-03-02:${post.id}`,
      slug: 'a',
    })
    expect((await getPost(platform, post.id))?.value).toEqual(post)
    expect((await getPostBody(platform, post))?.html).toContain('Two words.')
    expect((await platform.objects.get(sourceKey(post)))?.body).toEqual(Buffer.from(source.bytes))
    expect(await readLog(platform, 'news', { after: 0, to: 9 })).toEqual([
      { n: 1, postId: post.id, categories: ['news'], mail: 'digest', again: 0 },
    ])
    expect(await waitingJobs()).toEqual([
      { kind: 'regenerate', feed: '*' },
      { kind: 'regenerate', feed: 'news' },
      { kind: 'post-pages', postIds: [post.id] },
      { kind: 'instant' },
    ])
    expect(await faultsOf(platform)).toEqual([])
  })

  it('does nothing at all for a post that is there unchanged', async () => {
    const source = markdown({ title: 'Hello', category: 'News' }, { path: 'a.md' })
    await publishPost(platform, source, publish)
    await waitingJobs()
    platform.advance(60_000)
    const counted = mortal(platform)
    const outcome = stored(await publishPost(counted.platform, source, publish))
    expect(outcome).toMatchObject({ status: 'unchanged', isNew: false, mailed: false, jobIds: [] })
    expect(outcome.reason).toMatch(/Nothing changed/)
    expect(counted.counter.names.filter((name) => /put|add|delete|enqueue/.test(name))).toEqual([])
  })

  it('keeps ids, number and address of an edited post, and moves `updated` strictly forward', async () => {
    const first = stored(
      await publishPost(platform, markdown({ title: 'One' }, { path: 'a.md' }), publish),
    )
    const second = stored(
      await publishPost(platform, markdown({ title: 'Two' }, { path: 'a.md' }), publish),
    )
    expect(second).toMatchObject({ status: 'updated', isNew: false, mailed: false })
    expect(second.post.updated).toBe('2026-03-02T08:00:01Z')
    const { id, entryId, number, slug, published, firstSeen } = first.post
    expect(second.post).toMatchObject({
      id,
      entryId,
      number,
      slug,
      published,
      firstSeen,
      title: 'Two',
    })
    platform.advance(3_600_000)
    const third = stored(
      await publishPost(platform, markdown({ title: 'Three' }, { path: 'a.md' }), publish),
    )
    expect(third.post.updated).toBe('2026-03-02T09:00:00Z')
    expect((await readLogHead(platform)).last).toBe(1)
    expect(await faultsOf(platform)).toEqual([])
  })

  it('believes an `updated` of the author, but no future one', async () => {
    const front = { title: 'One', date: '2026-01-01T00:00:00Z' }
    const post = async (more: object, body: string) =>
      stored(
        await publishPost(
          platform,
          markdown({ ...front, ...more }, { path: 'a.md', body }),
          publish,
        ),
      ).post
    expect((await post({ updated: '2026-02-01T00:00:00Z' }, 'One.')).updated).toBe(
      '2026-02-01T00:00:00Z',
    )
    expect((await post({ updated: '2026-02-03T00:00:00Z' }, 'Two.')).updated).toBe(
      '2026-02-03T00:00:00Z',
    )
    expect((await post({ updated: '2027-02-03T00:00:00Z' }, 'Three.')).updated).toBe(
      '2026-03-02T08:00:00Z',
    )
  })

  it('makes a new post of what has no key at all, and gives the second of a slug its own address', async () => {
    const source = markdown({ title: 'Hello' }, { body: '[here](#there)' })
    const one = stored(await publishPost(platform, source, publish))
    const two = stored(await publishPost(platform, source, publish))
    expect(two).toMatchObject({ status: 'published', isNew: true })
    expect(two.post.slug).toBe(`hello-${two.post.id}`)
    expect((await findPostBySlug(platform, 'hello'))?.id).toBe(one.post.id)
    expect((await findPostBySlug(platform, two.post.slug))?.id).toBe(two.post.id)
    // Links within it lead to its own page.
    const body = await getPostBody(platform, two.post)
    expect(body?.html).not.toContain('/posts/hello/#')
    expect(await faultsOf(platform)).toEqual([])
  })

  it('finds a post by any of its keys, the id before the path before the address, and adds the others', async () => {
    const first = stored(
      await publishPost(platform, markdown({ title: 'A' }, { path: 'a.md' }), publish),
    )
    const moved = markdown({ title: 'A', id: 'x1' }, { path: 'a.md' })
    expect(stored(await publishPost(platform, moved, publish)).post.id).toBe(first.post.id)
    const renamed = markdown({ title: 'A', id: 'x1' }, { path: 'b/a.md' })
    expect(stored(await publishPost(platform, renamed, publish)).post.id).toBe(first.post.id)
    const byPath = markdown({ title: 'A' }, { path: 'b/a.md' })
    expect(stored(await publishPost(platform, byPath, publish)).post.id).toBe(first.post.id)
    const other = markdown({ title: 'B', id: 'x2' }, { path: 'b/a.md' })
    expect(stored(await publishPost(platform, other, publish)).post.id).toBe(first.post.id)
    expect((await readLogHead(platform)).last).toBe(1)
    expect(await faultsOf(platform)).toEqual([])
  })

  it('moves a post that is dated or filed anew, and keeps its number', async () => {
    const post = (date: string, categories: string[]) =>
      publishPost(platform, markdown({ title: 'M', date, categories }, { path: 'm.md' }), publish)
    await publishPost(
      platform,
      markdown({ title: 'N', date: '2026-02-10', categories: ['a', 'b'] }, { path: 'n.md' }),
      publish,
    )
    await post('2026-02-20', ['a', 'b'])
    expect(await titlesIn(platform, 'a')).toEqual(['M', 'N'])
    await waitingJobs()
    const moved = stored(await post('2026-02-01', ['b', 'c']))
    expect(await titlesIn(platform, 'a')).toEqual(['N'])
    expect(await titlesIn(platform, 'b')).toEqual(['N', 'M'])
    expect(await titlesIn(platform, 'c')).toEqual(['M'])
    expect(moved.post).toMatchObject({ number: 2, categories: ['b', 'c'] })
    const feeds = (await waitingJobs()).flatMap((job) => (job as { feed?: string }).feed ?? [])
    expect(feeds.sort()).toEqual(['*', 'a', 'b', 'c'])
    expect(await faultsOf(platform)).toEqual([])
  })

  it('hides what becomes a draft, shows it again under its number, and mails it once', async () => {
    const post = (published: boolean) =>
      publishPost(
        platform,
        markdown({ title: 'D', published, category: 'a' }, { path: 'd.md' }),
        publish,
      )
    const draft = stored(await post(false))
    expect(draft).toMatchObject({
      status: 'hidden',
      isNew: true,
      mailed: false,
      feeds: [],
      code: 'post.hidden',
    })
    expect(await waitingJobs()).toEqual([])
    const out = stored(await post(true))
    expect(out).toMatchObject({ status: 'published', isNew: false, mailed: true })
    await publishPost(platform, markdown({ title: 'E' }, { path: 'e.md' }), publish)
    expect(stored(await post(false))).toMatchObject({ status: 'hidden', feeds: [] })
    expect(await titlesIn(platform, 'a')).toEqual([])
    const back = stored(await post(true))
    expect(back).toMatchObject({ status: 'updated', mailed: false })
    expect(back.post.number).toBe(1)
    expect(await titlesIn(platform, '*')).toEqual(expect.arrayContaining(['D', 'E']))
    expect((await readLogHead(platform)).last).toBe(2)
    expect(await faultsOf(platform)).toEqual([])
  })

  it('keeps a draft out of the list of categories', async () => {
    const { listCategories } = await import('../../functions/posts/categories.ts')
    await publishPost(
      platform,
      markdown({ title: 'D', draft: true, category: 'Secret' }, { path: 'd.md' }),
      publish,
    )
    expect((await listCategories(platform)).map(({ slug }) => slug)).toEqual(['notes'])
  })

  it('leaves an undated post its date when it is published again', async () => {
    const source = markdown({ title: 'U' }, { path: 'u.md' })
    await publishPost(platform, source, publish)
    platform.advance(86_400_000)
    expect(stored(await publishPost(platform, source, publish)).status).toBe('unchanged')
    const edit = stored(
      await publishPost(platform, markdown({ title: 'U2' }, { path: 'u.md' }), publish),
    )
    expect(edit.post).toMatchObject({
      published: '2026-03-02T08:00:00Z',
      updated: '2026-03-03T08:00:00Z',
    })
  })

  it.each([
    ['the post says letter', { mail: 'letter' }, 'letter', true],
    ['one of its categories says letter', { categories: ['a', 'notes'] }, 'letter', true],
    [
      'the post says digest and a category letter',
      { mail: 'digest', category: 'notes' },
      'digest',
      true,
    ],
    ['the post says none', { mail: 'none', category: 'notes' }, 'none', false],
    ['it is thirty days old', { date: '2026-01-31T08:00:00Z' }, 'digest', true],
    ['it is older', { date: '2026-01-31T07:59:59Z' }, 'none', false],
  ])('lists with its way to readers of mail when %s', async (_, front, mail, mailed) => {
    const outcome = stored(
      await publishPost(platform, markdown({ title: 'P', ...front }, { path: 'p.md' }), publish),
    )
    expect(outcome.mailed).toBe(mailed)
    if (!mailed) expect(outcome.reason).toBeTruthy()
    expect((await readLogHead(platform)).entries[0]?.mail).toBe(mail)
  })

  it('mails an edit again when asked, also one that was only imported', async () => {
    const source = markdown({ title: 'P', date: '2026-03-01', category: 'a' }, { path: 'p.md' })
    expect(stored(await publishPost(platform, source, { way: 'import' }))).toMatchObject({
      mailed: false,
      reason: expect.stringContaining('imported'),
    })
    const again = stored(await publishPost(platform, source, { ...publish, mailAgain: true }))
    expect(again).toMatchObject({ status: 'updated', mailed: true })
    expect(again.post).toMatchObject({ again: 1, number: 1 })
    const entries = await readLog(platform, '*', { after: 0, to: 9 })
    expect(entries.map(({ n, mail, again }) => [n, mail, again])).toEqual([
      [1, 'none', 0],
      [2, 'digest', 1],
    ])
    expect(stored(await publishPost(platform, source, publish))).toMatchObject({
      status: 'unchanged',
      mailed: false,
    })
    const none = markdown(
      { title: 'P', date: '2026-03-01', category: 'a', mail: 'none' },
      { path: 'p.md' },
    )
    expect(
      stored(await publishPost(platform, none, { ...publish, mailAgain: true })),
    ).toMatchObject({
      mailed: false,
      reason: expect.stringContaining('mail: none'),
    })
    expect(await faultsOf(platform)).toEqual([])
  })

  it('writes nothing on a dry run and says what would become of it', async () => {
    const counted = mortal(platform)
    const dry = { ...publish, dryRun: true }
    const outcomes = await publishPosts(
      counted.platform,
      [
        markdown({ title: 'P', category: 'X' }, { path: 'p.md' }),
        markdown({ title: 'D', draft: true }, { path: 'd.md' }),
      ],
      dry,
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['published', 'hidden'])
    expect(counted.counter.names.filter((name) => /put|add|delete|enqueue/.test(name))).toEqual([])
  })
})
