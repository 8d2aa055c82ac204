import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { SESClient } from '@aws-sdk/client-ses'
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import dynalite from 'dynalite'
import { startFauxqs } from 'fauxqs'
import { lanes, type QueueUrls } from '../../../functions/aws/sqs-job-queue.ts'
import { tableAttributes, tableIndex } from '../../../functions/aws/table.ts'
import { signAsCaller } from './caller.ts'
import { conditionalPutFront } from './conditional-put-front.ts'
import { sesSink } from './ses-sink.ts'

const region = 'eu-central-1'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

export type ServerUrls = Readonly<Record<'s3' | 'dynamodb' | 'sqs' | 'ses', string>>

/**
 * AWS as far as npm can play it, in this process on free ports, reached by the real SDK clients.
 * What it cannot show is written down in docs/aws.md. Start once a file; names are fresh a test.
 *
 * @param front starts what stands before all of them, and says where
 */
export async function startAwsServers(front?: (behind: ServerUrls) => Promise<string>) {
  const fauxqs = await startFauxqs({ port: 0, logger: false })
  const s3 = await conditionalPutFront({ port: fauxqs.port })
  const dynamo = dynalite({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 })
  await new Promise<void>((resolve, reject) => {
    dynamo.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const ses = await sesSink()
  const behind = {
    s3: s3.url,
    dynamodb: `http://127.0.0.1:${(dynamo.address() as { port: number }).port}`,
    sqs: `http://127.0.0.1:${fauxqs.port}`,
    ses: ses.url,
  }
  const url = await front?.(behind)
  const urls: ServerUrls = url ? { s3: url, dynamodb: url, sqs: url, ses: url } : behind

  const clients = {
    s3: new S3Client({ region, credentials, endpoint: urls.s3, forcePathStyle: true }),
    dynamodb: new DynamoDBClient({ region, credentials, endpoint: urls.dynamodb }),
    sqs: new SQSClient({ region, credentials, endpoint: urls.sqs }),
    ses: new SESClient({ region, credentials, endpoint: urls.ses, maxAttempts: 1 }),
  }
  for (const client of Object.values(clients)) signAsCaller(client)
  let names = 0

  return {
    clients,
    urls,
    ses,
    s3,
    fauxqs,
    async bucket() {
      const Bucket = `bucket-${++names}`
      await clients.s3.send(new CreateBucketCommand({ Bucket }))
      return Bucket
    },
    async table() {
      const TableName = `table-${++names}`
      const { partition, sort, indexPartition, indexSort } = tableAttributes
      const key = (hash: string, range: string) => [
        { AttributeName: hash, KeyType: 'HASH' as const },
        { AttributeName: range, KeyType: 'RANGE' as const },
      ]
      await clients.dynamodb.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [partition, sort, indexPartition, indexSort].map(
            (AttributeName) => ({ AttributeName, AttributeType: 'S' as const }),
          ),
          KeySchema: key(partition, sort),
          GlobalSecondaryIndexes: [
            {
              IndexName: tableIndex,
              KeySchema: key(indexPartition, indexSort),
              Projection: { ProjectionType: 'ALL' },
            },
          ],
        }),
      )
      return TableName
    },
    async queues(): Promise<QueueUrls> {
      const prefix = `q${++names}`
      const create = async (name: string, attributes: Record<string, string> = {}) =>
        (
          await clients.sqs.send(
            new CreateQueueCommand({ QueueName: `${prefix}-${name}`, Attributes: attributes }),
          )
        ).QueueUrl ?? ''
      const dead = await create('dead')
      const { Attributes } = await clients.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ['QueueArn'] }),
      )
      const RedrivePolicy = JSON.stringify({
        deadLetterTargetArn: Attributes?.QueueArn,
        maxReceiveCount: 5,
      })
      const urls = await Promise.all(lanes.map((lane) => create(lane, { RedrivePolicy })))
      return {
        urgent: urls[0] ?? '',
        work: urls[1] ?? '',
        mail: urls[2] ?? '',
        dead,
      }
    },
    /** The queue that SES's events come by. */
    async eventQueue(): Promise<string> {
      const QueueName = `q${++names}-events`
      const { QueueUrl = '' } = await clients.sqs.send(new CreateQueueCommand({ QueueName }))
      return QueueUrl
    },
    async close() {
      for (const client of Object.values(clients)) client.destroy()
      await Promise.all([
        s3.close(),
        ses.close(),
        fauxqs.stop(),
        new Promise<void>((resolve) => dynamo.close(() => resolve())),
      ])
    },
  }
}
