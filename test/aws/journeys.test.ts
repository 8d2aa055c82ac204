import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { letterJourney } from '../journeys/letter-journey.ts'
import { postJourney } from '../journeys/post-journey.ts'
import { readerJourney } from '../journeys/reader-journey.ts'
import { type OpenService, type RunView, type Service, serviceOn } from '../journeys/service.ts'
import { type AwsServers, scratchAwsPlatform } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'

let servers: AwsServers

beforeAll(async () => {
  servers = await startAwsServers()
})
afterAll(() => servers.close())

/** Requests come as function URL events, jobs from the queues, ticks from the clock. */
const openOnAws: OpenService = async (options) => {
  const platform = await scratchAwsPlatform(servers, options)
  const { doorways, settle } = platform
  return serviceOn(platform, {
    request: doorways.web,
    afterwards: settle,
    tick: async ({ api }) => {
      const before = new Set((await runsOf(api)).map(({ id }) => id))
      await doorways.clock()
      await settle()
      return { runs: (await runsOf(api)).filter(({ id }) => !before.has(id)) }
    },
  })
}

async function runsOf(api: Service['api']): Promise<RunView[]> {
  const response = await api('GET', '/api/v1/runs')
  return ((await response.json()) as { items: RunView[] }).items
}

const openWithSes: OpenService = (options) =>
  openOnAws({
    ...options,
    settings: { ...options?.settings, mail: { from: 'The Gazette <news@news.example>' } },
  })

postJourney('on AWS', openOnAws)
readerJourney('on AWS, mail kept', openOnAws)
readerJourney('on AWS, mail by SES', openWithSes)
letterJourney('on AWS', openOnAws)

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
