import { afterEach, describe, expect, it } from 'vitest'
import { listDeliveries } from '../../../functions/digests/delivery/list-deliveries.ts'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import { retryRun } from '../../../functions/digests/runs/control-run.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import { runJob } from '../../../functions/jobs.ts'
import type { RecordStore } from '../../../functions/platform.ts'
import { getSubscriber } from '../../../functions/subscribers/store.ts'
import type { Cadence, Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { tick } from '../../../functions/tick.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
afterEach(() => platform.close())

const full = {
  status: 'deferred',
  reason: '452 4.2.2 full',
  retryAfterSeconds: 3600,
  address: true,
} as const
const greylisted = { ...full, reason: '450 4.2.0 greylisted', retryAfterSeconds: 300 } as const
const fullForGood = {
  status: 'rejected',
  reason: '552 5.2.2 full',
  address: true,
  soft: true,
} as const
const gone = { status: 'rejected', reason: '550 5.1.1 gone', address: true } as const
const refused = { status: 'rejected', reason: '550 5.7.1 no' } as const
const busy = { status: 'deferred', reason: '421 4.7.0 later', retryAfterSeconds: 60 } as const

async function start(cadence: Cadence = 'daily', emails = ['ada@example.org']) {
  mailer = scriptedMailer()
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  const ids = []
  for (const email of emails) ids.push(await confirmReader(platform, email, { cadence }))
  return ids[0] ?? ''
}

const reader = async (id: string) => (await getSubscriber(platform, id))?.value as Subscriber
const day = (n: number, time = '08:00') => `2026-03-${String(n).padStart(2, '0')}T${time}:00Z`
const runOf = async (n: number) =>
  (await getRun(platform, `daily-0800-UTC_202603${String(n).padStart(2, '0')}T080000Z`))
    ?.value as Run

/** A day of a daily reader's service: a new post, the run, and a look every two hours. */
async function aDay(n: number) {
  await publishArticle(platform, { title: `Post of day ${n}` })
  for (const hour of ['08:00', '10:00', '14:00', '20:00', '23:00'])
    await tickAt(platform, day(n, hour))
}

describe('a mailbox that is full', () => {
  it.each([
    ['for now, each time to the end of patience', full],
    ['for good, each time', fullForGood],
  ])('%s, stops mail to it at the third of five mails', async (_, answer) => {
    const ada = await start()
    mailer.answer = () => answer
    let n = 2
    for (; n < 12 && (await reader(ada)).state === 'confirmed'; n++) await aDay(n)
    expect(await reader(ada)).toMatchObject({ state: 'suppressed', reason: 'soft-bounces' })
    // What is refused for now is known by the time of the next run.
    expect(n - 2).toBe(answer === full ? 4 : 3)
    expect(mailer.sent).toEqual([])
  })

  it('is forgiven when mails get through in between', async () => {
    const ada = await start()
    for (let n = 2; n < 16; n++) {
      mailer.answer = () => (n % 3 === 0 ? fullForGood : undefined)
      await aDay(n)
    }
    expect(await reader(ada)).toMatchObject({ state: 'confirmed', softBounces: [2, 5, 8, 11, 14] })
    // Every post came, if some a day late.
    expect(mailer.sent).toHaveLength(9)
  })

  it('is not suspected where an instant reader’s server only wants to see each mail twice', async () => {
    const ada = await start('instant')
    mailer.answer = () => greylisted
    for (let minute = 0; minute < 10; minute++) {
      platform.setNow(day(2, `09:0${minute}`))
      await publishArticle(platform, { title: `Post ${minute}` })
      await tickAt(platform, day(2, `09:0${minute}`))
    }
    expect(await reader(ada)).toMatchObject({ state: 'confirmed' })
    expect((await reader(ada)).softBounces).toBeUndefined()
    mailer.answer = () => undefined
    for (const time of ['09:20', '09:40', '10:00', '10:20']) await tickAt(platform, day(2, time))
    expect(mailer.sent.length).toBeGreaterThan(0)
  })
})

describe('an address that is gone', () => {
  it('is not mailed again, whatever step the worker died at once it knew', async () => {
    let steps = 0
    for (let dies = 1; ; dies++) {
      const ada = await start()
      await publishArticle(platform, { title: 'Post A' })
      // A worker that dies after the answer: its so manieth write from there on never happens.
      let writes = Number.NEGATIVE_INFINITY
      let asked = 0
      mailer.answer = () => {
        if (asked++ === 0) writes = 0
        return gone
      }
      const mortal = <K extends 'put' | 'delete' | 'add'>(name: K): RecordStore[K] =>
        (async (...args: unknown[]) => {
          if (++writes >= dies) throw new Error('killed')
          return (platform.records[name] as (...args: unknown[]) => unknown)(...args)
        }) as RecordStore[K]
      const records = {
        ...platform.records,
        put: mortal('put'),
        delete: mortal('delete'),
        add: mortal('add'),
      }
      platform.setNow(day(2))
      await tick(platform)
      const work = await platform.jobs.receive('work', { limit: 10, leaseSeconds: 60 })
      for (const { job, receipt } of work) {
        await runJob(platform, job)
        await platform.jobs.complete(receipt)
      }
      const [deliver] = await platform.jobs.receive('mail', { limit: 1, leaseSeconds: 60 })
      const died = await runJob({ ...platform, records }, deliver?.job as never).then(
        () => false,
        () => true,
      )
      const { state, note } = await reader(ada)
      // Once the end is decided nobody looks at it again, so the conclusion must have been drawn.
      if (note?.phase === 'failed') expect(state, `died at ${dies}`).toBe('suppressed')
      const answered = asked
      for (const time of ['08:00', '08:05']) await tickAt(platform, day(3, time))
      // What it did not live to write down is asked once more, and no more than that.
      expect(asked - answered, `died at ${dies}`).toBe(state === 'suppressed' ? 0 : 1)
      expect((await reader(ada)).reason).toBe('hard-bounce')
      steps++
      if (!died) break
      await platform.close()
    }
    expect(steps).toBeGreaterThan(4)
  })
})

describe('a refusal that is not about the address', () => {
  it('fails with its reason, counts for nothing, and its posts come with the next run', async () => {
    const ada = await start()
    await publishArticle(platform, { title: 'Post A' })
    mailer.answer = () => refused
    await tickAt(platform, day(2))
    expect(await countsOf(platform, await runOf(2))).toMatchObject({ failed: 1 })
    expect(await reader(ada)).toMatchObject({ state: 'confirmed', watermark: 0 })
    expect((await reader(ada)).softBounces).toBeUndefined()
    mailer.answer = () => undefined
    await publishArticle(platform, { title: 'Post B' })
    await tickAt(platform, day(3))
    expect(mailer.sent).toHaveLength(1)
    // Nothing is owed of it any more.
    await retryRun(platform, (await runOf(2)).id)
    await platform.settle()
    expect(mailer.sent).toHaveLength(1)
    expect(await countsOf(platform, await runOf(2))).toMatchObject({ failed: 0, empty: 1 })
  })
})

describe('a job that meets only readers who wait', () => {
  it.each([
    ['their mailboxes', full],
    ['the service', busy],
  ])('for %s is done with, and never ends in the dead letters', async (_, answer) => {
    const emails = Array.from({ length: 40 }, (_, i) => `reader${i}@example.org`)
    await start('daily', emails)
    await publishArticle(platform, { title: 'Post A' })
    mailer.answer = () => answer
    platform.setNow(day(2))
    await tick(platform)
    let received = 0
    for (let minute = 0; minute < 120; minute += 2) {
      platform.setNow(new Date(Date.parse(day(2)) + minute * 60_000))
      await tick(platform)
      // As one that was late, or sent twice.
      await platform.jobs.enqueue([{ kind: 'deliver', runId: (await runOf(2)).id, chunk: 0 }])
      for (const lane of ['work', 'mail'] as const) {
        for (;;) {
          const [next] = await platform.jobs.receive(lane, { limit: 1, leaseSeconds: 60 })
          if (!next) break
          expect(next.receives).toBe(1)
          await runJob(platform, next.job)
          await platform.jobs.complete(next.receipt)
          received++
        }
      }
    }
    expect(received).toBeGreaterThan(20)
    expect(await platform.jobs.deadLetters()).toEqual([])
    expect(await countsOf(platform, await runOf(2))).toMatchObject({ pending: 40 })
    mailer.answer = () => undefined
    for (const time of ['12:00', '12:10', '13:00', '14:30']) await tickAt(platform, day(2, time))
    expect(await countsOf(platform, await runOf(2))).toMatchObject({ accepted: 40 })
  })
})

describe('a refusal for now that names neither address nor service', () => {
  const later = {
    status: 'deferred',
    reason: '451 4.7.1 greylisted',
    retryAfterSeconds: 300,
  } as const
  const many = Array.from({ length: 100 }, (_, i) => `reader${i}@example.org`)

  it('of some readers holds up no other; they rest and have theirs later', async () => {
    await start('daily', many)
    const isShy = (to: string) => /^reader\d*7@/.test(to)
    mailer.answer = ({ to }) => (isShy(to) ? later : undefined)
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, day(2))
    expect(mailer.sent).toHaveLength(90)
    mailer.answer = () => undefined
    await tickAt(platform, day(2, '08:02'))
    expect(mailer.sent).toHaveLength(90)
    await tickAt(platform, day(2, '08:10'))
    expect(mailer.sent).toHaveLength(100)
    expect((await runOf(2)).state).toBe('done')
  })

  it('of everybody ends the job after a few', async () => {
    await start('daily', many)
    let asked = 0
    mailer.answer = () => {
      asked++
      return later
    }
    await publishArticle(platform, { title: 'Post A' })
    await tickAt(platform, day(2))
    // Those side by side with the last of them, too.
    expect(asked).toBeLessThanOrEqual(16 + 32)
  })
})

it('those refused together do not come back together, and each waits longer every time', async () => {
  const emails = Array.from({ length: 20 }, (_, i) => `reader${i}@example.org`)
  await start('daily', emails)
  await publishArticle(platform, { title: 'Post A' })
  mailer.answer = () => greylisted
  await tickAt(platform, day(2))
  const pauses = async () => {
    const { items } = await listDeliveries(platform, await runOf(2), { limit: 100 })
    const all = []
    for (const { subscriberId: id } of items) {
      const { note } = await reader(id)
      all.push((Date.parse(note?.retryAfter ?? '') - Date.parse(note?.at ?? '')) / 1000)
    }
    return all
  }
  const first = await pauses()
  expect(new Set(first).size).toBeGreaterThan(10)
  expect(Math.min(...first)).toBeGreaterThanOrEqual(300)
  expect(Math.max(...first)).toBeLessThanOrEqual(420)
  for (const minute of [10, 20, 40, 59]) await tickAt(platform, day(2, `08:${minute}`))
  const later = await pauses()
  expect(Math.min(...later)).toBeGreaterThan(Math.max(...first))
  expect(Math.max(...later)).toBeLessThanOrEqual(1.2 * 3600)
})
