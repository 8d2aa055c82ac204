import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { S3Client } from '@aws-sdk/client-s3'
import type { SESClient } from '@aws-sdk/client-ses'
import type { SQSClient } from '@aws-sdk/client-sqs'
import manifest from '../../package.json' with { type: 'json' }
import { jsonLog } from '../json-log.ts'
import { senderDomain } from '../mail/headers.ts'
import type { Log, Mailer, Platform } from '../platform.ts'
import type { Settings } from '../settings/settings.ts'
import { dataCalls, mailCalls, mailQuestions } from './call-limits.ts'
import { dynamodbRecordStore } from './dynamodb-record-store.ts'
import type { InboxBucket } from './inbox-bucket.ts'
import { keptObjects, objectOutbox } from './object-outbox.ts'
import { inboxOnDemand, jobsOnDemand, mailerOnDemand, objectsOnDemand, once } from './on-demand.ts'
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
  readonly inbox: InboxBucket
}

/** The service on AWS, as one function of it sees it. Makes the secrets if it is the first. */
export async function awsPlatform(options: AwsPlatformOptions): Promise<AwsPlatform> {
  const { settings, clients, bucket, queues, now = () => new Date() } = options
  const client = clients?.dynamodb ?? new DynamoDBClient(dataCalls)
  const records = dynamodbRecordStore({ client, table: options.table, now })
  const s3 = once(async () => {
    const { S3Client } = await import('@aws-sdk/client-s3')
    return clients?.s3 ?? new S3Client(dataCalls)
  })
  const objects = objectsOnDemand(async () => {
    const [client, { s3ObjectStore }] = await Promise.all([s3(), import('./s3-object-store.ts')])
    return s3ObjectStore({ client, bucket })
  })
  const inbox = inboxOnDemand(async () => {
    const [client, { inboxBucket }] = await Promise.all([s3(), import('./inbox-bucket.ts')])
    return inboxBucket({ client, bucket })
  })
  const jobs = jobsOnDemand(async () => {
    const [{ SQSClient }, { sqsJobQueue }] = await Promise.all([
      import('@aws-sdk/client-sqs'),
      import('./sqs-job-queue.ts'),
    ])
    return sqsJobQueue({ client: clients?.sqs ?? new SQSClient(dataCalls), queues })
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
    outbox: keptObjects({ objects }),
    inbox,
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
  const domain = senderDomain(settings)
  if (!domain) return outbox
  return mailerOnDemand(sesEvidence, async () => {
    const [{ SESClient }, { sesMailer }, { verifiedMailer }] = await Promise.all([
      import('@aws-sdk/client-ses'),
      import('./ses-mailer.ts'),
      import('./verified-mailer.ts'),
    ])
    const client = clients?.ses ?? new SESClient(mailCalls)
    const asking = clients?.ses ?? new SESClient(mailQuestions)
    const ses = sesMailer({
      client,
      asking,
      records,
      now,
      ...(configurationSet ? { configurationSet } : {}),
    })
    return verifiedMailer({ client: asking, domain, ses, outbox, now })
  })
}
