import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { SendRawEmailCommand } from '@aws-sdk/client-ses'
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dynamodbRecordStore } from '../../functions/aws/dynamodb-record-store.ts'
import { readParameter } from '../../functions/aws/parameter.ts'
import { s3ObjectStore } from '../../functions/aws/s3-object-store.ts'
import { recordKeys } from '../../functions/keys.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { asCaller } from '../support/aws/caller.ts'
import { startGatedServers } from '../support/aws/gated-servers.ts'
import type { Statement } from '../support/aws/iam-policy.ts'
import { permissionGate } from '../support/aws/permission-gate.ts'

let servers: Awaited<ReturnType<typeof startGatedServers>>
let Bucket: string
let table: string
let queues: Awaited<ReturnType<typeof servers.queues>>

beforeAll(async () => {
  servers = await startGatedServers()
  Bucket = await servers.bucket()
  table = await servers.table()
  queues = await servers.queues()
})
afterAll(() => servers.close())
beforeEach(() => {
  servers.gate.takeFaults()
})

const recordsOf = () =>
  dynamodbRecordStore({ client: servers.clients.dynamodb, table, now: () => new Date() })
const letter = (from: string) =>
  new SendRawEmailCommand({
    Source: from,
    Destinations: ['ada@example.org'],
    ConfigurationSetName: 'MailSet',
    RawMessage: { Data: Buffer.from(`From: Gazette <${from}>\r\n\r\nHello`) },
  })

describe('a function that asks for more than its role allows', () => {
  it.each<[string, string, () => Promise<unknown>, { name: string; status: number }, string]>([
    [
      'S3',
      'clock',
      () => servers.clients.s3.send(new PutObjectCommand({ Bucket, Key: 'public/a', Body: 'x' })),
      { name: 'AccessDenied', status: 403 },
      'clock may not s3:PutObject on arn:aws:s3:::RecordsBucket/public/a: nothing allows it',
    ],
    [
      'S3 without a body',
      'feedback',
      () => servers.clients.s3.send(new HeadObjectCommand({ Bucket, Key: 'posts/a' })),
      { name: 'Unknown', status: 403 },
      'feedback may not s3:GetObject on arn:aws:s3:::RecordsBucket/posts/a: nothing allows it',
    ],
    [
      'DynamoDB',
      'jobs',
      () => recordsOf().query(recordKeys.runsByDue, { index: true }),
      { name: 'AccessDeniedException', status: 400 },
      'jobs may not dynamodb:Query on arn:aws:dynamodb:eu-central-1:123456789012:table/RecordsTable/index/by-second-key: nothing allows it',
    ],
    [
      'DynamoDB, for a key',
      'jobs',
      () => recordsOf().get(recordKeys.apiKey('x')),
      { name: 'AccessDeniedException', status: 400 },
      'jobs may not dynamodb:GetItem on arn:aws:dynamodb:eu-central-1:123456789012:table/RecordsTable: it is denied',
    ],
    [
      'DynamoDB, for a key among others',
      'clock',
      () => recordsOf().getMany([recordKeys.logHead, recordKeys.apiKey('x')]),
      { name: 'AccessDeniedException', status: 400 },
      'clock may not dynamodb:BatchGetItem on arn:aws:dynamodb:eu-central-1:123456789012:table/RecordsTable: it is denied',
    ],
    [
      'SQS, for a batch',
      'feedback',
      () =>
        servers.clients.sqs.send(
          new SendMessageBatchCommand({
            QueueUrl: queues.mail,
            Entries: [{ Id: '1', MessageBody: 'x' }],
          }),
        ),
      { name: 'AccessDenied', status: 403 },
      'feedback may not sqs:SendMessage on arn:aws:sqs:eu-central-1:123456789012:QueuesMail: nothing allows it',
    ],
    [
      'SES',
      'web',
      () => servers.clients.ses.send(letter('news@news.example')),
      { name: 'AccessDenied', status: 403 },
      'web may not ses:SendRawEmail on arn:aws:ses:eu-central-1:123456789012:identity/news.example: nothing allows it',
    ],
    [
      'SES, for another sender',
      'jobs',
      () => servers.clients.ses.send(letter('ceo@example.org')),
      { name: 'AccessDenied', status: 403 },
      'jobs may not ses:SendRawEmail on arn:aws:ses:eu-central-1:123456789012:identity/example.org: nothing allows it',
    ],
  ])('%s: is refused in the service’s words', async (_, caller, ask, refusal, fault) => {
    const error = await asCaller(caller, ask).then(
      () => undefined,
      (thrown: unknown) => thrown as { name: string; $metadata: { httpStatusCode: number } },
    )
    expect(error?.name).toBe(refusal.name)
    expect(error?.$metadata.httpStatusCode).toBe(refusal.status)
    expect(servers.gate.takeFaults()).toEqual([fault])
  })

  it('of SSM is refused, too', async () => {
    const environment = {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'web',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_ENDPOINT_URL_SSM: servers.gate.url,
    }
    await expect(readParameter('/Broadsheet/secret', environment)).rejects.toThrow(
      '400 {"__type":"com.amazon.coral.service#AccessDeniedException"',
    )
    expect(servers.gate.takeFaults()).toHaveLength(1)
  })
})

it('lets through what a role allows, and whatever the test asks', async () => {
  const objects = s3ObjectStore({ client: servers.clients.s3, bucket: Bucket })
  const put = () => objects.put('public/b', Buffer.from('x'), { contentType: 'text/plain' })
  await expect(asCaller('jobs', put)).resolves.toMatchObject({ status: 'stored' })
  await expect(asCaller('web', () => objects.get('public/b'))).resolves.toBeDefined()
  await expect(asCaller('web', () => objects.get('public/absent'))).resolves.toBeUndefined()
  await expect(
    servers.clients.dynamodb.send(new ScanCommand({ TableName: table })),
  ).resolves.toBeDefined()
  expect(servers.gate.takeFaults()).toEqual([])
  expect([...servers.gate.usedBy('jobs')]).toEqual([
    's3:PutObject on arn:aws:s3:::RecordsBucket/public/*',
  ])
})

describe('what cannot be judged', () => {
  it.each<[string, string, () => Promise<unknown>, string]>([
    [
      'an operation that nobody listed',
      'web',
      () => servers.clients.dynamodb.send(new ScanCommand({ TableName: table })),
      'web asks what cannot be judged: DynamoDB is asked to Scan',
    ],
    [
      'a header that needs more',
      'jobs',
      () =>
        servers.clients.s3.send(
          new PutObjectCommand({ Bucket, Key: 'public/a', Body: 'x', Tagging: 'a=b' }),
        ),
      'jobs asks what cannot be judged: S3 is asked with x-amz-tagging',
    ],
    [
      'a caller whom nobody knows',
      'mallory',
      () => servers.clients.s3.send(new GetObjectCommand({ Bucket, Key: 'public/a' })),
      'mallory asks what cannot be judged: nobody has the access key mallory',
    ],
  ])('%s: fails the test', async (_, caller, ask, fault) => {
    await expect(asCaller(caller, ask)).rejects.toThrow()
    expect(servers.gate.takeFaults()).toEqual([fault])
  })
})

it('tells nobody that an object is absent who may not list the bucket', async () => {
  const reads: Statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' }
  let takeFaults: () => string[] = () => []
  const own = await startAwsServers(async (behind) => {
    const gate = await permissionGate({
      upstreams: behind,
      callers: { reader: { role: 'reader', statements: [reads] } },
      nameOf: () => 'b',
    })
    takeFaults = gate.takeFaults
    return gate.url
  })
  const objects = s3ObjectStore({ client: own.clients.s3, bucket: await own.bucket() })
  await expect(asCaller('reader', () => objects.get('absent'))).rejects.toMatchObject({
    name: 'AccessDenied',
  })
  expect(takeFaults()).toEqual([
    'reader may not s3:ListBucket on arn:aws:s3:::b: nothing allows it',
  ])
  await own.close()
})
