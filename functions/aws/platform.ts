import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { SESClient } from '@aws-sdk/client-ses'
import { SQSClient } from '@aws-sdk/client-sqs'
import manifest from '../../package.json' with { type: 'json' }
import { jsonLog } from '../json-log.ts'
import type { Log, Mailer, Platform } from '../platform.ts'
import type { Settings } from '../settings.ts'
import { dynamodbRecordStore } from './dynamodb-record-store.ts'
import { objectOutbox } from './object-outbox.ts'
import { s3ObjectStore } from './s3-object-store.ts'
import { sesMailer } from './ses-mailer.ts'
import { type QueueUrls, sqsJobQueue } from './sqs-job-queue.ts'
import { storedSecrets } from './stored-secrets.ts'
import { verifiedMailer } from './verified-mailer.ts'

export interface AwsClients {
  s3: S3Client
  dynamodb: DynamoDBClient
  sqs: SQSClient
  ses: SESClient
}

export interface AwsPlatformOptions {
  table: string
  bucket: string
  queues: QueueUrls
  configurationSet?: string
  settings: Settings
  clients?: AwsClients
  now?: () => Date
  log?: Log
}

export interface AwsPlatform extends Platform {
  /** Sees what other functions changed of the secrets; to be awaited before each event. */
  refresh(): Promise<void>
}

/** The service on AWS, as one function of it sees it. Makes the secrets if it is the first. */
export async function awsPlatform(options: AwsPlatformOptions): Promise<AwsPlatform> {
  const { settings, now = () => new Date(), clients = awsClients() } = options
  const objects = s3ObjectStore({ client: clients.s3, bucket: options.bucket })
  const records = dynamodbRecordStore({ client: clients.dynamodb, table: options.table, now })
  const { secrets, refresh, rotateLinks } = await storedSecrets({ records, now })
  return {
    objects,
    records,
    jobs: sqsJobQueue({ client: clients.sqs, queues: options.queues }),
    mailer: mailerOf(options, clients, { objects, records, now }),
    now,
    settings,
    secrets,
    log: options.log ?? jsonLog(),
    // Jobs run in another function: the answer says that they are queued.
    settled: async () => {},
    isLocal: false,
    version: manifest.version,
    rotateLinks,
    refresh,
  }
}

/** Clients of the region and role that the function runs with. */
export function awsClients(): AwsClients {
  return {
    s3: new S3Client({}),
    dynamodb: new DynamoDBClient({}),
    sqs: new SQSClient({}),
    // One attempt, and an end well within half a lease: a silent repetition could mail twice.
    ses: new SESClient({
      maxAttempts: 1,
      requestHandler: { requestTimeout: 20_000, connectionTimeout: 5_000 },
    }),
  }
}

function mailerOf(
  { settings, configurationSet }: AwsPlatformOptions,
  { ses: client }: AwsClients,
  { objects, records, now }: Pick<Platform, 'objects' | 'records' | 'now'>,
): Mailer {
  const outbox = objectOutbox({ objects, now })
  const domain = settings.mail.from?.replace(/>\s*$/, '').split('@').pop()
  if (!domain) return outbox
  const ses = sesMailer({
    client,
    records,
    now,
    ...(configurationSet ? { configurationSet } : {}),
  })
  return verifiedMailer({ client, domain, ses, outbox, now })
}
