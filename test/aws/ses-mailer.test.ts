import { type AddressInfo, createServer } from 'node:net'
import { SESClient } from '@aws-sdk/client-ses'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { mailQuestions } from '../../functions/aws/call-limits.ts'
import { dynamodbRecordStore } from '../../functions/aws/dynamodb-record-store.ts'
import { objectOutbox } from '../../functions/aws/object-outbox.ts'
import { s3ObjectStore } from '../../functions/aws/s3-object-store.ts'
import { sesMailer } from '../../functions/aws/ses-mailer.ts'
import { verifiedMailer } from '../../functions/aws/verified-mailer.ts'
import type { SendOutcome } from '../../functions/platform.ts'
import { aMessage } from '../contracts/mailer.ts'
import type { AwsServers } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { type SesFault, sesSink } from '../support/aws/ses-sink.ts'

type Sink = Awaited<ReturnType<typeof sesSink>>

let servers: AwsServers
beforeAll(async () => {
  servers = await startAwsServers()
})
afterAll(() => servers.close())

/** A mailer on a sink of its own, with a clock that stands; `client` overrides what reaches the sink. */
async function open(over: ConstructorParameters<typeof SESClient>[0] = {}) {
  const sink: Sink = await sesSink()
  const client = new SESClient({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    endpoint: sink.url,
    maxAttempts: 1,
    ...over,
  })
  onTestFinished(async () => {
    client.destroy()
    await sink.close()
  })
  let present = Date.parse('2026-03-02T08:00:00Z')
  const now = () => new Date(present)
  const records = dynamodbRecordStore({
    client: servers.clients.dynamodb,
    table: await servers.table(),
    now,
  })
  const ses = sesMailer({ client, records, now })
  const objects = s3ObjectStore({ client: servers.clients.s3, bucket: await servers.bucket() })
  const outbox = objectOutbox({ objects, now })
  return {
    sink,
    client,
    ses,
    verified: verifiedMailer({ client, domain: 'example.org', ses, outbox, now }),
    send: () => ses.send(aMessage(), new Date(present + 60_000)),
    until: new Date(present + 60_000),
    asked: (action: string) => sink.calls.filter((call) => call === action).length,
    advance: (seconds: number) => {
      present += seconds * 1000
    },
  }
}

const refusal = (code: string, message = '', status = 400) => ({
  kind: 'error' as const,
  status,
  code,
  message,
})

describe('an answer of SES', () => {
  const busy = (reason: string, retryAfterSeconds: number): SendOutcome => ({
    status: 'deferred',
    reason,
    retryAfterSeconds,
  })

  it.each<[string, SesFault, SendOutcome]>([
    [
      'too many a second: a second later',
      refusal('Throttling', 'Maximum sending rate exceeded.'),
      busy('throttled', 1),
    ],
    [
      'too many a day: much later',
      refusal('Throttling', 'Daily message quota exceeded.'),
      busy('daily quota', 1800),
    ],
    ['too many calls', refusal('ThrottlingException', 'Rate exceeded'), busy('throttled', 1)],
    [
      'the sandbox: the account is the reason, not the address',
      refusal(
        'MessageRejected',
        'Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: reader@example.org',
      ),
      busy('not verified by SES', 3600),
    ],
    [
      'a refused message: never',
      refusal('MessageRejected', 'Message contains a virus'),
      { status: 'rejected', reason: 'MessageRejected' },
    ],
    [
      'a part of the mail that it cannot take, which may be the sender: never, and nobody is to blame',
      refusal('InvalidParameterValue', 'Missing final @domain'),
      { status: 'rejected', reason: 'InvalidParameterValue' },
    ],
    ...[
      'AccountSendingPausedException',
      'ConfigurationSetSendingPausedException',
      'ConfigurationSetDoesNotExistException',
      'MailFromDomainNotVerifiedException',
      'AccessDenied',
      'InvalidClientTokenId',
      'SignatureDoesNotMatch',
      'ExpiredToken',
      'RequestExpired',
      'OptInRequired',
    ].map((code): [string, SesFault, SendOutcome] => [
      `${code}: nobody’s fault but the account’s`,
      refusal(code, '', 403),
      busy(code, 900),
    ]),
    [
      'a fault of SES: nobody knows',
      refusal('InternalFailure', '', 500),
      { status: 'unclear', reason: 'InternalFailure 500' },
    ],
    [
      'no service: nobody knows',
      refusal('ServiceUnavailable', '', 503),
      { status: 'unclear', reason: 'ServiceUnavailable 503' },
    ],
  ])('%s', async (_, fault, outcome) => {
    const { sink, send, asked } = await open()
    sink.failNext(fault)
    expect(await send()).toEqual(outcome)
    expect(asked('SendRawEmail')).toBe(1)
    expect(await send()).toMatchObject({ status: 'sent' })
  })

  it.each(['accept-and-drop', 'accept-and-cut'] as const)(
    'that does not come whole (%s) tells nothing, as the mail may be out',
    async (kind) => {
      const { sink, send } = await open()
      sink.failNext({ kind })
      expect(await send()).toMatchObject({ status: 'unclear' })
      expect(sink.mails).toHaveLength(1)
    },
  )

  it('without a word of SES’s is somebody’s in between', async () => {
    const { sink, send } = await open()
    sink.failNext({ kind: 'foreign', status: 403 })
    expect(await send()).toEqual(busy('HTTP status 403', 900))
  })
})

describe('a mail that cannot have left', () => {
  /** A port that nobody listens on. */
  async function closedPort(): Promise<string> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise<void>((resolve) => server.close(() => resolve()))
    return `http://127.0.0.1:${port}`
  }
  const lookup = (code: string) => (_: unknown, __: unknown, answer: (error: Error) => void) =>
    answer(Object.assign(new Error(code), { code, syscall: 'getaddrinfo' }))
  const refusing = (name: string) => async () => {
    throw Object.assign(new Error('Could not load credentials from any providers'), { name })
  }
  type Over = ConstructorParameters<typeof SESClient>[0]

  it.each<[string, string, () => Over | Promise<Over>]>([
    ['for want of a connection', 'ECONNREFUSED', async () => ({ endpoint: await closedPort() })],
    [
      'for want of a connection to any of several addresses',
      'ECONNREFUSED',
      async () => ({
        endpoint: (await closedPort()).replace('127.0.0.1', 'ses.example'),
        requestHandler: {
          httpAgent: {
            // As for a name with addresses of both kinds, tried one after the other.
            lookup: (_: unknown, __: unknown, answer: (e: null, all: object[]) => void) =>
              answer(null, [
                { address: '127.0.0.1', family: 4 },
                { address: '::1', family: 6 },
              ]),
          } as object,
        },
      }),
    ],
    ...['ENOTFOUND', 'EAI_AGAIN'].map((code): [string, string, () => Over] => [
      'for want of an address',
      code,
      () => ({
        endpoint: 'http://ses.example',
        requestHandler: { httpAgent: { lookup: lookup(code) } as object },
      }),
    ]),
    [
      'as no connection came about in time',
      'no connection',
      () => ({
        endpoint: 'http://ses.example',
        // A name whose address never comes: nothing listens, nothing is refused.
        requestHandler: { connectionTimeout: 1, httpAgent: { lookup: () => {} } as object },
      }),
    ],
    ...['CredentialsProviderError', 'TokenProviderError'].map(
      (name): [string, string, () => Over] => [
        'for want of credentials',
        name,
        () => ({ credentials: refusing(name) }),
      ],
    ),
  ])('%s (%s) goes later', async (_, reason, over) => {
    const { send, sink } = await open(await over())
    expect(await send()).toEqual({ status: 'deferred', reason, retryAfterSeconds: 60 })
    expect(sink.calls).toEqual([])
  })

  it('as SES does not say whether the sender is verified, goes later', async () => {
    const { verified, until } = await open({ endpoint: await closedPort() })
    expect(await verified.send(aMessage(), until)).toMatchObject({ status: 'deferred' })
  })

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])(
    'is not one whose connection broke with %s: it is unclear',
    async (code) => {
      const { client, send } = await open()
      client.middlewareStack.add(
        () => async () => {
          throw Object.assign(new Error(code), { code, syscall: 'read', name: 'TimeoutError' })
        },
        { step: 'deserialize', priority: 'low' },
      )
      expect(await send()).toMatchObject({ status: 'unclear' })
    },
  )
})

describe('what is asked of SES beside mails', () => {
  it('is its quota, once for all who ask within 45 seconds', async () => {
    const { ses, sink, asked, advance } = await open()
    const quotas = await Promise.all(Array.from({ length: 20 }, () => ses.quota()))
    expect(new Set(quotas.map((quota) => quota.perSecond))).toEqual(new Set([14]))
    advance(44)
    sink.setQuota({ rate: 50 })
    expect(await ses.quota()).toMatchObject({ perSecond: 14, perDay: 50_000 })
    expect(asked('GetSendQuota')).toBe(1)
    advance(2)
    expect(await ses.quota()).toMatchObject({ perSecond: 50 })
    expect(asked('GetSendQuota')).toBe(2)
  })

  it('is again its quota when it did not say it', async () => {
    const { ses, sink, asked } = await open()
    sink.failQuota(refusal('Throttling', 'Rate exceeded'))
    await expect(ses.quota()).rejects.toThrow('Rate exceeded')
    expect(await ses.quota()).toMatchObject({ perSecond: 14 })
    expect(asked('GetSendQuota')).toBe(2)
  })

  it('is nothing that stops those who know an older quota', async () => {
    const { ses, sink, advance } = await open()
    await ses.quota()
    advance(60)
    sink.failQuota(refusal('Throttling', 'Rate exceeded'))
    expect(await ses.quota()).toMatchObject({ perSecond: 14 })
  })

  it('is its quota again and again, while SES has no time for workers that start together', async () => {
    const { sink, ses, asked } = await open(mailQuestions)
    sink.failQuota(refusal('Throttling', 'Rate exceeded'))
    expect(await ses.quota()).toMatchObject({ perSecond: 14 })
    expect(asked('GetSendQuota')).toBe(2)
  })

  it('is once whether the sender is verified, however many mails leave side by side', async () => {
    const { verified, sink, asked, until, advance } = await open()
    for (let batch = 0; batch < 2; batch++) {
      await Promise.all(Array.from({ length: 20 }, () => verified.send(aMessage(), until)))
      advance(30)
    }
    expect(sink.mails).toHaveLength(40)
    expect(asked('GetIdentityVerificationAttributes')).toBe(1)
  })
})
