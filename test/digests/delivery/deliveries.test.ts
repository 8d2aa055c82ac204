import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  listDeliveries,
  listDeliveriesOf,
} from '../../../functions/digests/delivery/list-deliveries.ts'
import { noteAccepted } from '../../../functions/digests/feedback/evidence.ts'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import { retryRun } from '../../../functions/digests/runs/control-run.ts'
import type { Delivery, Run } from '../../../functions/digests/runs/run.ts'
import { getRun, rowsOf } from '../../../functions/digests/runs/run-store.ts'
import { getSubscriber } from '../../../functions/subscribers/store.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
afterEach(() => platform.close())

const morning = '2026-03-02T08:00:00Z'
const runId = 'daily-0800-UTC_20260302T080000Z'

/** Readers with a post each is owed, the evening before the run. */
async function start(emails: string[], options: { hasEvidence?: boolean } = {}) {
  mailer = scriptedMailer(options)
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  const ids = []
  for (const email of emails) ids.push(await confirmReader(platform, email))
  await publishArticle(platform, { title: 'Post A' })
  return ids
}

const run = async (id = runId) => (await getRun(platform, id))?.value as Run
const row = async (reader = '', id = runId) =>
  (await rowsOf(platform, id, 0)).get(reader) as Delivery
const received = (email: string) => mailer.sent.filter(({ to }) => to === email).length

describe('a delivery that is refused', () => {
  it('for now is listed as pending with its tries and the last reason', async () => {
    const [ada = '', bob = ''] = await start(['ada@example.org', 'bob@example.org'])
    mailer.answer = ({ to }) =>
      to.startsWith('ada')
        ? { status: 'deferred', reason: '451 4.7.1 later', retryAfterSeconds: 60 }
        : undefined
    await tickAt(platform, morning)
    for (const time of ['08:10', '08:30']) await tickAt(platform, `2026-03-02T${time}:00Z`)
    const listed = async (state?: 'pending') =>
      (await listDeliveries(platform, await run(), { limit: 10, state })).items
    const [pending, ...others] = await listed('pending')
    expect(others).toEqual([])
    expect(pending).toMatchObject({
      subscriberId: ada,
      state: 'pending',
      reason: '451 4.7.1 later',
    })
    expect(pending?.attempts).toBeGreaterThan(1)
    expect(pending).toEqual((await listDeliveriesOf(platform, ada, { limit: 10 })).items[0])
    const all = await listed()
    expect(all.find(({ subscriberId }) => subscriberId === ada)).toEqual(pending)
    expect(all.find(({ subscriberId }) => subscriberId === bob)).toMatchObject({ attempts: 1 })
  })

  it('for good gives its posts back, and `retry` sends what is still owed of it', async () => {
    const [ada = ''] = await start(['ada@example.org', 'bob@example.org'])
    mailer.answer = ({ to }) =>
      to.startsWith('ada') ? { status: 'rejected', reason: '554 no thanks' } : undefined
    await tickAt(platform, morning)
    expect(await row(ada)).toMatchObject({ outcome: 'failed', reason: '554 no thanks', try: 0 })
    expect((await getSubscriber(platform, ada))?.value.watermark).toBe(0)
    expect((await run()).state).toBe('done')
    expect(await countsOf(platform, await run())).toMatchObject({ accepted: 1, failed: 1 })

    mailer.answer = () => undefined
    await retryRun(platform, runId)
    expect(await countsOf(platform, await run())).toMatchObject({
      accepted: 1,
      failed: 0,
      pending: 1,
    })
    await platform.settle()
    expect(await row(ada)).toMatchObject({ outcome: 'accepted', try: 1 })
    expect((await run()).state).toBe('done')
    expect(await countsOf(platform, await run())).toMatchObject({ candidates: 2, accepted: 2 })
    expect([received('ada@example.org'), received('bob@example.org')]).toEqual([1, 1])
  })

  it('for good comes with the next digest, and a late `retry` finds nothing owed any more', async () => {
    const [ada = ''] = await start(['ada@example.org'])
    mailer.answer = () => ({ status: 'rejected', reason: 'no' })
    await tickAt(platform, morning)
    mailer.answer = () => undefined
    await tickAt(platform, '2026-03-03T08:00:00Z')
    expect(received('ada@example.org')).toBe(1)
    await retryRun(platform, runId)
    await platform.settle()
    expect(received('ada@example.org')).toBe(1)
    expect(await row(ada)).toMatchObject({ outcome: 'empty', try: 1 })
    expect(await countsOf(platform, await run())).toMatchObject({ candidates: 1, empty: 1 })
  })

  it('because of its address stops all further mail to it', async () => {
    const [ada = ''] = await start(['ada@example.org'])
    mailer.answer = () => ({ status: 'rejected', reason: '550 5.1.1', address: true })
    await tickAt(platform, morning)
    expect((await getSubscriber(platform, ada))?.value).toMatchObject({
      state: 'suppressed',
      reason: 'hard-bounce',
    })
  })

  it('for now is tried again with growing pauses, under the same id', async () => {
    const [ada = ''] = await start(['ada@example.org'])
    const asked: string[] = []
    mailer.answer = ({ deliveryId }) => {
      asked.push(deliveryId)
      return asked.length > 3
        ? undefined
        : { status: 'deferred', reason: 'greylisted', retryAfterSeconds: 1, address: true }
    }
    await tickAt(platform, morning)
    const waits: number[] = []
    for (let minute = 1; received('ada@example.org') === 0 && minute < 120; minute++) {
      const before = asked.length
      await tickAt(platform, new Date(Date.parse(morning) + minute * 60_000).toISOString())
      if (asked.length > before) waits.push(minute)
    }
    expect(new Set(asked).size).toBe(1)
    expect(waits).toHaveLength(3)
    const [first = 0, second = 0, third = 0] = waits
    expect(third - second).toBeGreaterThan(second - first)
    expect(await row(ada)).toMatchObject({ outcome: 'accepted', sends: 4 })
  })

  it('for now beyond the patience fails, and its posts are owed again', async () => {
    const [ada = ''] = await start(['ada@example.org'])
    mailer.answer = () => ({
      status: 'deferred',
      reason: 'mailbox full',
      retryAfterSeconds: 60,
      address: true,
    })
    await tickAt(platform, morning)
    await tickAt(platform, '2026-03-02T20:00:00Z')
    expect((await run()).state).toBe('sending')
    await tickAt(platform, '2026-03-03T07:59:00Z')
    expect(await countsOf(platform, await run())).toMatchObject({ pending: 1 })
    mailer.answer = () => undefined
    await tickAt(platform, '2026-03-03T08:01:00Z')
    await tickAt(platform, '2026-03-03T08:04:00Z')
    expect(received('ada@example.org')).toBe(1)
    expect((await row(ada)).outcome).toMatch(/failed|accepted/)
  })

  it('by a throttle is no failure, and does not spend the other readers’ patience', async () => {
    // A job's time is real time, which a busy machine has less of: here it stands still.
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const emails = Array.from({ length: 60 }, (_, i) => `reader${i}@example.org`)
    await start(emails)
    let asked = 0
    mailer.answer = () => {
      asked++
      return { status: 'deferred', reason: 'Maximum sending rate exceeded', retryAfterSeconds: 5 }
    }
    await tickAt(platform, morning)
    expect(asked).toBeLessThan(40)
    mailer.answer = () => undefined
    for (let minute = 3; minute < 12; minute += 3) {
      await tickAt(platform, new Date(Date.parse(morning) + minute * 60_000).toISOString())
    }
    expect(await countsOf(platform, await run())).toMatchObject({ accepted: 60, failed: 0 })
    expect(mailer.sent).toHaveLength(60)
  })
})

describe('a delivery of which nobody knows whether it went out', () => {
  it('is looked up once its lease has run out', async () => {
    const [ada = ''] = await start(['ada@example.org'])
    mailer.answer = (message) => {
      mailer.sent.push(message)
      return { status: 'unclear', reason: 'connection broke' }
    }
    await tickAt(platform, morning)
    expect(await countsOf(platform, await run())).toMatchObject({ pending: 1 })
    await tickAt(platform, '2026-03-02T08:03:00Z')
    expect(await row(ada)).toMatchObject({ outcome: 'accepted' })
    expect(received('ada@example.org')).toBe(1)
  })

  it('is held as unknown without evidence, and late evidence makes it accepted (failures 10, 13)', async () => {
    const [ada = ''] = await start(['ada@example.org'], { hasEvidence: false })
    mailer.answer = () => ({ status: 'unclear', reason: 'connection broke' })
    await tickAt(platform, morning)
    await tickAt(platform, '2026-03-02T08:03:00Z')
    expect((await run()).state).toBe('done')
    expect(await countsOf(platform, await run())).toMatchObject({ candidates: 1, unknown: 1 })
    // Never sent again by itself, by no later run either.
    mailer.answer = () => undefined
    await tickAt(platform, '2026-03-03T08:00:00Z')
    expect(mailer.sent).toEqual([])

    await noteAccepted(platform, `${runId}_0_${ada}_0`)
    expect(await countsOf(platform, await run())).toMatchObject({ accepted: 1, unknown: 0 })
  })

  it('is accepted when its evidence came just before it was held as unknown (failure 13)', async () => {
    const [ada = ''] = await start(['ada@example.org'], { hasEvidence: false })
    mailer.answer = () => ({ status: 'unclear', reason: 'connection broke' })
    await tickAt(platform, morning)
    let looks = 0
    // The first look found nothing; the event came then and met no row to change.
    mailer.evidence = async () => (looks++ === 0 ? 'cannot tell' : 'accepted')
    await tickAt(platform, '2026-03-02T08:03:00Z')
    expect((await row(ada)).outcome).toBe('accepted')
    expect(await countsOf(platform, await run())).toMatchObject({ accepted: 1, unknown: 0 })
  })

  it('goes out again, visibly, where the publisher prefers a double to a hole', async () => {
    mailer = scriptedMailer({ hasEvidence: false })
    platform = await scratchPlatform({
      now: '2026-03-01T18:00:00Z',
      mailer,
      settings: { mail: { unclear: 'resend' } },
    })
    await tickAt(platform, '2026-03-01T18:00:00Z')
    const ada = await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    mailer.answer = () => ({ status: 'unclear', reason: 'connection broke' })
    await tickAt(platform, morning)
    mailer.answer = () => undefined
    await tickAt(platform, '2026-03-02T08:03:00Z')
    expect(await row(ada)).toMatchObject({ outcome: 'accepted', sends: 2 })
  })

  it('keeps its claim when the clock is set back, and is looked up two minutes later', async () => {
    const [ada = ''] = await start(['ada@example.org'])
    mailer.answer = () => ({ status: 'unclear', reason: 'killed' })
    await tickAt(platform, '2027-03-02T08:00:00Z')
    mailer.answer = () => undefined
    await tickAt(platform, '2026-03-02T08:10:00Z')
    expect(mailer.sent).toEqual([])
    await tickAt(platform, '2026-03-02T08:13:00Z')
    expect(received('ada@example.org')).toBe(1)
    expect((await row(ada, 'daily-0800-UTC_20270302T080000Z')).outcome).toBe('accepted')
  })
})

describe('the books', () => {
  it('say of each reader what became of the run, and of each run who got it', async () => {
    const [ada = '', bob = ''] = await start(['ada@example.org', 'bob@example.org'])
    mailer.answer = ({ to }) =>
      to.startsWith('ada') ? { status: 'rejected', reason: 'no' } : undefined
    await tickAt(platform, morning)
    const all = await listDeliveries(platform, await run(), { limit: 10 })
    expect(all.items.map(({ subscriberId, state }) => [subscriberId, state]).sort()).toEqual(
      [
        [ada, 'failed'],
        [bob, 'accepted'],
      ].sort(),
    )
    const failed = await listDeliveries(platform, await run(), { limit: 10, state: 'failed' })
    expect(failed.items).toEqual([
      {
        id: `${runId}_0_${ada}_0`,
        runId,
        subscriberId: ada,
        state: 'failed',
        attempts: 1,
        reason: 'no',
        at: '2026-03-02T08:00:00.000Z',
      },
    ])
    expect((await listDeliveriesOf(platform, bob, { limit: 10 })).items).toMatchObject([
      { runId, state: 'accepted', attempts: 1 },
    ])
  })

  it('page through a run without a gap', async () => {
    await start(Array.from({ length: 23 }, (_, i) => `reader${i}@example.org`))
    await tickAt(platform, morning)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await listDeliveries(platform, await run(), { limit: 5, cursor })
      seen.push(...page.items.map(({ subscriberId }) => subscriberId))
      cursor = page.cursor
    } while (cursor)
    expect(new Set(seen).size).toBe(23)
    expect(seen).toHaveLength(23)
  })

  it('balance at every instant, and agree with what the mail server took', async () => {
    const readers = 300
    await start(Array.from({ length: readers }, (_, i) => `reader${i}@example.org`))
    const seen: number[] = []
    let looks = 0
    mailer.answer = ({ deliveryId }) => {
      const dice = Number.parseInt(deliveryId.slice(-6, -2), 16) % 10
      if (dice === 0) return { status: 'rejected', reason: 'no' }
      if (dice === 1)
        return { status: 'deferred', reason: 'wait', retryAfterSeconds: 60, address: true }
      if (dice === 2) return { status: 'unclear', reason: 'broke' }
      return undefined
    }
    const look = async () => {
      for (;;) {
        const current = (await getRun(platform, runId))?.value
        if (current) {
          const { candidates, ...parts } = await countsOf(platform, current)
          const sum = Object.values(parts).reduce((a, b) => a + b, 0)
          expect(sum).toBe(candidates)
          expect(parts.accepted).toBeLessThanOrEqual(mailer.sent.length)
          expect(parts.accepted).toBeGreaterThanOrEqual(seen.at(-1) ?? 0)
          seen.push(parts.accepted)
          looks++
          if (isOver) return
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    let isOver = false
    const looking = look()
    for (let minute = 0; minute < 200; minute += 4) {
      if (minute === 40) mailer.answer = () => undefined
      await tickAt(platform, new Date(Date.parse(morning) + minute * 60_000).toISOString())
    }
    isOver = true
    await looking
    const counts = await countsOf(platform, await run())
    expect(counts.candidates).toBe(readers)
    expect(counts.accepted).toBe(mailer.sent.length)
    expect(counts.pending + counts.unknown).toBe(0)
    expect(new Set(mailer.sent.map(({ to }) => to)).size).toBe(mailer.sent.length)
    expect(looks).toBeGreaterThan(10)
  })
})
