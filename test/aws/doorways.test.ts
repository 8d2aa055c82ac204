import { gunzipSync } from 'node:zlib'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import PostalMime from 'postal-mime'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createApiKey } from '../../functions/api/api-keys.ts'
import { recordKeys } from '../../functions/keys.ts'
import { subscriberIdOf } from '../../functions/subscribers/address.ts'
import { newConfirmationId } from '../../functions/subscribers/confirmation-id.ts'
import type { Subscriber } from '../../functions/subscribers/subscriber.ts'
import { scratchAwsPlatform } from '../support/aws/aws-platform.ts'
import { functionHost } from '../support/aws/function-url-event.ts'
import { startGatedServers } from '../support/aws/gated-servers.ts'

let servers: Awaited<ReturnType<typeof startGatedServers>>

beforeAll(async () => {
  servers = await startGatedServers()
})
afterEach(() => expect(servers.gate.takeFaults()).toEqual([]))
afterAll(() => servers.close())

const open = () => scratchAwsPlatform(servers)

async function openWithKey() {
  const platform = await open()
  const { key } = await createApiKey(platform, 'test')
  const authorization = `Bearer ${key}`
  const post = (body: RequestInit['body'], type: string, path = '/api/v1/posts') =>
    platform.doorways.web(path, {
      method: 'POST',
      headers: { authorization, 'content-type': type },
      body: body ?? null,
    })
  return { platform, authorization, post }
}

describe('web', () => {
  it('reads a body that a function URL handed over in base64, to the byte', async () => {
    const { post, platform } = await openWithKey()
    const source = '---\ntitle: 新闻 für alle\nid: a\n---\nText “quoted”.\n'
    // Of this type, a function URL makes base64; of the text of the next one it does not.
    const form = new URLSearchParams({ email: 'ada@example.org', cadence: 'daily', at: '08:00' })
    const subscribed = await platform.doorways.web('/subscribe', { method: 'POST', body: form })
    expect(subscribed.status).toBe(200)
    const published = await post(source, 'text/markdown')
    expect(await published.json()).toMatchObject({ outcome: 'published' })
    await platform.settle()
    const feed = await platform.doorways.web('/feeds/rss.xml')
    expect(await feed.text()).toContain('新闻 für alle')
    expect((await platform.outbox()).map(({ to }) => to)).toEqual(['ada@example.org'])
  })

  it('gives compressed answers as bytes', async () => {
    const { platform } = await openWithKey()
    const headers = { 'accept-encoding': 'gzip' }
    const response = await platform.doorways.web('/api/openapi.json', { headers })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    const stream = new Blob([await response.arrayBuffer()])
      .stream()
      .pipeThrough(new DecompressionStream('gzip'))
    expect(await new Response(stream).json()).toHaveProperty('openapi')
  })

  it.each([
    { 'x-forwarded-host': 'evil.example' },
    { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
    { forwarded: 'host=evil.example;proto=http' },
    { 'x-original-url': 'https://evil.example/' },
  ])('takes the site’s address from its settings, not from %j or the host', async (forged) => {
    const { platform, authorization } = await openWithKey()
    const answer = await platform.doorways.web('/api/v1/posts', {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', ...forged },
      body: JSON.stringify({ id: 'a', title: 'A', content: 'x' }),
    })
    const { url } = (await answer.json()) as { url: string }
    expect(url).toBe('https://news.example/posts/a/')
    await platform.doorways.web('/subscribe', {
      method: 'POST',
      headers: forged,
      body: new URLSearchParams({ email: 'ada@example.org', cadence: 'daily', at: '08:00' }),
    })
    await platform.settle()
    const pages = await Promise.all(
      ['/', '/feeds/rss.xml', '/subscribe', '/nothing'].map(async (path) =>
        (await platform.doorways.web(path, { headers: forged })).text(),
      ),
    )
    const { text: mail } = await PostalMime.parse((await platform.outbox())[0]?.raw ?? '')
    expect(mail).toContain('https://news.example/confirm/')
    for (const text of [...pages, mail]) {
      expect(text).not.toContain('evil.example')
      expect(text).not.toContain(functionHost)
    }
  })

  it('answers what the edge asked the bucket for in vain', async () => {
    const { platform, post } = await openWithKey()
    await post('{"id":"a","title":"A","content":"x"}', 'application/json')
    await platform.settle()
    const at = async (path: string) => (await platform.doorways.web(path)).status
    expect(await at('/index.html')).toBe(200)
    expect(await at('/posts/a/index.html')).toBe(200)
    expect(await at('/posts/none/index.html')).toBe(404)
    expect(await at('/robots.txt')).toBe(200)
    // A document's twin that is not stored yet: the document itself.
    for (const [path, type] of [
      ['/feeds/atom.xml', 'application/atom+xml'],
      ['/feeds/feed.json', 'application/feed+json'],
    ] as const) {
      const twin = await platform.doorways.web(`${path}.gz`)
      expect(twin.headers.get('content-type')).toContain(type)
      expect(await twin.text()).toBe(await (await platform.doorways.web(path)).text())
    }
  })

  it('keeps a document compressed beside itself, and says so to whoever gets it from the bucket', async () => {
    const { platform, post } = await openWithKey()
    await post('{"id":"a","title":"A bridge","content":"x"}', 'application/json')
    await platform.settle()
    const found = await servers.clients.s3.send(
      new GetObjectCommand({ Bucket: platform.bucket, Key: 'public/feeds/atom.xml.gz' }),
    )
    expect(found).toMatchObject({
      ContentType: 'application/atom+xml; charset=utf-8',
      ContentEncoding: 'gzip',
    })
    const bytes = (await found.Body?.transformToByteArray()) ?? new Uint8Array()
    expect(gunzipSync(bytes).toString()).toContain('A bridge')
  })

  it('refuses what is too large, broken or without a key, each clearly', async () => {
    const { platform, post } = await openWithKey()
    const cases: [Response, number, string][] = [
      [await post('x'.repeat(5_400_000), 'text/markdown'), 413, 'too-large'],
      [await post('{"title":', 'application/json'), 400, 'malformed-json'],
      [await post(new Uint8Array([0xff, 0xfe, 0x00]), 'application/pdf'), 415, 'media-type'],
      [await platform.doorways.web('/api/v1/keys'), 401, 'key.missing'],
      [await platform.doorways.web('/api/v1/nothing'), 404, 'not-found'],
    ]
    for (const [response, status, code] of cases) {
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
        status,
        code,
      ])
    }
  })

  it('mails a test by a job, as it may send nothing itself, and says how it stands', async () => {
    const settings = { mail: { from: 'The Gazette <news@news.example>' } }
    const platform = await scratchAwsPlatform(servers, { settings })
    const { key } = await createApiKey(platform, 'test')
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const call = async (path: string, body?: object) => {
      const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers }
      const response = await platform.doorways.web(path, init)
      expect(response.status).toBeLessThan(300)
      return (await response.json()) as Record<string, any>
    }
    const { id: post } = await call('/api/v1/posts', { id: 'a', title: 'A', content: 'x' })
    await platform.settle()
    for (const what of [{}, { post }]) {
      const before = (await platform.outbox()).length
      const { subject, test } = await call('/api/v1/digests/preview', {
        ...what,
        to: 'me@example.org',
      })
      expect([subject, test.state]).toEqual([expect.stringMatching(/^\[Test\] /), 'waiting'])
      expect(await platform.outbox()).toHaveLength(before)
      await platform.settle()
      expect((await platform.outbox()).slice(before)).toMatchObject([
        { to: 'me@example.org', deliveryId: test.id },
      ])
      expect(await call(`/api/v1/digests/tests/${test.id}`)).toEqual({ id: test.id, state: 'sent' })
    }
    // In the sandbox, to somebody whom SES does not know: the person hears why.
    servers.ses.failNext({
      kind: 'error',
      status: 400,
      code: 'MessageRejected',
      message: 'Email address is not verified.',
    })
    const { test } = await call('/api/v1/digests/preview', { to: 'me@example.org' })
    await platform.settle()
    expect(await call(`/api/v1/digests/tests/${test.id}`)).toEqual({
      id: test.id,
      state: 'not-sent',
      reason: 'not verified by SES',
    })
  })

  it('says of what only one machine can do that it is not for here', async () => {
    const { post } = await openWithKey()
    const response = await post('{}', 'application/json', '/api/v1/tick')
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      409,
      'local-only',
    ])
  })
})

describe('jobs', () => {
  const message = (messageId: string, body: unknown) => ({
    messageId,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const job = (id: string) => ({ id, job: { kind: 'regenerate', feed: '*' } })

  it('gives back the poisonous message of a batch alone', async () => {
    const platform = await open()
    await expect(
      platform.doorways.jobs({
        Records: [
          message('m1', job('a')),
          message('m2', { id: 'b', job: { kind: 'no such job' } }),
          message('m3', job('c')),
          message('m4', 'no JSON'),
          message('m5', { detail: { object: { key: 'posts/not-the-inbox.md' } } }),
          message('m6', 'null'),
        ],
      }),
    ).resolves.toEqual({
      batchItemFailures: ['m2', 'm4', 'm5', 'm6'].map((itemIdentifier) => ({ itemIdentifier })),
    })
    expect((await platform.doorways.web('/feeds/rss.xml')).status).toBe(200)
  })

  it('lets a poisonous job end in the dead letters, where it is seen and put back', async () => {
    const platform = await open()
    const [id = ''] = await platform.jobs.enqueue([{ kind: 'letter', postId: 'x' }])
    // Received five times and never deleted, as Lambda does with a batch item that fails.
    for (let i = 0; i < 6; i++) {
      await servers.clients.sqs.send(
        new ReceiveMessageCommand({ QueueUrl: platform.queues.work, VisibilityTimeout: 0 }),
      )
    }
    expect(await platform.jobs.deadLetters()).toMatchObject([{ id, lane: 'work' }])
    expect(await platform.jobs.redrive([id])).toBe(1)
    await platform.settle()
    expect(await platform.jobs.deadLetters()).toEqual([])
  })
})

describe('clock', () => {
  it('may come twice at once and late', async () => {
    const platform = await open()
    await Promise.all([platform.doorways.clock(), platform.doorways.clock()])
    platform.advance(3 * 86_400_000)
    await platform.doorways.clock()
    await platform.settle()
    expect((await platform.records.get(recordKeys.clock))?.value).toEqual({
      at: '2026-03-05T08:00:00.000Z',
    })
  })
})

describe('the line of a tick', () => {
  it('is one of which CloudWatch makes metrics', async () => {
    const platform = await open()
    await platform.doorways.clock()
    await platform.settle()
    await platform.doorways.clock()
    const line = JSON.parse(platform.logged.findLast((one) => one.includes('"tick"')) ?? '{}')
    const [{ Dimensions, Metrics, Namespace }] = line._aws.CloudWatchMetrics
    expect(Namespace).toBe('Broadsheet')
    for (const name of [
      ...Dimensions.flat(),
      ...Metrics.map(({ Name }: { Name: string }) => Name),
    ]) {
      expect(line).toHaveProperty(name)
    }
    expect(line).toMatchObject({ FeedsBehind: 0, RunsStanding: 0 })
  })
})

describe('feedback', () => {
  async function withReader() {
    const { platform, authorization } = await openWithKey()
    const email = 'ada@example.org'
    await platform.doorways.web('/api/v1/subscribers', {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({
        email,
        cadence: 'daily',
        at: '08:00',
        timeZone: 'UTC',
        confirmed: true,
        consent: { at: '2026-01-01T00:00:00Z' },
      }),
    })
    const id = subscriberIdOf(platform, email)
    const reader = async () =>
      (await platform.records.get<Subscriber>(recordKeys.subscriber(id)))?.value
    const tell = (...bodies: unknown[]) =>
      platform.doorways.feedback({
        Records: bodies.map((body, i) => ({
          messageId: `m${i}`,
          body: typeof body === 'string' ? body : JSON.stringify(body),
        })),
      })
    const delivery = (n: number) => `run-${n}_0_${id}_0`
    const evidence = async (deliveryId: string) =>
      (await platform.records.get(recordKeys.evidence(deliveryId))) !== undefined
    return { platform, id, reader, tell, delivery, evidence }
  }

  /** As SES publishes it to a topic, raw message delivery on. */
  const sesEvent = (eventType: string, deliveryId: string, more: object = {}) => ({
    eventType,
    mail: {
      timestamp: '2026-03-02T08:00:00.000Z',
      source: 'news@news.example',
      sendingAccountId: '111122223333',
      messageId: '0100017f-000000',
      destination: ['ada@example.org'],
      headersTruncated: false,
      headers: [{ name: 'From', value: 'news@news.example' }],
      commonHeaders: { subject: 'News' },
      tags: {
        delivery: [deliveryId],
        'ses:configuration-set': ['set'],
        'ses:source-ip': ['203.0.113.9'],
      },
    },
    ...more,
  })
  const bounce = (deliveryId: string, bounceType: string) =>
    sesEvent('Bounce', deliveryId, {
      bounce: {
        bounceType,
        bounceSubType: 'General',
        bouncedRecipients: [{ emailAddress: 'ada@example.org', status: '5.1.1' }],
        timestamp: '2026-03-02T08:00:01.000Z',
        feedbackId: 'f',
      },
    })
  const complaint = (deliveryId: string) =>
    sesEvent('Complaint', deliveryId, {
      complaint: { complainedRecipients: [{ emailAddress: 'ada@example.org' }] },
    })
  const done = { batchItemFailures: [] }

  it.each(['Send', 'Reject', 'DeliveryDelay', 'Delivery'])(
    'keeps %s as evidence, and the reader as they are',
    async (type) => {
      const { tell, reader, delivery, evidence } = await withReader()
      const before = await reader()
      expect(await evidence(delivery(1))).toBe(false)
      expect(await tell(sesEvent(type, delivery(1)))).toEqual(done)
      expect(await evidence(delivery(1))).toBe(true)
      expect(await reader()).toEqual(before)
    },
  )

  it('suppresses at a hard bounce and a complaint, and keeps the weightier reason', async () => {
    const { tell, reader, delivery } = await withReader()
    await tell(bounce(delivery(1), 'Permanent'))
    expect(await reader()).toMatchObject({ state: 'suppressed', reason: 'hard-bounce' })
    await tell(complaint(delivery(2)), bounce(delivery(1), 'Permanent'))
    expect(await reader()).toMatchObject({ state: 'suppressed', reason: 'hard-bounce' })
    const other = await withReader()
    await other.tell(complaint(other.delivery(1)))
    expect(await other.reader()).toMatchObject({ state: 'suppressed', reason: 'complaint' })
  })

  it('hears of the confirmation mails, too', async () => {
    const { platform, tell, reader, id, evidence } = await withReader()
    const confirmation = newConfirmationId(id)
    await tell(sesEvent('Send', confirmation), bounce(confirmation, 'Permanent'))
    expect(await evidence(confirmation)).toBe(true)
    expect(await reader()).toMatchObject({ state: 'suppressed', reason: 'hard-bounce' })
    expect(platform.logged.filter((line) => line.includes('feedback.other'))).toEqual([])
  })

  it('suppresses at the third soft bounce of different mails; doubled, late and in any order', async () => {
    const { platform, id, tell, reader, delivery } = await withReader()
    for (const n of [1, 2, 3]) {
      const value = { id: delivery(n), outcome: 'accepted', try: 0, sends: 1, n }
      await platform.records.put({ ...recordKeys.ledgerRow(`run-${n}`, 0, id), value })
    }
    const soft = (n: number) => bounce(delivery(n), 'Transient')
    const send = (n: number) => sesEvent('Send', delivery(n))
    await tell(soft(1), soft(1), soft(1))
    await tell(soft(2), send(2), soft(1), send(1), soft(2))
    expect((await reader())?.state).toBe('confirmed')
    await tell(soft(3))
    const after = await reader()
    expect(after).toMatchObject({ state: 'suppressed', reason: 'soft-bounces' })
    await tell(soft(3), send(3), soft(1))
    expect(await reader()).toEqual(after)
    await tell(complaint(delivery(1)), soft(2))
    expect(await reader()).toEqual({ ...after, reason: 'complaint' })
  })

  it('gives junk back until it lies in the dead letters, and takes the rest', async () => {
    const { tell, reader, delivery } = await withReader()
    const before = await reader()
    const answer = await tell(
      'no JSON',
      'null',
      '[]',
      { eventType: 'Bounce' },
      { eventType: 'Rendering Failure', mail: { messageId: 'x' } },
      { Type: 'Notification', Message: JSON.stringify(bounce(delivery(1), 'Permanent')) },
      sesEvent('Send', delivery(1)),
    )
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual([
      'm0',
      'm1',
      'm2',
      'm3',
      'm4',
      'm5',
    ])
    expect(await reader()).toEqual(before)
  })

  it.each([
    'run-1_0_ffffffffffffffffffffffffffffffff_0',
    'no delivery id',
    'secret:links_key',
    '../../etc/passwd',
    '',
  ])('changes nobody for an event that names %j', async (forged) => {
    const { tell, reader } = await withReader()
    const before = await reader()
    expect(await tell(bounce(forged, 'Permanent'), complaint(forged))).toEqual(done)
    expect(await reader()).toEqual(before)
  })

  it('logs no address of a reader', async () => {
    const { platform, tell, delivery } = await withReader()
    await tell(bounce(delivery(1), 'Permanent'), 'junk ada@example.org', bounce('x', 'Transient'))
    expect(platform.logged.join('\n')).not.toContain('ada@')
  })
})
