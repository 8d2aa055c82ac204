import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { answerBatch } from '../../functions/aws/batch.ts'
import { handlerFor as clockHandlerFor } from '../../functions/aws/clock.lambda.ts'
import { handlerFor as feedbackHandlerFor } from '../../functions/aws/feedback.lambda.ts'
import { handlerFor as jobsHandlerFor } from '../../functions/aws/jobs.lambda.ts'
import type { AwsPlatform } from '../../functions/aws/platform.ts'
import { handlerFor as webHandlerFor } from '../../functions/aws/web.lambda.ts'
import type { RecordKey } from '../../functions/platform.ts'
import { type AwsServers, scratchAwsPlatform } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { functionUrlEvent, responseOf } from '../support/aws/function-url-event.ts'

let servers: AwsServers
beforeAll(async () => {
  servers = await startAwsServers()
})
afterAll(() => servers.close())
afterEach(() => vi.useRealTimers())

/** The platform with parts of its own in place of some. */
async function open(over: (platform: AwsPlatform) => Partial<AwsPlatform> = () => ({})) {
  const { outbox: _, ...scratch } = await scratchAwsPlatform(servers)
  const platform = scratch as unknown as AwsPlatform
  const lines = (event: string): Record<string, unknown>[] =>
    scratch.logged.map((line) => JSON.parse(line)).filter((line) => line.event === event)
  return { platform: { ...platform, ...over(platform) }, lines, logged: scratch.logged }
}

const message = (messageId: string, job: object) => ({
  messageId,
  body: JSON.stringify({ id: `job-${messageId}`, job }),
})
const isOfRun = ({ partition, sort }: RecordKey) => `${partition} ${sort}`.includes('run-1')

/** Of a function that is stopped after a minute, as all but `web` are. */
const context = { awsRequestId: 'call-1', getRemainingTimeInMillis: () => 60_000 }
const failuresOf = (...ids: string[]) => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
})

describe('a job that hangs', () => {
  it('comes again alone, told before the function is stopped', async () => {
    let hanging = 0
    const { platform, lines } = await open(({ records }) => ({
      records: {
        ...records,
        get: (key) => {
          if (!isOfRun(key)) return records.get(key)
          hanging++
          return new Promise(() => {})
        },
      },
    }))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const refused = JSON.stringify({ detail: { object: { key: 'inbox/rejected/a.md' } } })
    let isAnswered = false
    const answer = jobsHandlerFor(platform)(
      {
        Records: [
          message('hangs', { kind: 'plan', runId: 'run-1' }),
          { messageId: 'poison', body: 'poison' },
          { messageId: 'done', body: refused },
        ],
      },
      context,
    )
    answer.then(() => {
      isAnswered = true
    })
    while (!hanging) await new Promise((resolve) => setImmediate(resolve))
    await vi.advanceTimersByTimeAsync(45_000)
    expect(isAnswered).toBe(false)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await answer).toEqual(failuresOf('hangs', 'poison'))
    expect(lines('message.failed')).toMatchObject([
      { message: 'poison' },
      { message: 'hangs', error: { message: expect.stringContaining('not done in the time') } },
    ])
  })

  it.each([
    ['feedback', feedbackHandlerFor],
    ['jobs', jobsHandlerFor],
  ])('%s: goes by the time that Lambda leaves', async (_, handlerFor) => {
    const { platform } = await open(({ records }) => ({
      records: { ...records, get: () => new Promise(() => {}) },
    }))
    const event = {
      eventType: 'Send',
      mail: { messageId: 'x', tags: { delivery: [`run-1_0_${'0'.repeat(32)}_0`] } },
    }
    const body = JSON.stringify({ id: 'x', job: { kind: 'plan', runId: 'r' }, ...event })
    const timeIsUp = { getRemainingTimeInMillis: () => 0 }
    const answer = await handlerFor(platform)({ Records: [{ messageId: 'm', body }] }, timeIsUp)
    expect(answer).toEqual(failuresOf('m'))
  })

  it('leaves no timer behind when all is done in time', async () => {
    const { platform } = await open()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const run = async () => {}
    for (const Records of [[], [{ messageId: 'm', body: '' }]]) {
      expect(await answerBatch(platform, { Records }, { run }, context)).toEqual(failuresOf())
    }
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a line of the log', () => {
  const broken = () => {
    throw new Error('the table is away')
  }

  it('of a request bears the id of the call that Lambda knows it by', async () => {
    const { platform, lines } = await open(({ records }) => ({
      records: { ...records, query: broken },
    }))
    const answer = webHandlerFor(platform)
    const call = async (awsRequestId: string) =>
      responseOf(await answer(await functionUrlEvent('/subscribe'), { awsRequestId }))
    const [first, second] = await Promise.all([call('call-1'), call('call-2')])
    expect([first.status, second.status]).toEqual([500, 500])
    const failed = lines('request.failed').map(({ request, route }) => [request, route])
    expect(failed.toSorted()).toEqual([
      ['call-1', '/subscribe'],
      ['call-2', '/subscribe'],
    ])
  })

  it('of a job bears its message, its id, its kind and its run, however deep it is written', async () => {
    const { platform, lines } = await open(({ records }) => ({
      records: { ...records, get: async (key) => (isOfRun(key) ? broken() : records.get(key)) },
    }))
    const inbox = { detail: { object: { key: 'inbox/photo.png' } } }
    await platform.objects.put('inbox/photo.png', new Uint8Array(1), { contentType: 'image/png' })
    await jobsHandlerFor(platform)(
      {
        Records: [
          message('m1', { kind: 'deliver', runId: 'run-1', chunk: 0 }),
          message('m2', { kind: 'no such job' }),
          { messageId: 'm3', body: JSON.stringify(inbox) },
        ],
      },
      context,
    )
    const failed = lines('message.failed')
    const of = (id: string) => failed.find((line) => line.message === id)
    expect(of('m1')).toMatchObject({
      request: 'call-1',
      message: 'm1',
      job: 'job-m1',
      kind: 'deliver',
      run: 'run-1',
    })
    expect(of('m2')).toMatchObject({ request: 'call-1', job: 'job-m2', kind: 'no such job' })
    expect(of('m2')).not.toHaveProperty('run')
    expect(lines('inbox.rejected')).toMatchObject([{ request: 'call-1', message: 'm3' }])
  })

  it('of a tick bears the id of its call', async () => {
    const { platform, lines } = await open()
    await clockHandlerFor(platform)(context)
    expect(lines('tick')).toMatchObject([{ request: 'call-1' }])
  })
})
