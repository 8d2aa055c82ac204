import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { S3Client } from '@aws-sdk/client-s3'
import type { SESClient } from '@aws-sdk/client-ses'
import type { SQSClient } from '@aws-sdk/client-sqs'
import manifest from '../../package.json' with { type: 'json' }
import { jsonLog } from '../json-log.ts'
import type { Log, Mailer, Platform } from '../platform.ts'
import type { Settings } from '../settings.ts'
import { dynamodbRecordStore } from './dynamodb-record-store.ts'
import { objectOutbox } from './object-outbox.ts'
import { jobsOnDemand, mailerOnDemand, objectsOnDemand } from './on-demand.ts'
import { sesEvidence } from './ses-evidence.ts'
import type { QueueUrls } from './sqs-job-queue.ts'
import { storedSecrets } from './stored-secrets.ts'

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
  /** @default those of the region and role that the process runs with, made when first used */
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
  const { settings, clients, bucket, queues, now = () => new Date() } = options
  const client = clients?.dynamodb ?? new DynamoDBClient({})
  const records = dynamodbRecordStore({ client, table: options.table, now })
  const objects = objectsOnDemand(async () => {
    const [{ S3Client }, { s3ObjectStore }] = await Promise.all([
      import('@aws-sdk/client-s3'),
      import('./s3-object-store.ts'),
    ])
    return s3ObjectStore({ client: clients?.s3 ?? new S3Client({}), bucket })
  })
  const jobs = jobsOnDemand(async () => {
    const [{ SQSClient }, { sqsJobQueue }] = await Promise.all([
      import('@aws-sdk/client-sqs'),
      import('./sqs-job-queue.ts'),
    ])
    return sqsJobQueue({ client: clients?.sqs ?? new SQSClient({}), queues })
  })
  const { secrets, refresh, rotateLinks } = await storedSecrets({ records, now })
  return {
    objects,
    records,
    jobs,
    mailer: mailerOf(options, { objects, records, now }),
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

function mailerOf(
  { settings, configurationSet, clients }: AwsPlatformOptions,
  { objects, records, now }: Pick<Platform, 'objects' | 'records' | 'now'>,
): Mailer {
  const outbox = objectOutbox({ objects, now })
  const domain = settings.mail.from?.replace(/>\s*$/, '').split('@').pop()
  if (!domain) return outbox
  return mailerOnDemand(sesEvidence, async () => {
    const [{ SESClient }, { sesMailer }, { verifiedMailer }] = await Promise.all([
      import('@aws-sdk/client-ses'),
      import('./ses-mailer.ts'),
      import('./verified-mailer.ts'),
    ])
    const client =
      clients?.ses ??
      // One attempt, and an end well within half a lease: a silent repetition could mail twice.
      new SESClient({
        maxAttempts: 1,
        requestHandler: { requestTimeout: 20_000, connectionTimeout: 5_000 },
      })
    const ses = sesMailer({
      client,
      records,
      now,
      ...(configurationSet ? { configurationSet } : {}),
    })
    return verifiedMailer({ client, domain, ses, outbox, now })
  })
}
