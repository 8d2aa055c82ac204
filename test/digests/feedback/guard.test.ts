import { afterEach, describe, expect, it } from 'vitest'
import { mostInFlight } from '../../../functions/digests/delivery/deliver-all.ts'
import { countTrouble } from '../../../functions/digests/feedback/guard.ts'
import { noteFeedback } from '../../../functions/digests/feedback/note-feedback.ts'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import { resumeRun, retryRun } from '../../../functions/digests/runs/control-run.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun, putBook, putRun } from '../../../functions/digests/runs/run-store.ts'
import { runJob } from '../../../functions/jobs.ts'
import type { OutgoingMessage, RecordStore } from '../../../functions/platform.ts'
import { tick } from '../../../functions/tick.ts'
import { noted } from '../../subscribers/readers-platform.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { aRun } from '../delivery/ledger-world.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
afterEach(() => platform.close())

const morning = '2026-03-02T08:00:00Z'
const runId = 'daily-0800-UTC_20260302T080000Z'
const run = async () => (await getRun(platform, runId))?.value as Run

/** Readers who are owed a post, the evening before the run. */
async function start(
  readers: number,
  mail: { guard?: { bounces?: number; complaints?: number } } = {},
) {
  mailer = scriptedMailer()
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer, settings: { mail } })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  for (let i = 0; i < readers; i++) await confirmReader(platform, `reader${i}@example.org`)
  await publishArticle(platform, { title: 'Post A' })
}

/** Every so manieth mail of those asked for is refused, as nobody is there. */
function bounceEvery(n: number) {
  let asked = 0
  mailer.answer = () =>
    ++asked % n === 0 ? { status: 'rejected', reason: '550 5.1.1 no', address: true } : undefined
}

/** So many of the mails that went out come back later. */
async function tell(kind: 'hard-bounce' | 'complaint', mails: readonly OutgoingMessage[]) {
  for (const { deliveryId } of mails) await noteFeedback(platform, { kind, deliveryId })
}

/** Holds the run after so many mails, as if it were still going on. */
async function holdAfter(mails: number) {
  mailer.answer = () =>
    mailer.sent.length < mails
      ? undefined
      : { status: 'deferred', reason: 'busy', retryAfterSeconds: 60 }
  await tickAt(platform, morning)
  expect(mailer.sent).toHaveLength(mails)
  expect((await run()).state).toBe('sending')
}

describe('a run whose mails bounce', () => {
  it('pauses itself once 200 mails show it, says so, and stops', async () => {
    await start(700)
    // 3.3 %.
    bounceEvery(30)
    await tickAt(platform, morning)
    const paused = await run()
    expect(paused.state).toBe('paused')
    expect(paused.reason).toMatch(
      /^Paused by itself: \d+ of \d+ mails bounced \([23](\.\d\d?)? %; the limit is 2\.5 %\)\. /,
    )
    const { accepted, failed, pending } = await countsOf(platform, paused)
    expect(accepted + failed).toBeGreaterThanOrEqual(200)
    // The sample, up to the next bounce, and what a process may have in flight meanwhile.
    expect(accepted + failed).toBeLessThanOrEqual(200 + 30 + mostInFlight)
    expect(pending).toBe(700 - accepted - failed)
  })

  it('goes on when it is resumed, and is not paused again by the same bounces', async () => {
    await start(700)
    bounceEvery(30)
    await tickAt(platform, morning)
    const before = mailer.sent.length
    // From here on 2 % bounce.
    bounceEvery(50)
    await resumeRun(platform, runId)
    await platform.settle()
    expect((await run()).state).toBe('done')
    expect(mailer.sent.length).toBeGreaterThan(before)
    const counts = await countsOf(platform, await run())
    expect(counts.accepted + counts.failed).toBe(700)
  })

  it('pauses itself again when as many bounce after that', async () => {
    await start(700)
    bounceEvery(30)
    await tickAt(platform, morning)
    await resumeRun(platform, runId)
    await platform.settle()
    const again = await run()
    expect(again.state).toBe('paused')
    expect(again.reason).toContain('mails bounced since it was let go on (')
  })

  it('goes to its end below the limit, and in a list too short to tell', async () => {
    await start(450)
    bounceEvery(45)
    await tickAt(platform, morning)
    expect((await run()).state).toBe('done')
    await platform.close()
    await start(150)
    bounceEvery(10)
    await tickAt(platform, morning)
    expect((await run()).state).toBe('done')
  })

  it('pauses itself at 200 mails when all its bounces came before those', async () => {
    await start(450)
    let asked = 0
    mailer.answer = () =>
      ++asked <= 150 && asked % 2 === 0
        ? { status: 'rejected', reason: '550 5.1.1 no', address: true }
        : undefined
    await tickAt(platform, morning)
    expect(await run()).toMatchObject({
      state: 'paused',
      reason: expect.stringMatching(/^Paused by itself: 75 of 2\d\d mails bounced \(/),
    })
    const { accepted, failed } = await countsOf(platform, await run())
    expect(accepted + failed).toBeLessThanOrEqual(200 + 25 + mostInFlight)
    await resumeRun(platform, runId)
    await platform.settle()
    expect((await run()).state).toBe('done')
  })

  it('hears of bounces that come later, each once', async () => {
    await start(300)
    await holdAfter(240)
    await tell('hard-bounce', [...mailer.sent.slice(0, 5), ...mailer.sent.slice(0, 5)])
    await tell('hard-bounce', mailer.sent.slice(0, 5))
    expect((await run()).state).toBe('sending')
    await tell('hard-bounce', mailer.sent.slice(5, 6))
    expect(await run()).toMatchObject({
      state: 'paused',
      reason:
        'Paused by itself: 6 of 240 mails bounced (2.5 %; the limit is 2.5 %). Find out why, then resume the run.',
    })
  })

  it('is over and stays over', async () => {
    await start(300)
    await tickAt(platform, morning)
    await tell('hard-bounce', mailer.sent)
    expect((await run()).state).toBe('done')
  })

  it('begins to count anew when its failed deliveries are tried again', async () => {
    await start(300)
    mailer.answer = ({ to }) =>
      /[05]@/.test(to) ? { status: 'rejected', reason: '554 no' } : undefined
    await tickAt(platform, morning)
    await tell('hard-bounce', mailer.sent.slice(0, 40))
    await retryRun(platform, runId)
    expect((await run()).guard).toEqual({ from: { bounces: 40, complaints: 0, deliveries: 240 } })
    await platform.settle()
    expect((await run()).state).toBe('done')
  })
})

describe('a run whose readers complain', () => {
  it('pauses itself at the third complaint, not at the second', async () => {
    await start(100)
    await holdAfter(50)
    await tell('complaint', [...mailer.sent.slice(0, 2), ...mailer.sent.slice(0, 2)])
    expect((await run()).state).toBe('sending')
    await tell('complaint', mailer.sent.slice(2, 3))
    expect(await run()).toMatchObject({
      state: 'paused',
      reason:
        'Paused by itself: 3 of 50 mails were reported as spam (6 %; the limit is 0.08 %). Find out why, then resume the run.',
    })
    await resumeRun(platform, runId)
    await tell('complaint', mailer.sent.slice(0, 5))
    expect((await run()).state).toBe('sending')
    await tell('complaint', mailer.sent.slice(5, 6))
    expect((await run()).state).toBe('paused')
  })

  it('goes by the publisher’s own limits', async () => {
    await start(300, { guard: { bounces: 50, complaints: 2 } })
    await holdAfter(250)
    await tell('hard-bounce', mailer.sent.slice(0, 100))
    await tell('complaint', mailer.sent.slice(100, 104))
    expect((await run()).state).toBe('sending')
    await tell('complaint', mailer.sent.slice(104, 105))
    expect((await run()).reason).toContain('5 of 250 mails were reported as spam (2 %;')
  })
})

describe('the count', () => {
  it('is held against the books no more often than a limit could have been passed', async () => {
    await start(0)
    const big = aRun({ id: 'big', chunks: 1 })
    const accepted = 1_000_000
    const counted = { gen: 0, accepted, suppressed: 0, empty: 0, failed: [], unknown: [], open: [] }
    await putRun(platform, big, { ifAbsent: true })
    await putBook(platform, big, 0, { readers: accepted, counted }, { ifAbsent: true })
    let looks = 0
    const query: RecordStore['query'] = (partition, options) => {
      if (options?.from?.startsWith('book#')) looks++
      return platform.records.query(partition, options)
    }
    const watched = { ...platform, records: { ...platform.records, query } }
    const complain = (i: number) =>
      countTrouble(watched, 'big', String(i).padStart(32, '0'), 'complaints')
    for (let i = 1; i < 800; i++) await complain(i)
    expect((await getRun(platform, 'big'))?.value.state).toBe('sending')
    await complain(800)
    expect((await getRun(platform, 'big'))?.value.state).toBe('paused')
    // At the third complaint, and at the 800th, which makes 0.08 %.
    expect(looks).toBe(2)
  })

  it('costs a mail that goes well nothing', async () => {
    await start(3)
    platform.setNow(morning)
    const watched = noted(platform)
    await tick(watched.platform)
    for (const job of await platform.jobs.receive('work', { limit: 10, leaseSeconds: 60 })) {
      await runJob(watched.platform, job.job)
    }
    for (const job of await platform.jobs.receive('mail', { limit: 10, leaseSeconds: 60 })) {
      await runJob(watched.platform, job.job)
    }
    expect(mailer.sent).toHaveLength(3)
    expect(watched.writes.filter((write) => /troubles|"(bounces|complaints)"/.test(write))).toEqual(
      [],
    )
  })
})
