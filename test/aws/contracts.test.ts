import { afterAll, beforeAll, expect } from 'vitest'
import { dynamodbRecordStore } from '../../functions/aws/dynamodb-record-store.ts'
import { keptObjects, objectOutbox } from '../../functions/aws/object-outbox.ts'
import { s3ObjectStore } from '../../functions/aws/s3-object-store.ts'
import { sesMailer } from '../../functions/aws/ses-mailer.ts'
import { sqsJobQueue } from '../../functions/aws/sqs-job-queue.ts'
import type { ObjectStore } from '../../functions/platform.ts'
import { jobQueueContract } from '../contracts/job-queue.ts'
import { mailerContract } from '../contracts/mailer.ts'
import { objectStoreContract } from '../contracts/object-store.ts'
import { outboxContract } from '../contracts/outbox.ts'
import { recordStoreContract } from '../contracts/record-store.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'

type Servers = Awaited<ReturnType<typeof startAwsServers>>
let servers: Servers

beforeAll(async () => {
  servers = await startAwsServers()
})
afterAll(() => servers.close())

const start = Date.parse('2026-03-02T08:00:00Z')
const nothing = async () => {}

objectStoreContract('S3', async () => {
  const bucket = await servers.bucket()
  const open = () => s3ObjectStore({ client: servers.clients.s3, bucket })
  return { objects: open(), again: async () => open(), close: nothing }
})

recordStoreContract('DynamoDB', async () => {
  const table = await servers.table()
  let present = start
  const now = () => new Date(present)
  const open = () => dynamodbRecordStore({ client: servers.clients.dynamodb, table, now })
  return {
    records: open(),
    advance: async (ms) => {
      present += ms
    },
    now,
    again: async () => open(),
    close: nothing,
  }
})

jobQueueContract('SQS', async () => {
  const queues = await servers.queues()
  return {
    jobs: sqsJobQueue({ client: servers.clients.sqs, queues }),
    // SQS has a clock of its own: time passes by waiting.
    advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    close: nothing,
  }
})

mailerContract('SES', async () => {
  const now = () => new Date(start)
  const before = servers.ses.mails.length
  const records = dynamodbRecordStore({
    client: servers.clients.dynamodb,
    table: await servers.table(),
    now,
  })
  return {
    mailer: sesMailer({ client: servers.clients.ses, records, now }),
    delivered: async () =>
      servers.ses.mails
        .slice(before)
        .flatMap(({ destinations, raw }) =>
          destinations.map((to) => ({ to, raw: raw.toString('utf8') })),
        ),
    writesOwnIds: true,
    now,
    close: nothing,
  }
})

mailerContract('the outbox in a bucket', async () => {
  const now = () => new Date(start)
  const objects = s3ObjectStore({ client: servers.clients.s3, bucket: await servers.bucket() })
  return {
    mailer: objectOutbox({ objects, now }),
    delivered: async () => {
      const { objects: listed } = await objects.list('outbox/')
      return Promise.all(
        listed.map(async ({ key }) => {
          const raw = new TextDecoder().decode((await objects.get(key))?.body)
          return { to: /^To: <(.*)>/m.exec(raw)?.[1] ?? '', raw }
        }),
      )
    },
    now,
    close: nothing,
  }
})

outboxContract('the outbox in a bucket', async () => {
  const now = () => new Date(start)
  const objects = s3ObjectStore({ client: servers.clients.s3, bucket: await servers.bucket() })
  const kept = async () =>
    (await objects.list('outbox/')).objects.map(({ key }) =>
      key.slice(key.lastIndexOf('/') + 1, -'.eml'.length),
    )
  // Short pages, and never one beside the reader's own mails, however many are kept.
  const paged: ObjectStore = {
    ...objects,
    list: async (prefix, options) => {
      const page = await objects.list(prefix, { ...options, limit: 2 })
      expect(page.objects.every(({ key }) => /^outbox\/[0-9a-f]{32}\//.test(key))).toBe(true)
      return page
    },
  }
  return {
    mailer: objectOutbox({ objects, now }),
    outbox: keptObjects({ objects: paged }),
    now,
    kept,
  }
})
