import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { letterJourney } from '../journeys/letter-journey.ts'
import { postJourney } from '../journeys/post-journey.ts'
import { readerJourney } from '../journeys/reader-journey.ts'
import { refusalJourney } from '../journeys/refusal-journey.ts'
import { refusedMailJourney, type ServiceWithProvider } from '../journeys/refused-mail-journey.ts'
import { type OpenService, type RunView, type Service, serviceOn } from '../journeys/service.ts'
import { serviceJourney } from '../journeys/service-journey.ts'
import { scratchAwsPlatform } from '../support/aws/aws-platform.ts'
import { startGatedServers } from '../support/aws/gated-servers.ts'

let servers: Awaited<ReturnType<typeof startGatedServers>>

beforeAll(async () => {
  servers = await startGatedServers()
})
afterEach(() => expect(servers.gate.takeFaults()).toEqual([]))
afterAll(() => servers.close())

/** Requests come as function URL events, jobs from the queues, ticks from the clock. */
async function openPlatform(options: Parameters<OpenService>[0]) {
  const platform = await scratchAwsPlatform(servers, options)
  const { doorways, settle } = platform
  const service = await serviceOn(platform, {
    request: doorways.web,
    afterwards: settle,
    tick: async ({ api }) => {
      const before = new Set((await runsOf(api)).map(({ id }) => id))
      await doorways.clock()
      await settle()
      return { runs: (await runsOf(api)).filter(({ id }) => !before.has(id)) }
    },
  })
  return { service, platform }
}
const openOnAws: OpenService = async (options) => (await openPlatform(options)).service

async function runsOf(api: Service['api']): Promise<RunView[]> {
  const response = await api('GET', '/api/v1/runs')
  return ((await response.json()) as { items: RunView[] }).items
}

const withSender = { mail: { from: 'The Gazette <news@news.example>' } }

const openWithSes: OpenService = (options) =>
  openOnAws({ ...options, settings: { ...options?.settings, ...withSender } })

/** SES refuses at once; what comes back is told by an event. */
async function openWithRefusals(): Promise<ServiceWithProvider> {
  const { service, platform } = await openPlatform({
    now: '2026-03-02T18:00:00Z',
    settings: withSender,
  })
  const before = servers.ses.mails.length
  onTestFinished(() => servers.ses.failFor(() => undefined))
  const refusals = {
    never: ['MessageRejected', 'The message cannot be sent.'],
    later: ['Throttling', 'Daily message quota exceeded.'],
  } as const
  const mails = () => servers.ses.mails.slice(before)
  return {
    service,
    refuse: (rule) =>
      servers.ses.failFor((to) => {
        const said = rule(to)
        if (!said) return undefined
        const [code, message] = refusals[said]
        return { kind: 'error', status: 400, code, message }
      }),
    sent: () =>
      mails().map(({ destinations, raw }) => ({ to: destinations.join(), raw: `${raw}` })),
    comesBack: async (to) => {
      const delivery = mails().find(({ destinations }) => destinations.includes(to))?.tags.delivery
      const body = JSON.stringify({
        eventType: 'Bounce',
        mail: { messageId: 'x', tags: { delivery: [delivery] } },
        bounce: { bounceType: 'Permanent' },
      })
      const told = await platform.doorways.feedback({ Records: [{ messageId: 'm', body }] })
      expect(told).toEqual({ batchItemFailures: [] })
    },
    reason: 'MessageRejected',
  }
}

postJourney('on AWS', openOnAws)
readerJourney('on AWS, mail kept', openOnAws)
readerJourney('on AWS, mail by SES', openWithSes)
letterJourney('on AWS', openOnAws)
serviceJourney('on AWS', openOnAws)
// Each of them is settled here, which takes time.
refusalJourney('on AWS', openOnAws, { requests: 30 })
refusedMailJourney('by SES', openWithRefusals)

describe('mail by SES', () => {
  it('names each delivery by a tag, and goes to one recipient a call', async () => {
    const before = servers.ses.mails.length
    const service = await openWithSes()
    await service.page('/subscribe', {
      email: 'ada@example.org',
      cadence: 'daily',
      at: '08:00',
      timeZone: 'UTC',
    })
    const mails = servers.ses.mails.slice(before)
    expect(mails).toMatchObject([
      { destinations: ['ada@example.org'], source: 'news@news.example' },
    ])
    expect(mails[0]?.tags.delivery).toMatch(/^confirm_[0-9a-f]{32}_/)
  })
})
