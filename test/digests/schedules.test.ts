import { describe, expect, it } from 'vitest'
import { getSubscriber } from '../../functions/subscribers/store.ts'
import { changeChoices, confirmReader, publishArticle, tickAt } from './newsroom.ts'
import { mails, platform, start, titlesMailedTo } from './running-clock.ts'

describe('a reader who moves', () => {
  it('to a schedule that has nothing new is still brought what was owed (failure 11)', async () => {
    await start()
    const ada = await confirmReader(platform, 'ada@example.org')
    await confirmReader(platform, 'bob@example.org', { at: '20:00' })
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-01T20:00:00Z')
    await changeChoices(platform, ada, { at: '20:00' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([])
    await tickAt(platform, '2026-03-02T20:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
    expect(await titlesMailedTo('bob@example.org')).toEqual([['Post A']])
  })

  it('to instant is brought what was owed with the next tick (failure 12)', async () => {
    await start()
    const ada = await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await platform.settle()
    await changeChoices(platform, ada, { cadence: 'instant' })
    await tickAt(platform, '2026-03-01T18:05:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
    await tickAt(platform, '2026-03-01T18:06:00Z')
    expect((await getSubscriber(platform, ada))?.value.catchUp).toBeUndefined()
    await publishArticle(platform, { title: 'Post B' })
    await platform.settle()
    expect((await titlesMailedTo('ada@example.org')).sort()).toEqual([['Post A'], ['Post B']])
  })
})

describe('an instant reader', () => {
  it('gets a post of a chosen category as soon as it is published', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org', { cadence: 'instant', categories: ['rust'] })
    await publishArticle(platform, { title: 'Post A', categories: ['rust'] })
    await publishArticle(platform, { title: 'Post B', categories: ['go'] })
    await platform.settle()
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })

  it('gets a post that was moved into a chosen category before the run was made', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org', { cadence: 'instant', categories: ['rust'] })
    await publishArticle(platform, { id: 'a', title: 'Post A', categories: ['go'] })
    await publishArticle(platform, { id: 'a', title: 'Post A', categories: ['rust'] })
    await platform.settle()
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })

  it('gets it with the next tick when the job was lost', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org', { cadence: 'instant' })
    await publishArticle(platform, { title: 'Post A' })
    for (const lane of ['urgent', 'work', 'mail'] as const) {
      for (const { receipt } of await platform.jobs.receive(lane, { limit: 10, leaseSeconds: 9 })) {
        await platform.jobs.complete(receipt)
      }
    }
    await tickAt(platform, '2026-03-01T18:01:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })

  it('makes no run where nobody reads at once', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    const { runs } = await tickAt(platform, '2026-03-01T18:01:00Z')
    expect(runs).toEqual([])
  })
})

describe('a letter', () => {
  it('goes whole and at once to the readers of its categories, whatever their cadence', async () => {
    await start()
    const words = 'The whole of the text, to its last word.'
    await confirmReader(platform, 'ada@example.org', { cadence: 'weekly', day: 'fri' })
    await confirmReader(platform, 'bob@example.org', { categories: ['go'] })
    const cyd = await confirmReader(platform, 'cyd@example.org', { categories: ['rust', 'news'] })
    await publishArticle(platform, {
      title: 'Post L',
      categories: ['rust', 'news'],
      mail: 'letter',
      content: words,
    })
    await platform.settle()
    expect((await mails()).map(({ to }) => to).sort()).toEqual([
      'ada@example.org',
      'cyd@example.org',
    ])
    expect((await mails())[0]?.text).toContain(words)
    expect((await getSubscriber(platform, cyd))?.value.watermark).toBe(0)
  })

  it('is in no digest, and keeps no digest away', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await publishArticle(platform, { title: 'Post L', mail: 'letter' })
    await publishArticle(platform, { title: 'Post B' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    await tickAt(platform, '2026-03-03T08:00:00Z')
    expect((await titlesMailedTo('ada@example.org')).sort()).toEqual([
      ['Post A', 'Post B'],
      ['Post L'],
    ])
  })

  it('is not sent to one who confirms after it was published', async () => {
    await start()
    await publishArticle(platform, { title: 'Post L', mail: 'letter' })
    await confirmReader(platform, 'ada@example.org')
    await platform.settle()
    expect(await platform.outbox()).toEqual([])
  })
})
