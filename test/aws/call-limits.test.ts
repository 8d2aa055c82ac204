import { createServer, type Server } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { awsPlatform } from '../../functions/aws/platform.ts'
import { lanes, type QueueUrls } from '../../functions/aws/sqs-job-queue.ts'
import { leaseSeconds } from '../../functions/digests/delivery/ledger.ts'
import { aMessage } from '../contracts/mailer.ts'
import type { AwsServers } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { scratchSettings } from '../support/scratch-platform.ts'

let servers: AwsServers
/** Takes every request and gives, if anything, a head without its body. */
let silent: { url: string; requests: number; begins: boolean; server: Server }

beforeAll(async () => {
  servers = await startAwsServers()
  const server = createServer((incoming, outgoing) => {
    silent.requests++
    incoming.resume()
    if (silent.begins) outgoing.writeHead(200, { 'content-length': 1000 }).write('x')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  silent = { url, requests: 0, begins: false, server }
})
afterAll(async () => {
  await servers.close()
  silent.server.closeAllConnections()
  silent.server.close()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  silent.begins = false
})

type Service = keyof AwsServers['urls']

/** The platform with the clients that it makes itself, as a function has it. */
async function open(places: Partial<Record<Service, string>> = {}) {
  vi.stubEnv('AWS_REGION', 'eu-central-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test')
  for (const [service, url] of Object.entries({ ...servers.urls, ...places })) {
    vi.stubEnv(`AWS_ENDPOINT_URL_${service.toUpperCase()}`, url)
  }
  const [table, bucket, queues] = await Promise.all([
    servers.table(),
    servers.bucket(),
    servers.queues() as Promise<{ -readonly [name in keyof QueueUrls]: string }>,
  ])
  const settings = scratchSettings({ mail: { from: 'news@news.example' } })
  if (places.sqs) for (const lane of lanes) queues[lane] = `${places.sqs}/000000000000/${lane}`
  return () => awsPlatform({ table, bucket, queues, settings })
}

const later = () => new Date(Date.now() + leaseSeconds * 1000)

/** Lets time go by until the work has ended; how many seconds that took. */
async function secondsOf(work: Promise<unknown>): Promise<number> {
  let isOver = false
  const end = () => {
    isOver = true
  }
  work.then(end, end)
  for (let seconds = 0; seconds < 600; seconds++) {
    // What goes over a line takes no time of the clock that is moved.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    if (isOver) return seconds
    await vi.advanceTimersByTimeAsync(1000)
  }
  return Number.POSITIVE_INFINITY
}

/** Waits by events, not by a clock. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

const clockAtHand = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })

describe('a mail that SES takes and never answers for', () => {
  it('is unclear before half its lease is over, and is sent once', async () => {
    const { mailer } = await (await open())()
    await mailer.quota()
    const before = servers.ses.mails.length
    servers.ses.failNext({ kind: 'accept-and-hang' })
    clockAtHand()
    const sending = mailer.send(aMessage(), later())
    while (servers.ses.mails.length === before)
      await new Promise((resolve) => setImmediate(resolve))
    expect(await secondsOf(sending)).toBeLessThan(leaseSeconds / 2)
    expect(await sending).toMatchObject({ status: 'unclear' })
    expect(servers.ses.mails.length - before).toBe(1)
  })
})

describe.each(['accept-and-drop', 'accept-and-cut'] as const)('an answer lost by %s', (kind) => {
  it('is unclear, and the mail is not sent again by the client', async () => {
    const { mailer } = await (await open())()
    const before = servers.ses.mails.length
    servers.ses.failNext({ kind })
    expect(await mailer.send(aMessage(), later())).toMatchObject({ status: 'unclear' })
    expect(servers.ses.mails.length - before).toBe(1)
  })
})

describe('a service that takes a call and is silent', () => {
  /** What `web` has for all it does. */
  const webSeconds = 30

  it.each<[Service, (opened: Awaited<ReturnType<typeof awsPlatform>>) => Promise<unknown>]>([
    ['s3', ({ objects }) => objects.get('a')],
    ['s3', ({ objects }) => objects.put('a', new Uint8Array(1), { contentType: 'text/plain' })],
    ['sqs', ({ jobs }) => jobs.enqueue([{ kind: 'instant' }])],
    ['ses', ({ mailer }) => mailer.quota()],
  ])('%s: fails the call while there is time left', async (service, call) => {
    const opened = await (await open({ [service]: silent.url }))()
    const before = silent.requests
    clockAtHand()
    const calling = call(opened)
    calling.catch(() => {})
    await until(() => silent.requests > before)
    expect(await secondsOf(calling)).toBeLessThan(webSeconds)
    await expect(calling).rejects.toThrow(/exceeded the configured/)
  })

  it('dynamodb: fails the start, which the next event repeats', async () => {
    const opening = await open({ dynamodb: silent.url })
    clockAtHand()
    const before = silent.requests
    const opened = opening()
    opened.catch(() => {})
    await until(() => silent.requests > before)
    expect(await secondsOf(opened)).toBeLessThan(webSeconds)
    await expect(opened).rejects.toThrow(/exceeded the configured/)
  })

  it('fails the call, too, when it falls silent in the middle of its answer', async () => {
    const { objects } = await (await open({ s3: silent.url }))()
    silent.begins = true
    // A socket's own clock cannot be moved: it is made to run faster.
    const { setTimeout: patience } = Socket.prototype
    vi.spyOn(Socket.prototype, 'setTimeout').mockImplementation(function (this: Socket, ms, end) {
      return patience.call(this, ms / 100, end)
    })
    await expect(objects.get('a')).rejects.toThrow(/timed out/)
  })
})
