import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runSmoke } from '../../cli/smoke/run-smoke.ts'
import type { SmokeTest, StepReport } from '../../cli/smoke/step.ts'
import { listApiKeys, owner } from '../../functions/api/api-keys.ts'
import { createApp } from '../../functions/app.ts'
import { recordKeys } from '../../functions/keys.ts'
import { allSubscribers } from '../../functions/subscribers/list-subscribers.ts'
import {
  type AwsServers,
  type ScratchAwsPlatform,
  scratchAwsPlatform,
} from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { siteServer } from '../support/aws/site-server.ts'

let servers: AwsServers
let site: Awaited<ReturnType<typeof siteServer>>
let platform: ScratchAwsPlatform
/** Seconds that a test waited in all. */
let waited: number
/** What AWS does while somebody waits; a test takes some of it away. */
let works: { jobs: boolean; clock: boolean; events: boolean }
let mails: number
/** Pauses in which something is still to be done: most waiting of a test is for what never comes. */
let busy: number

beforeAll(async () => {
  servers = await startAwsServers()
  site = await siteServer()
})
beforeEach(async () => {
  await deploy('The News <news@news.example>')
})
afterAll(async () => {
  await Promise.all([site.close(), servers.close()])
})

async function deploy(from: string | undefined) {
  platform = await scratchAwsPlatform(servers, {
    settings: { site: { baseUrl: site.url }, ...(from ? { mail: { from } } : {}) },
  })
  serve(platform.doorways.web)
  waited = 0
  works = { jobs: true, clock: true, events: true }
  mails = servers.ses.mails.length
}

/** What the site answers. What is sent there makes work. */
function serve(answer: (path: string, init: RequestInit) => Promise<Response>) {
  site.serve((path, init) => {
    if (init.method === 'POST') busy = 2
    return answer(path, init)
  })
}

/** AWS for so many seconds: the clock, the jobs, and SES's events. */
async function pause(seconds: number) {
  waited += seconds
  platform.advance(seconds * 1000)
  if (busy-- <= 0) return
  if (works.clock) await platform.doorways.clock()
  if (works.jobs) await platform.settle()
  for (const mail of servers.ses.mails.slice(mails)) {
    mails++
    if (works.events) for (const event of eventsOf(mail)) await tell(event)
  }
}

function eventsOf({ destinations, tags, messageId }: AwsServers['ses']['mails'][number]) {
  const mail = { messageId, tags: { delivery: [tags.delivery] } }
  const send = { eventType: 'Send', mail }
  if (destinations[0]?.startsWith('bounce+')) {
    return [send, { eventType: 'Bounce', mail, bounce: { bounceType: 'Permanent' } }]
  }
  if (destinations[0]?.startsWith('complaint+')) return [send, { eventType: 'Complaint', mail }]
  return [send]
}

async function tell(event: object) {
  const answer = await platform.doorways.feedback({
    Records: [{ messageId: 'm', body: JSON.stringify(event) }],
  })
  expect(answer.batchItemFailures).toEqual([])
}

function smoke(more: Partial<SmokeTest> = {}): Promise<StepReport[]> {
  const app = createApp(platform)
  return runSmoke(
    {
      stack: { name: 'Test', address: site.url },
      platform,
      connection: {
        kind: 'stack',
        fetch: async (path, init) => app.request(path, init, owner),
        close: async () => {},
      },
      mark: 'a1b2c3',
      pause,
      ...more,
    },
    () => {},
  )
}
const told = (reports: StepReport[]) => reports.map(({ name, state }) => `${name}: ${state}`)
const failed = (reports: StepReport[]) => reports.find(({ state }) => state === 'failed')

async function expectNothingLeft() {
  await platform.settle()
  const feed = await platform.doorways.web('/feeds/rss.xml')
  expect(await feed.text()).not.toContain('a1b2c3')
  expect(await listApiKeys(platform)).toEqual([])
  expect(await Array.fromAsync(allSubscribers(platform))).toEqual([])
  expect((await platform.objects.list('outbox/')).objects).toEqual([])
}

describe('a deployment that works', () => {
  it('passes every step, mails the simulator alone, and stands as it did before', async () => {
    const reports = await smoke()
    expect(told(reports)).toEqual([
      'site: done',
      'publish: done',
      'render: done',
      'feed: done',
      'clock: done',
      'mail: done',
      'events: done',
      'books: done',
      'withdraw: done',
      'forget: done',
    ])
    expect(reports.find(({ name }) => name === 'events')?.message).toContain('a Send event proved')
    const to = servers.ses.mails.slice(-3).flatMap(({ destinations }) => destinations)
    expect(to.sort()).toEqual(
      ['bounce', 'complaint', 'success'].map(
        (fate) => `${fate}+broadsheet-a1b2c3@simulator.amazonses.com`,
      ),
    )
    await expectNothingLeft()
    expect((await platform.doorways.web('/posts/broadsheet-smoke-test/')).status).toBe(410)
    expect((await platform.records.query(recordKeys.runsByDue, { index: true })).records).toEqual(
      [],
    )
  })

  it('passes again, by the same post', async () => {
    const first = await smoke()
    platform.advance(3_600_000)
    const again = await smoke({ mark: 'd4e5f6' })
    expect([failed(first), failed(again)]).toEqual([undefined, undefined])
    await expectNothingLeft()
  })

  it('without a sender keeps the mails, and says so', async () => {
    await deploy(undefined)
    const reports = await smoke()
    expect(failed(reports)).toBeUndefined()
    expect(reports.find(({ name }) => name === 'mail')?.message).toContain('outbox/')
    expect(told(reports)).toContain('events: skipped')
    await expectNothingLeft()
  })
})

describe('a deployment that does not', () => {
  it.each<[string, string, () => void, RegExp, number]>([
    [
      'does not answer',
      'site',
      () => serve(async () => new Response('', { status: 503 })),
      /ComputeWebLogs/,
      0,
    ],
    [
      'does no jobs',
      'render',
      () => {
        works.jobs = false
      },
      /ComputeJobsLogs/,
      120,
    ],
    [
      'has no clock',
      'clock',
      () => {
        works.clock = false
      },
      /ComputeClockLogs/,
      184,
    ],
    [
      'hears nothing of its mails',
      'events',
      () => {
        works.events = false
      },
      /ComputeFeedbackLogs/,
      310,
    ],
  ])(
    '%s: fails at `%s`, says where to look, takes back what it made',
    async (_, name, spoil, look, most) => {
      spoil()
      const reports = await smoke()
      expect(failed(reports)).toMatchObject({ name, look: expect.stringMatching(look) })
      expect(told(reports).slice(-2)).toEqual(['withdraw: done', 'forget: done'])
      expect(waited).toBeLessThanOrEqual(most)
      works.jobs = true
      serve(platform.doorways.web)
      await expectNothingLeft()
    },
  )

  it('shows a feed at its site that is not the rendered one', async () => {
    serve(async (path, init) =>
      path === '/feeds/rss.xml' ? new Response('<rss/>') : platform.doorways.web(path, init),
    )
    const reports = await smoke()
    expect(failed(reports)).toMatchObject({
      name: 'feed',
      look: expect.stringContaining('curl -i'),
    })
  })

  it('is put off by SES', async () => {
    for (let i = 0; i < 3; i++) {
      servers.ses.failNext({
        kind: 'error',
        status: 400,
        code: 'AccountSendingPausedException',
        message: 'Email sending is disabled',
      })
    }
    const reports = await smoke()
    expect(failed(reports)).toMatchObject({
      name: 'mail',
      message: expect.stringContaining('puts the mails off'),
    })
    await expectNothingLeft()
  })

  it('is left as it was when somebody has had enough', async () => {
    works.jobs = false
    const reports = await smoke({
      pause: async () => {
        throw new Error('interrupted')
      },
    })
    expect(failed(reports)).toMatchObject({ name: 'render', message: 'interrupted' })
    works.jobs = true
    await expectNothingLeft()
  })

  it('keeps what a killed test left until the next one, and no longer', async () => {
    await platform.doorways.clock()
    await expect(
      smoke({
        get mark(): string {
          return 'a1b2c3'
        },
        pause: () => Promise.reject('killed'),
      }),
    ).rejects.toBe('killed')
    expect(failed(await smoke())).toBeUndefined()
    await expectNothingLeft()
  })
})
