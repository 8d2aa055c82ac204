import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { createApp } from '../../../functions/app.ts'
import { runJob } from '../../../functions/jobs.ts'
import { jsonLog } from '../../../functions/json-log.ts'
import { objectKeys, recordKeys, urlPaths } from '../../../functions/keys.ts'
import { localPlatform } from '../../../functions/local/platform.ts'
import { startServer } from '../../../functions/local/server.ts'
import type { Platform } from '../../../functions/platform.ts'
import { withdrawPost } from '../../../functions/posts/withdraw.ts'
import { normaliseAddress } from '../../../functions/subscribers/address.ts'
import { requestSubscription } from '../../../functions/subscribers/subscribe.ts'
import { tick } from '../../../functions/tick.ts'
import {
  recipientOf,
  type ScratchPlatform,
  scratchPlatform,
  scratchSettings,
} from '../../support/scratch-platform.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'

let platform: ScratchPlatform | undefined
afterEach(async () => {
  await platform?.close()
  platform = undefined
})

/** The service on a data folder: server, worker and clock, going by a clock that starts at an instant. */
async function startAt(data: string, instant: string) {
  const offset = Date.parse(instant) - Date.now()
  const local = await localPlatform({
    data,
    settings: scratchSettings(),
    log: jsonLog({ level: 'silent' }),
    now: () => new Date(Date.now() + offset),
  })
  const server = await startServer({
    platform: local,
    app: createApp(local),
    host: '127.0.0.1',
    port: 0,
  })
  let isStopped = false
  const stop = async () => {
    if (!isStopped) await server.stop()
    isStopped = true
  }
  onTestFinished(stop)
  return { local, stop }
}

const recipients = (data: string) =>
  readdirSync(join(data, 'outbox'))
    .filter((name) => name.endsWith('.eml'))
    .map((name) => recipientOf(readFileSync(join(data, 'outbox', name), 'utf8')))
    .sort()

async function runsOf({ records }: Pick<Platform, 'records'>) {
  const page = await records.query<{ id: string; state: string }>(recordKeys.runsByDue, {
    index: true,
  })
  return page.records.map(({ value }) => `${value.id} ${value.state}`)
}

describe('a run that was missed', () => {
  it('comes by itself, once, when a service that stood still for 26 hours starts again', {
    timeout: 60_000,
  }, async () => {
    const data = temporaryFolder()
    const first = await startAt(data, '2026-03-02T07:00:00Z')
    await confirmReader(first.local, 'ada@example.org')
    await confirmReader(first.local, 'bob@example.org', { cadence: 'weekly', day: 'wed' })
    await publishArticle(first.local, { published: '2026-03-02T06:00:00Z' })
    await expect.poll(() => first.local.records.get(recordKeys.clock)).toBeDefined()
    await first.stop()
    expect(recipients(data)).toEqual([])

    // The clock beats when the server starts, and the worker takes what it finds.
    const second = await startAt(data, '2026-03-03T09:00:00Z')
    await expect.poll(() => recipients(data)).toEqual(['ada@example.org'])
    await expect.poll(() => runsOf(second.local)).toEqual(['daily-0800-UTC_20260303T080000Z done'])
    await second.stop()

    const third = await startAt(data, '2026-03-03T09:05:00Z')
    await expect
      .poll(async () => {
        const clock = await third.local.records.get<{ at: string }>(recordKeys.clock)
        return (clock?.value.at ?? '') >= '2026-03-03T09:05'
      })
      .toBe(true)
    expect(await runsOf(third.local)).toHaveLength(1)
    await third.stop()
    expect(recipients(data)).toEqual(['ada@example.org'])
  })

  it('is made once by ticks that overlap, by ticks that are repeated, and by a clock that jumps', async () => {
    platform = await scratchPlatform({ now: '2026-03-02T07:00:00Z' })
    const scratch = platform
    await tick(scratch)
    await confirmReader(scratch, 'ada@example.org')
    await publishArticle(scratch, { published: '2026-03-02T06:00:00Z' })
    scratch.setNow('2026-03-02T08:00:30Z')
    await Promise.all([tick(scratch), tick(scratch), tick(scratch)])
    await Promise.all([scratch.settle(), scratch.settle()])
    for (const instant of [
      '2026-03-02T08:01:00Z',
      '2026-03-01T08:01:00Z',
      '2026-03-01T08:05:00Z',
      '2026-03-02T08:01:00Z',
      '2026-03-03T08:01:00Z',
      '2026-03-02T08:02:00Z',
    ]) {
      await tickAt(scratch, instant)
    }
    expect(await scratch.outbox()).toHaveLength(1)
    await publishArticle(scratch, { published: '2026-03-02T06:30:00Z', title: 'Another' })
    await tickAt(scratch, '2026-03-04T08:00:00Z')
    expect((await scratch.outbox()).map(({ to }) => to)).toEqual([
      'ada@example.org',
      'ada@example.org',
    ])
    expect((await runsOf(scratch)).sort()).toEqual([
      'daily-0800-UTC_20260302T080000Z done',
      'daily-0800-UTC_20260303T080000Z skipped',
      'daily-0800-UTC_20260304T080000Z done',
    ])
  })
})

/**
 * A morning with every kind of job in it, one of which is lost: the n-th that is enqueued. Ten minutes
 * of ticks follow. Gives back how many jobs there were.
 */
async function morning(scratch: ScratchPlatform, lost: number): Promise<number> {
  let enqueued = 0
  const { jobs } = scratch
  const service: ScratchPlatform = {
    ...scratch,
    jobs: {
      ...jobs,
      enqueue: async (all, options) => {
        const kept = all.filter(() => enqueued++ !== lost)
        const ids = await jobs.enqueue(kept, options)
        return all.map((_, i) => ids[i] ?? 'lost')
      },
    },
  }
  const work = async () => {
    for (let isDry = false; !isDry; ) {
      isDry = true
      for (const lane of ['urgent', 'work', 'mail'] as const) {
        for (const { job, receipt } of await jobs.receive(lane, { limit: 10, leaseSeconds: 60 })) {
          isDry = false
          await runJob(service, job)
          await jobs.complete(receipt)
        }
      }
    }
  }

  await tick(service)
  await confirmReader(service, 'ada@example.org')
  await confirmReader(service, 'bob@example.org', { cadence: 'instant' })
  await publishArticle(service, { id: 'old', published: '2026-03-01T07:00:00Z', title: 'Before' })
  await publishArticle(service, { id: 'gone', published: '2026-03-01T07:00:00Z', title: 'Gone' })
  await work()
  await requestSubscription(service, {
    email: normaliseAddress('cyd@example.org'),
    preferences: { categories: [], cadence: 'daily', at: '08:00', timeZone: 'UTC', locale: 'en' },
    consent: { source: 'form' },
  })
  await publishArticle(service, { id: 'old', published: '2026-03-01T07:00:00Z', title: 'After' })
  await publishArticle(service, { id: 'letter', mail: 'letter', title: 'A letter' })
  await publishArticle(service, { id: 'due', published: '2026-03-02T08:00:00Z', title: 'Due' })
  const gone = await publishArticle(service, { id: 'gone', title: 'Gone again' })
  await withdrawPost(service, gone)
  await work()
  for (let minute = 0; minute <= 10; minute++) {
    scratch.setNow(new Date(Date.parse('2026-03-02T08:00:00Z') + minute * 60_000))
    await tick(service)
    await work()
  }
  return enqueued
}

/** What readers and browsers have in the end. Which of two instant mails held a post is left open. */
async function whatIsThere(scratch: ScratchPlatform): Promise<string[]> {
  const there: string[] = []
  for (const { to, raw } of await scratch.outbox()) {
    const [, body = ''] = /base64\r\n\r\n([\s\S]*?)\r\n--/.exec(raw) ?? []
    const text = Buffer.from(body, 'base64').toString()
    if (text.includes('/confirm/')) there.push(`${to} is asked`)
    // The first was edited, and its mail may be older than that.
    for (const title of [/Before|After/, /A letter/, /Due/]) {
      if (title.test(text)) there.push(`${to} got ${title.source}`)
    }
  }
  const shown = async (what: string, key: string, words: readonly string[]) => {
    const text = Buffer.from((await scratch.objects.get(key))?.body ?? '').toString()
    there.push(`${what}: ${words.filter((word) => text.includes(word)).join()}`)
  }
  const titles = ['Before', 'After', 'A letter', 'Due', 'Gone']
  await shown('feed', objectKeys.feed('*', 'atom.xml'), titles)
  await shown('front page', objectKeys.page(urlPaths.home), titles)
  for (const slug of ['before', 'a-letter', 'due', 'gone']) {
    await shown(`page of ${slug}`, objectKeys.page(urlPaths.post(slug)), titles)
  }
  const { records } = await scratch.records.query(recordKeys.openRuns)
  there.push(`${records.length} runs are open`)
  return there.sort()
}

describe('any one job may be lost', () => {
  it('and all is done within ten minutes all the same', { timeout: 120_000 }, async () => {
    const whole = await scratchPlatform({ now: '2026-03-02T07:00:00Z' })
    const jobs = await morning(whole, -1)
    const expected = await whatIsThere(whole)
    await whole.close()
    expect(jobs).toBeGreaterThan(20)
    expect(expected).toContain('page of before: After')
    expect(expected).toContain('page of gone: ')
    for (let lost = 0; lost < jobs; lost++) {
      const scratch = await scratchPlatform({ now: '2026-03-02T07:00:00Z' })
      await morning(scratch, lost)
      expect(await whatIsThere(scratch), `job ${lost} is lost`).toEqual(expected)
      await scratch.close()
    }
  })
})
