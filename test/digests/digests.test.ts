import { simpleParser } from 'mailparser'
import { afterEach, describe, expect, it } from 'vitest'
import { countsOf } from '../../functions/digests/runs/books.ts'
import { pauseRun, resumeRun } from '../../functions/digests/runs/control-run.ts'
import type { Run } from '../../functions/digests/runs/run.ts'
import { getRun, makeRun } from '../../functions/digests/runs/run-store.ts'
import { recordKeys } from '../../functions/keys.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { pauseSending, resumeSending } from '../../functions/sending.ts'
import { changePreferences, unsubscribe } from '../../functions/subscribers/change-preferences.ts'
import { preferencesOf } from '../../functions/subscribers/preferences.ts'
import { getSubscriber } from '../../functions/subscribers/store.ts'
import type { Preferences } from '../../functions/subscribers/subscriber.ts'
import { tick } from '../../functions/tick.ts'
import {
  type ScratchPlatform,
  type ScratchPlatformOptions,
  scratchPlatform,
} from '../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from './newsroom.ts'

let platform: ScratchPlatform
afterEach(() => platform.close())

/** A service whose clock has been running since the evening before. */
async function start(options: ScratchPlatformOptions = {}) {
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', ...options })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  return platform
}

async function mails() {
  const outbox = await platform.outbox()
  return Promise.all(outbox.map(async ({ to, raw }) => ({ ...(await simpleParser(raw)), to, raw })))
}

/** Titles of posts that a text holds, of those that the tests publish. */
async function titlesMailedTo(address: string) {
  const texts = (await mails()).filter(({ to }) => to === address).map(({ text = '' }) => text)
  return texts
    .map((text) => [...text.matchAll(/Post [A-Z]\b/g)].map(([title]) => title))
    .map((titles) => [...new Set(titles)].sort())
}

async function change(id: string, wanted: Partial<Preferences>) {
  const reader = await getSubscriber(platform, id)
  await changePreferences(platform, id, {
    ...preferencesOf(reader!.value, platform.settings),
    ...wanted,
  })
}

const reread = async (run: Run | undefined) => (await getRun(platform, run?.id ?? ''))?.value as Run

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

describe('a reader who moves', () => {
  it('to a schedule that has nothing new is still brought what was owed (failure 11)', async () => {
    await start()
    const ada = await confirmReader(platform, 'ada@example.org')
    await confirmReader(platform, 'bob@example.org', { at: '20:00' })
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-01T20:00:00Z')
    await change(ada, { at: '20:00' })
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
    await change(ada, { cadence: 'instant' })
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

describe('a tick', () => {
  it('makes up for runs that were missed while everything stood still', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    const { runs } = await tickAt(platform, '2026-03-03T20:00:00Z')
    expect(runs.map(({ dueAt }) => dueAt)).toEqual(['2026-03-03T08:00:00Z'])
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })

  it('makes a run once, however many of them overlap', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await confirmReader(platform, 'bob@example.org', { cadence: 'instant' })
    await publishArticle(platform, { title: 'Post A' })
    platform.setNow('2026-03-02T08:00:30Z')
    await Promise.all([tick(platform), tick(platform), tick(platform)])
    await Promise.all([platform.settle(), platform.settle()])
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect((await mails()).map(({ to }) => to).sort()).toEqual([
      'ada@example.org',
      'bob@example.org',
    ])
  })

  it('makes nothing twice when the clock jumps a day ahead and back', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-03T08:00:00Z')
    await publishArticle(platform, { title: 'Post B' })
    await tickAt(platform, '2026-03-02T07:59:00Z')
    await tickAt(platform, '2026-03-02T08:00:00Z')
    await tickAt(platform, '2026-03-03T08:00:00Z')
    expect((await titlesMailedTo('ada@example.org')).sort()).toEqual([['Post A'], ['Post B']])
  })

  it('by hand, as the first ever, finds what came due since the reader confirmed', async () => {
    platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z' })
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })

  it('as the first ever, makes no run that was due before anybody read', async () => {
    platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z' })
    await confirmReader(platform, 'ada@example.org')
    const { runs } = await tickAt(platform, '2026-03-01T18:05:00Z')
    expect(runs).toEqual([])
  })

  it('makes and delivers a run whose maker died after listing it as open', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    const records = {
      ...platform.records,
      put: async (...args: Parameters<typeof platform.records.put>) => {
        if (args[0].sort === 'run') throw new Error('killed')
        return platform.records.put(...args)
      },
    } as typeof platform.records
    const wanted = {
      id: 'daily-0800-UTC_20260302T080000Z',
      schedule: 'daily-0800-UTC',
      kind: 'digest',
      dueAt: '2026-03-02T08:00:00Z',
      to: 1,
    } as const
    await expect(makeRun({ ...platform, records }, wanted)).rejects.toThrow('killed')
    await tickAt(platform, '2026-03-01T18:10:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
    expect((await platform.records.query(recordKeys.openRuns)).records).toEqual([])
  })

  it('drives on a run all of whose jobs were lost', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    platform.setNow('2026-03-02T08:00:00Z')
    await tick(platform)
    for (const lane of ['work', 'mail'] as const) {
      for (const { receipt } of await platform.jobs.receive(lane, { limit: 10, leaseSeconds: 9 })) {
        await platform.jobs.complete(receipt)
      }
    }
    await tickAt(platform, '2026-03-02T08:02:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })
})

describe('holding mail back', () => {
  it('a paused run sends nothing until it is resumed', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    platform.setNow('2026-03-02T08:00:00Z')
    const { runs } = await tick(platform)
    await pauseRun(platform, runs[0]?.id ?? '')
    await platform.settle()
    await tickAt(platform, '2026-03-02T08:10:00Z')
    expect(await platform.outbox()).toEqual([])
    await resumeRun(platform, runs[0]?.id ?? '')
    await platform.settle()
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
    expect((await reread(runs[0])).state).toBe('done')
  })

  it('nothing leaves while all sending is paused, and it goes on by itself afterwards', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await pauseSending(platform)
    const { runs } = await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await platform.outbox()).toEqual([])
    expect(await countsOf(platform, await reread(runs[0]))).toMatchObject({ pending: 1 })
    await resumeSending(platform)
    await tickAt(platform, '2026-03-02T08:10:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })
})
