import { describe, expect, it } from 'vitest'
import { countsOf } from '../../functions/digests/runs/books.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { unsubscribe } from '../../functions/subscribers/change-preferences.ts'
import { tick } from '../../functions/tick.ts'
import { confirmReader, publishArticle, tickAt } from './newsroom.ts'
import { mails, platform, reread, start, titlesMailedTo } from './running-clock.ts'

describe('a digest', () => {
  it('brings a confirmed reader what is new in the chosen categories, once', async () => {
    await start()
    await publishArticle(platform, { title: 'Post A', categories: ['rust'] })
    await confirmReader(platform, 'ada@example.org', { categories: ['rust'] })
    await publishArticle(platform, { title: 'Post B', categories: ['rust'] })
    await publishArticle(platform, { title: 'Post C', categories: ['go'] })
    const { runs } = await tickAt(platform, '2026-03-02T08:00:00Z')
    await tickAt(platform, '2026-03-02T08:01:00Z')
    await tickAt(platform, '2026-03-03T08:00:00Z')

    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post B']])
    expect(runs.map(({ id, dueAt }) => ({ id, dueAt }))).toEqual([
      { id: 'daily-0800-UTC_20260302T080000Z', dueAt: '2026-03-02T08:00:00Z' },
    ])
    const run = await reread(runs[0])
    expect(run.state).toBe('done')
    expect(await countsOf(platform, run)).toEqual({
      candidates: 1,
      accepted: 1,
      suppressed: 0,
      failed: 0,
      unknown: 0,
      empty: 0,
      pending: 0,
    })
  })

  it('carries the headers that mail programs ask of list mail, and links that are its reader’s', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await confirmReader(platform, 'bob@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    const [one, two] = await mails()
    const links = [one, two].map((mail) => mail?.raw.match(/^List-Unsubscribe: <([^>]+)>/m)?.[1])
    expect(links[0]).toMatch(/^https:\/\/news\.example\/unsubscribe\/[\w-]{68}$/)
    expect(links[0]).not.toBe(links[1])
    expect(one?.raw).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click')
    expect(one?.html).toContain(`${links[0]}`)
    expect(one?.text).not.toContain('placeholder')
    expect(one?.messageId).toMatch(
      /^<daily-0800-UTC_20260302T080000Z_0_[0-9a-f]{32}_0@news\.example>$/,
    )
  })

  it('is skipped, and says why, when nobody is owed anything', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const { runs } = await tickAt(platform, '2026-03-02T08:00:00Z')
    const run = await reread(runs[0])
    expect(run.state).toBe('skipped')
    expect(run.reason).toBe(
      'Nobody was owed anything: everyone already has what there is, or joined after it.',
    )
    expect(await countsOf(platform, run)).toMatchObject({ candidates: 1, empty: 1 })
    expect(await platform.outbox()).toEqual([])
  })

  it('never comes after the reader has left', async () => {
    await start()
    const ada = await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await unsubscribe(platform, ada)
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await platform.outbox()).toEqual([])
  })

  it('is not owed to one who leaves between planning and delivery', async () => {
    await start()
    const ada = await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await platform.settle()
    platform.setNow('2026-03-02T08:00:00Z')
    const { runs } = await tick(platform)
    const [plan] = await platform.jobs.receive('work', { limit: 1, leaseSeconds: 60 })
    const { runJob } = await import('../../functions/jobs.ts')
    await runJob(platform, plan!.job)
    await unsubscribe(platform, ada)
    await platform.settle()
    expect(await platform.outbox()).toEqual([])
    const run = await reread(runs[0])
    expect(run.state).toBe('skipped')
    expect(await countsOf(platform, run)).toMatchObject({ candidates: 1, suppressed: 1 })
  })

  it('has a post of two chosen categories once', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org', { categories: ['go', 'rust'] })
    await publishArticle(platform, { title: 'Post A', categories: ['rust', 'go'] })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    const [mail] = await mails()
    expect(mail?.text?.match(/Post A/g)).toHaveLength(1)
  })

  it('does not bring a post again that was edited, dated anew and moved to another category', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org', { categories: ['go', 'rust'] })
    const post = { id: 'a', title: 'Post A', published: '2026-03-01T10:00:00Z' }
    await publishArticle(platform, { ...post, categories: ['rust'] })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    await publishArticle(platform, {
      ...post,
      content: 'Other text.',
      published: '2026-03-02T09:00:00Z',
      categories: ['go'],
    })
    await tickAt(platform, '2026-03-03T08:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })

  it('does not bring a post that is moved into a chosen category after its run', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org', { categories: ['rust'] })
    await publishArticle(platform, { id: 'a', title: 'Post A', categories: ['go'] })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    await publishArticle(platform, { id: 'a', title: 'Post A', categories: ['rust'] })
    await tickAt(platform, '2026-03-03T08:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([])
  })

  it('brings a post again when the publisher asks', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { id: 'a', title: 'Post A' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    await publishArticle(
      platform,
      { id: 'a', title: 'Post A', content: 'Put right.' },
      { mailAgain: true },
    )
    await tickAt(platform, '2026-03-03T08:00:00Z')
    await tickAt(platform, '2026-03-04T08:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A'], ['Post A']])
  })

  it('leaves out what was withdrawn meanwhile', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await withdrawPost(platform, await publishArticle(platform, { title: 'Post B' }))
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })

  it('leaves out a category that says `mail: none`, unless another choice brings the post', async () => {
    await start({ settings: { categories: { quiet: { mail: 'none' } } } })
    await confirmReader(platform, 'ada@example.org', { categories: ['quiet'] })
    await confirmReader(platform, 'bob@example.org', { categories: ['quiet', 'rust'] })
    await confirmReader(platform, 'cyd@example.org')
    await publishArticle(platform, { title: 'Post A', categories: ['quiet', 'rust'] })
    await publishArticle(platform, { title: 'Post B', categories: ['quiet'] })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([])
    expect(await titlesMailedTo('bob@example.org')).toEqual([['Post A']])
    expect(await titlesMailedTo('cyd@example.org')).toEqual([['Post A', 'Post B']])
  })

  it('follows a category that the settings rename', async () => {
    await start({ settings: { categories: { rustlang: { renamedFrom: ['rust'] } } } })
    await confirmReader(platform, 'ada@example.org', { categories: ['rust'] })
    await publishArticle(platform, { title: 'Post A', categories: ['rustlang'] })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })

  it('has the newest posts up to the limit, and a link to a page with all of them', async () => {
    await start({ settings: { digests: { maxPosts: 2 } } })
    await confirmReader(platform, 'ada@example.org')
    for (const [i, letter] of ['A', 'B', 'C', 'D'].entries()) {
      await publishArticle(platform, {
        title: `Post ${letter}`,
        published: `2026-03-01T1${i}:00:00Z`,
      })
    }
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post C', 'Post D']])
    const [mail] = await mails()
    const path = String(mail?.html).match(/https:\/\/news\.example(\/archive\/[\w-]+\/)/)?.[1]
    const { createApp } = await import('../../functions/app.ts')
    const page = await createApp(platform).request(path ?? '/no-link')
    expect(page.status).toBe(200)
    const html = await page.text()
    for (const letter of ['A', 'B', 'C', 'D']) expect(html).toContain(`Post ${letter}`)
    expect(html).not.toContain('ada')
  })

  it('is composed once for readers who are owed the same', async () => {
    await start()
    for (let i = 0; i < 40; i++) await confirmReader(platform, `reader${i}@example.org`)
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    const bodies = (await platform.outbox()).map(({ raw }) => raw.match(/boundary="([^"]+)"/)?.[1])
    expect(bodies).toHaveLength(40)
    expect(new Set(bodies).size).toBe(1)
  })
})
