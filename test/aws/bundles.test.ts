import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import PostalMime from 'postal-mime'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type BundleSize, coldImport, sizeOfBundle } from '../../bench/bundles.ts'
import { buildDoorway, doorwayNames } from '../../bin/bundle.js'
import { createApiKey } from '../../functions/api-keys.ts'
import { dynamodbRecordStore } from '../../functions/aws/dynamodb-record-store.ts'
import type { AwsServers } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { functionUrlEvent, responseOf } from '../support/aws/function-url-event.ts'

/** Kilobytes at start that a bundle may have, without the SDK and of it. */
const mostAtStart = {
  web: { own: 400, sdk: 250 },
  jobs: { own: 100, sdk: 250 },
  clock: { own: 220, sdk: 250 },
  feedback: { own: 100, sdk: 250 },
}

let servers: AwsServers
let parameters: Server
/** What the parameter says, reading by reading; the last one for ever. */
let addresses = ['https://deployed.example']
let environment: Record<string, string>
let folder: string
const sizes = new Map<string, BundleSize>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'broadsheet-'))
  for (const name of doorwayNames) {
    mkdirSync(join(folder, name), { recursive: true })
    sizes.set(name, sizeOfBundle(buildDoorway(name, join(folder, name))))
    // As `broadsheet.yaml` that travels with the deployment.
    const settings = { mail: { from: 'The Gazette <news@news.example>' } }
    writeFileSync(join(folder, name, 'broadsheet.json'), JSON.stringify(settings))
  }
  servers = await startAwsServers()
  // SSM as far as a function meets it: the one parameter.
  parameters = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
    const [address = ''] = addresses
    if (addresses.length > 1) addresses = addresses.slice(1)
    response.end(JSON.stringify({ Parameter: { Value: address } }))
  })
  await new Promise<void>((resolve) => parameters.listen(0, '127.0.0.1', resolve))
  const queues = await servers.queues()
  // The emulator names itself by a host that only its own clients reach.
  const reachable = (url: string) => url.replace(/\/\/[^/:]+/, '//127.0.0.1')
  environment = {
    PATH: process.env.PATH ?? '',
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_S3: servers.urls.s3,
    AWS_ENDPOINT_URL_DYNAMODB: servers.urls.dynamodb,
    AWS_ENDPOINT_URL_SQS: servers.urls.sqs,
    AWS_ENDPOINT_URL_SES: servers.urls.ses,
    AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${(parameters.address() as AddressInfo).port}`,
    BROADSHEET_TABLE: await servers.table(),
    BROADSHEET_BUCKET: await servers.bucket(),
    BROADSHEET_ADDRESS_PARAMETER: '/Broadsheet/address',
    BROADSHEET_QUEUE_URGENT: reachable(queues.urgent),
    BROADSHEET_QUEUE_WORK: reachable(queues.work),
    BROADSHEET_QUEUE_MAIL: reachable(queues.mail),
    BROADSHEET_QUEUE_DEAD: reachable(queues.dead),
  }
})
afterAll(async () => {
  await servers.close()
  parameters.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Started {
  /** The handler's answer to an event that comes so many minutes after now. */
  call(event: unknown, minutes?: number): Promise<unknown>
  /** Ends the process; what it logged. */
  stop(): Promise<Record<string, unknown>[]>
}

/** Starts a bundle in a process of its own, as Lambda does, with a clock that can be ahead of ours. */
async function start(name: string, variables: Record<string, string> = {}): Promise<Started> {
  const program = `
    const { now } = Date
    let ahead = 0
    Date.now = () => now() + ahead
    globalThis.Date = class extends Date {
      constructor(...parts) {
        super(...(parts.length > 0 ? parts : [Date.now()]))
      }
    }
    const { handler } = await import(${JSON.stringify(pathToFileURL(join(folder, name, 'index.mjs')).href)})
    if (typeof handler !== 'function') throw new Error('no handler')
    const context = { awsRequestId: 'call-1', getRemainingTimeInMillis: () => 60_000 }
    process.on('disconnect', () => process.exit(0))
    process.on('message', async ({ event, minutes }) => {
      ahead = minutes * 60_000
      try {
        process.send({ answer: (await handler(event, context)) ?? null })
      } catch (error) {
        process.send({ fault: String(error?.stack) })
      }
    })
    process.send({})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...environment, ...variables },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let written = ''
  const { stderr } = child
  if (!stderr) throw new Error('its log cannot be read')
  stderr.setEncoding('utf8').on('data', (text: string) => {
    written += text
  })
  const ended = Promise.all([once(child, 'exit'), once(stderr, 'end')])
  const answered = async () => {
    const message = once(child, 'message') as Promise<[{ answer?: unknown; fault?: string }]>
    const [{ answer, fault = undefined }] = await Promise.race([
      message,
      ended.then(() => [{ answer: undefined, fault: written }]),
    ])
    if (fault !== undefined) throw new Error(fault)
    return answer
  }
  await answered()
  return {
    call: (event, minutes = 0) => {
      const answer = answered()
      child.send({ event, minutes })
      return answer
    },
    stop: async () => {
      if (child.connected) child.disconnect()
      await ended
      const lines = written.split('\n').filter((line) => line.startsWith('{'))
      return lines.map((line) => JSON.parse(line))
    },
  }
}

/** The answers of a bundle, just started, to events that come so many minutes after each other. */
async function invoke(
  name: string,
  events: unknown[],
  { minutes = 0, variables = {} } = {},
): Promise<{ answers: unknown[]; lines: Record<string, unknown>[] }> {
  const { call, stop } = await start(name, variables)
  const answers: unknown[] = []
  for (const [i, event] of events.entries()) answers.push(await call(event, i * minutes))
  return { answers, lines: await stop() }
}

/** The four bundles, warm, and the queues between them. */
async function startAll() {
  const [web, jobs, clock, feedback] = await Promise.all(
    ['web', 'jobs', 'clock', 'feedback'].map((name) => start(name)),
  )
  if (!web || !jobs || !clock || !feedback) throw new Error('a bundle is missing')
  onTestFinished(async () => {
    await Promise.all([web, jobs, clock, feedback].map(({ stop }) => stop()))
  })
  const { sqs } = servers.clients
  /** Hands what waits to `jobs`, and what that enqueues, until the queues are dry. */
  async function settle(minutes = 0): Promise<void> {
    for (let isDry = false; !isDry; ) {
      isDry = true
      for (const lane of ['URGENT', 'WORK', 'MAIL']) {
        const QueueUrl = environment[`BROADSHEET_QUEUE_${lane}`]
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 60 }),
        )
        if (Messages.length === 0) continue
        isDry = false
        const Records = Messages.map(({ MessageId = '', Body = '' }) => ({
          messageId: MessageId,
          body: Body,
        }))
        expect(await jobs?.call({ Records }, minutes)).toEqual({ batchItemFailures: [] })
        for (const { ReceiptHandle } of Messages) {
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
        }
      }
    }
  }
  return { web, jobs, clock, feedback, settle }
}

describe('what is deployed', () => {
  it.each(doorwayNames)('%s: imports and has a handler; its size is printed', async (name) => {
    await expect(invoke(name, [])).resolves.toEqual({ answers: [], lines: [] })
    const times: number[] = []
    for (let i = 0; i < 3; i++) times.push(await coldImport(join(folder, name)))
    const { ownAtStart = 0, sdkAtStart = 0, own = 0 } = sizes.get(name) ?? {}
    console.log(
      `${name}: ${ownAtStart} kB at start without the SDK and ${sdkAtStart} kB of it, minified (${own} kB in all, without it); cold import ${Math.min(...times).toFixed(0)} ms`,
    )
    expect(ownAtStart).toBeGreaterThan(0)
    expect(ownAtStart).toBeLessThanOrEqual(mostAtStart[name].own)
    expect(sdkAtStart).toBeLessThanOrEqual(mostAtStart[name].sdk)
  })

  it('publishes with its first key, renders, ticks and takes feedback from its environment alone', async () => {
    const now = () => new Date()
    const { dynamodb: client } = servers.clients
    const records = dynamodbRecordStore({ client, table: environment.BROADSHEET_TABLE ?? '', now })
    const { key } = await createApiKey({ records, now }, 'me')
    const publish = await functionUrlEvent('/api/v1/posts', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'a', title: 'Deployed', content: 'x' }),
    })
    const [published] = (await invoke('web', [publish])).answers
    expect(await responseOf(published).json()).toMatchObject({
      outcome: 'published',
      url: 'https://deployed.example/posts/deployed/',
    })
    const rendered = await invoke('jobs', [
      {
        Records: [
          {
            messageId: 'm1',
            body: JSON.stringify({ id: 'a', job: { kind: 'regenerate', feed: '*' } }),
          },
          { messageId: 'm2', body: 'poison' },
        ],
      },
    ])
    expect(rendered.answers).toEqual([{ batchItemFailures: [{ itemIdentifier: 'm2' }] }])
    expect(rendered.lines).toMatchObject([
      { event: 'message.failed', request: 'call-1', message: 'm2' },
    ])
    const ticked = await invoke('clock', [{}])
    expect(ticked.answers).toEqual([null])
    expect(ticked.lines).toMatchObject([{ event: 'tick', request: 'call-1' }])
    const told = await invoke('feedback', [{ Records: [{ messageId: 'm', body: '{}' }] }])
    expect(told.answers).toEqual([{ batchItemFailures: [{ itemIdentifier: 'm' }] }])
    expect(told.lines).toMatchObject([{ event: 'message.failed', request: 'call-1' }])
    const [feed] = (await invoke('web', [await functionUrlEvent('/feeds/rss.xml')])).answers
    expect(await responseOf(feed).text()).toContain('Deployed')
  })

  it('takes a reader from the form to the digest and, by SES’s word, to the end; and a file of the inbox to the feed', async () => {
    addresses = ['https://deployed.example']
    const all = await startAll()
    const { settle } = all
    const day = 24 * 60
    const now = () => new Date()
    const table = environment.BROADSHEET_TABLE ?? ''
    const records = dynamodbRecordStore({ client: servers.clients.dynamodb, table, now })
    const { key } = await createApiKey({ records, now }, 'editor')
    const authorization = `Bearer ${key}`
    const web = async (path: string, init: RequestInit = {}): Promise<Response> => {
      const headers = { authorization, origin: 'https://deployed.example', ...init.headers }
      return responseOf(await all.web.call(await functionUrlEvent(path, { ...init, headers })))
    }
    const post = (path: string, fields: Record<string, string>) =>
      web(path, { method: 'POST', body: new URLSearchParams(fields) })
    const readers = async () =>
      ((await (await web('/api/v1/subscribers')).json()) as { items: { state: string }[] }).items

    // What it has made before this test is not owed to anybody.
    await settle()
    await all.clock.call({})
    const wanted = { email: 'ada@example.org', cadence: 'daily', at: '08:00', timeZone: 'UTC' }
    expect((await post('/subscribe', wanted)).status).toBe(200)
    await settle()
    const [confirmation] = servers.ses.mails
    expect(confirmation).toMatchObject({ destinations: ['ada@example.org'] })
    const { text = '' } = await PostalMime.parse(confirmation?.raw ?? '')
    const link = /https:\/\/deployed\.example(\/confirm\/[\w.-]+)/.exec(text)?.[1] ?? ''
    expect((await post(link, {})).status).toBe(200)
    expect(await readers()).toMatchObject([{ state: 'confirmed' }])

    const published = await web('/api/v1/posts', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'news', title: 'Sent from a bundle', content: 'x' }),
    })
    expect(published.ok).toBe(true)
    await settle()
    await all.clock.call({}, day)
    await settle(day)
    const digest = servers.ses.mails[1]
    expect(servers.ses.mails).toHaveLength(2)
    expect(digest).toMatchObject({ destinations: ['ada@example.org'] })
    expect((await PostalMime.parse(digest?.raw ?? '')).text).toContain('Sent from a bundle')

    const event = (eventType: string, more = {}) => ({
      messageId: eventType,
      body: JSON.stringify({
        eventType,
        mail: { messageId: digest?.messageId, tags: { delivery: [digest?.tags.delivery] } },
        ...more,
      }),
    })
    const told = await all.feedback.call(
      { Records: [event('Send'), event('Bounce', { bounce: { bounceType: 'Permanent' } })] },
      day,
    )
    expect(told).toEqual({ batchItemFailures: [] })
    expect(await readers()).toMatchObject([{ state: 'suppressed', reason: 'hard-bounce' }])

    const file = { Bucket: environment.BROADSHEET_BUCKET, Key: 'inbox/note.md' }
    await servers.clients.s3.send(new PutObjectCommand({ ...file, Body: '# From the inbox' }))
    const notice = { detail: { object: { key: file.Key, size: 16 } } }
    const Records = [{ messageId: 'm', body: JSON.stringify(notice) }]
    expect(await all.jobs.call({ Records })).toEqual({ batchItemFailures: [] })
    await settle()
    expect(await (await web('/feeds/rss.xml')).text()).toContain('From the inbox')
  })

  it('takes up another address of the site within a minute, in everything it says', async () => {
    const refused = await functionUrlEvent('/api/v1/posts')
    const described = await functionUrlEvent('/api/openapi.json')
    addresses = ['https://deployed.example', 'https://new.example']
    const { answers } = await invoke('web', [refused, refused, described], { minutes: 1 })
    const [before, after, description] = await Promise.all(
      answers.map((answer) => responseOf(answer).json()),
    )
    expect(before).toMatchObject({ type: expect.stringContaining('https://deployed.example/') })
    expect(after).toMatchObject({ type: expect.stringContaining('https://new.example/') })
    expect(description).toMatchObject({ servers: [{ url: 'https://new.example' }] })
  })

  it('asks nobody for an address that the deployment says', async () => {
    const variables = {
      BROADSHEET_ADDRESS: 'https://news.example',
      BROADSHEET_ADDRESS_PARAMETER: '',
      AWS_ENDPOINT_URL_SSM: 'http://127.0.0.1:1',
    }
    const event = await functionUrlEvent('/api/openapi.json')
    const [answer] = (await invoke('web', [event], { variables })).answers
    expect(await responseOf(answer).json()).toMatchObject({
      servers: [{ url: 'https://news.example' }],
    })
  })
})
