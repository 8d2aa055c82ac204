import { describe, expect, it } from 'vitest'
import { pauseRun, resumeRun } from '../../functions/digests/runs/control-run.ts'
import { makeRun } from '../../functions/digests/runs/run-store.ts'
import { recordKeys } from '../../functions/keys.ts'
import { tick } from '../../functions/tick.ts'
import { confirmReader, publishArticle, tickAt } from './newsroom.ts'
import { mails, open, platform, reread, start, titlesMailedTo } from './running-clock.ts'

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
    await open()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
  })

  it('as the first ever, makes no run that was due before anybody read', async () => {
    await open()
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
})
