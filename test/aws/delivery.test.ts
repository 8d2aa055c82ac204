import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { handlerFor as clockHandlerFor } from '../../functions/aws/clock.lambda.ts'
import { handlerFor as jobsHandlerFor } from '../../functions/aws/jobs.lambda.ts'
import { awsPlatform } from '../../functions/aws/platform.ts'
import { lanes } from '../../functions/aws/sqs-job-queue.ts'
import { listDeliveries } from '../../functions/digests/delivery/list-deliveries.ts'
import { countsOf } from '../../functions/digests/runs/books.ts'
import type { Run } from '../../functions/digests/runs/run.ts'
import { getRun } from '../../functions/digests/runs/run-store.ts'
import { confirmReader, publishArticle } from '../digests/newsroom.ts'
import { type ScratchAwsPlatform, scratchAwsPlatform } from '../support/aws/aws-platform.ts'
import { startGatedServers } from '../support/aws/gated-servers.ts'
import { mortalClients } from '../support/aws/mortal-clients.ts'

const isLong = Boolean(process.env.BROADSHEET_LONG_TESTS)
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const settings = { mail: { from: 'The Gazette <news@news.example>' } }

let servers: Awaited<ReturnType<typeof startGatedServers>>
beforeAll(async () => {
  servers = await startGatedServers()
  // No limits: here the ledger is tried, and the pace would follow the real clock.
  servers.ses.setQuota({ rate: undefined, day: -1 })
})
afterEach(() => expect(servers.gate.takeFaults()).toEqual([]))
afterAll(() => servers.close())

/** Daily readers at eight, the evening before; SES's mails and events from here on. */
async function open(readers: number) {
  const platform = await scratchAwsPlatform(servers, { settings, now: '2026-03-01T18:00:00Z' })
  const first = servers.ses.mails.length
  await platform.doorways.clock()
  for (let i = 0; i < readers; i++) await confirmReader(platform, `reader-${i}@example.org`)

  const mails = () => servers.ses.mails.slice(first)
  const tell = async (...deliveries: string[]) => {
    const Records = deliveries.map((delivery, i) => ({
      messageId: `m${i}`,
      body: JSON.stringify({
        eventType: 'Send',
        mail: { messageId: `of ${delivery}`, tags: { delivery: [delivery] } },
      }),
    }))
    expect(await platform.doorways.feedback({ Records })).toEqual({ batchItemFailures: [] })
  }
  /** The clock's minute and all jobs that follow from it. */
  const at = async (instant: string) => {
    platform.setNow(instant)
    await platform.doorways.clock()
    await platform.settle()
  }
  const books = async (id: string) => countsOf(platform, (await getRun(platform, id))?.value as Run)
  const idsOf = () => mails().map(({ tags }) => tags.delivery ?? '')
  const publish = (title: string) => publishArticle(platform, { title })
  return { platform, publish, mails, tell, at, books, idsOf }
}

const runOf = (day: string) => `daily-0800-UTC_202603${day}T080000Z`

/** Every second one first, and each twice: late, doubled and out of order. */
function disorderly(ids: readonly string[]): string[] {
  const odd = ids.filter((_, i) => i % 2)
  const even = ids.filter((_, i) => i % 2 === 0).reverse()
  return [...odd, ...even, ...odd]
}

describe('an answer of SES that is lost after the mail was taken', () => {
  it.each([
    { percent: 1, lost: 1 },
    { percent: 10, lost: 10 },
    { percent: 100, lost: 100 },
  ])(
    'is made good by its event; of $percent % dropped events exactly as many deliveries stay unknown, and none is sent again',
    async ({ lost }) => {
      const readers = 100
      const { platform, publish, tell, at, books, idsOf } = await open(readers)
      await publish('Post A')
      await platform.settle()
      const run = runOf('02')
      const once = () => {
        const ids = idsOf()
        expect(new Set(ids).size).toBe(ids.length)
        return ids
      }

      servers.ses.failNext(
        ...Array.from({ length: readers }, () => ({ kind: 'accept-and-drop' }) as const),
      )
      await at('2026-03-02T08:00:00Z')
      const ids = once()
      expect(ids).toHaveLength(readers)
      expect(await books(run)).toMatchObject({ candidates: readers, pending: readers })
      const told = ids.slice(lost)

      // Leases have run out, and evidence can still come: nothing is sent, nothing is judged.
      await at('2026-03-02T08:03:00Z')
      expect(once()).toHaveLength(readers)
      expect(await books(run)).toMatchObject({ candidates: readers, pending: readers })
      const half = Math.floor(told.length / 2)
      await tell(...disorderly(told.slice(0, half)))
      await at('2026-03-02T08:06:00Z')
      expect(await books(run)).toMatchObject({ accepted: half, pending: readers - half })
      await tell(...disorderly(told.slice(half)))
      await at('2026-03-02T08:09:00Z')
      expect(await books(run)).toMatchObject({ accepted: told.length, unknown: 0, pending: lost })

      await at('2026-03-02T08:11:00Z')
      expect(await books(run)).toEqual({
        candidates: readers,
        accepted: told.length,
        unknown: lost,
        suppressed: 0,
        failed: 0,
        empty: 0,
        pending: 0,
      })
      expect((await getRun(platform, run))?.value.state).toBe('done')
      const stored = (await getRun(platform, run))?.value as Run
      const unknown = await listDeliveries(platform, stored, { state: 'unknown', limit: 200 })
      expect(unknown.items.map(({ id }) => id).sort()).toEqual(ids.slice(0, lost).sort())

      // Days later it is still held, and the next digest brings what is new, once.
      await publish('Post B')
      await platform.settle()
      await at('2026-03-03T08:00:00Z')
      await at('2026-03-03T08:12:00Z')
      expect(once()).toHaveLength(2 * readers)
      expect(await books(run)).toMatchObject({ unknown: lost })
      expect(await books(runOf('03'))).toMatchObject({ accepted: readers })
      // The event that came after all, by two days.
      await tell(ids[0] ?? '', ids[0] ?? '')
      expect(await books(run)).toMatchObject({ accepted: told.length + 1, unknown: lost - 1 })
      expect(once()).toHaveLength(2 * readers)
    },
  )

  it('is no worry while the event came before it', async () => {
    const { platform, publish, tell, at, books, idsOf } = await open(3)
    await publish('Post A')
    await platform.settle()
    servers.ses.failNext({ kind: 'accept-and-drop' })
    await at('2026-03-02T08:00:00Z')
    const ids = idsOf()
    await tell(...ids)
    await at('2026-03-02T08:03:00Z')
    expect(await books(runOf('02'))).toMatchObject({ candidates: 3, accepted: 3 })
    expect(idsOf()).toEqual(ids)
  })
})

describe('a function that is stopped at any call', () => {
  /** Runs the clock and then the queues dry on a platform that may die; whether it did. */
  async function liveOneDay(
    platform: ScratchAwsPlatform,
    now: Date,
    deathAt: number,
    when: 'before' | 'after',
  ) {
    const mortal = mortalClients(servers, deathAt, when)
    onTestFinished(mortal.close)
    const work = async () => {
      const own = await awsPlatform({
        bucket: platform.bucket,
        table: platform.table,
        queues: platform.queues,
        // A process of its own: nobody else waits for a mail that it was composing.
        settings: { ...platform.settings },
        clients: mortal.clients,
        now: () => now,
        log: { info() {}, warn() {}, error() {} },
      })
      const jobs = jobsHandlerFor(own)
      await clockHandlerFor(own)()
      for (let isDry = false; !isDry; ) {
        isDry = true
        for (const lane of lanes) {
          const QueueUrl = platform.queues[lane]
          const { Messages = [] } = await servers.clients.sqs.send(
            new ReceiveMessageCommand({
              QueueUrl,
              MaxNumberOfMessages: 10,
              VisibilityTimeout: 600,
            }),
          )
          if (Messages.length > 0) isDry = false
          const Records = Messages.map(({ MessageId = '', Body = '' }) => ({
            messageId: MessageId,
            body: Body,
          }))
          if (Records.length > 0) await jobs({ Records })
          for (const { ReceiptHandle } of Messages) {
            await servers.clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
          }
        }
      }
      return false
    }
    const isDead = await Promise.race([work(), mortal.died.then(() => true)])
    return { isDead, calls: mortal.calls() }
  }

  it('loses nothing: each reader gets the mail once, or the books say that nobody can tell', {
    timeout: (isLong ? 30 : 5) * minuteMs,
  }, async () => {
    const readers = 3
    const { platform, publish, mails, tell, books } = await open(readers)
    let day = Date.parse('2026-03-02T08:00:00Z')
    const step = isLong ? 1 : 9
    let deathAt = 1
    let deaths = 0
    let unknown = 0
    for (let isOver = false; !isOver; deathAt += step) {
      for (const when of isLong ? (['before', 'after'] as const) : (['after'] as const)) {
        const now = new Date(day)
        platform.setNow(new Date(day - 3_600_000))
        await publish(`Post of ${now.toISOString()}`)
        await platform.settle()
        const before = mails().length
        const { isDead } = await liveOneDay(platform, now, deathAt, when)
        if (isDead) deaths++
        else isOver = true
        const run = `daily-0800-UTC_${now.toISOString().slice(0, 10).replaceAll('-', '')}T080000Z`

        await tell(
          ...mails()
            .slice(before)
            .map(({ tags }) => tags.delivery ?? ''),
        )
        for (const minutes of [3, 6, 11, 14]) {
          platform.setNow(new Date(day + minutes * minuteMs))
          await platform.doorways.clock()
          await platform.settle()
          await tell(
            ...mails()
              .slice(before)
              .map(({ tags }) => tags.delivery ?? ''),
          )
        }
        const sent = mails()
          .slice(before)
          .map(({ tags }) => tags.delivery ?? '')
        const at = `died ${when} call ${deathAt} of the day`
        expect(new Set(sent).size, at).toBe(sent.length)
        const stored = (await getRun(platform, run))?.value as Run
        expect(stored?.state, at).toBe('done')
        const { items } = await listDeliveries(platform, stored, { limit: 100 })
        const states = Object.groupBy(items, ({ state }) => state)
        expect(states.accepted?.map(({ id }) => id).sort() ?? [], at).toEqual([...sent].sort())
        expect((states.accepted?.length ?? 0) + (states.unknown?.length ?? 0), at).toBe(readers)
        expect(await books(run), at).toMatchObject({
          candidates: readers,
          accepted: sent.length,
          unknown: readers - sent.length,
        })
        unknown += readers - sent.length
        day += dayMs
      }
    }
    expect(deaths).toBeGreaterThan(isLong ? 60 : 6)
    console.log(
      `stopped at ${deaths} calls: ${unknown} deliveries unknown, none lost, none doubled`,
    )
  })
})
