import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { SESClient } from '@aws-sdk/client-ses'
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import dynalite from 'dynalite'
import { startFauxqs } from 'fauxqs'
import { lanes, type QueueUrls } from '../../../functions/aws/sqs-job-queue.ts'
import { tableAttributes, tableIndex } from '../../../functions/aws/table.ts'
import { conditionalPutFront } from './conditional-put-front.ts'
import { sesSink } from './ses-sink.ts'

const region = 'eu-central-1'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

/**
 * AWS as far as npm can play it, in this process on free ports, reached by the real SDK clients.
 * What it cannot show is written down in docs/aws.md. Start once a file; names are fresh a test.
 */
export async function startAwsServers() {
  const fauxqs = await startFauxqs({ port: 0, logger: false })
  const front = await conditionalPutFront({ port: fauxqs.port })
  const dynamo = dynalite({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 })
  await new Promise<void>((resolve, reject) => {
    dynamo.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const ses = await sesSink()
  const dynamoUrl = `http://127.0.0.1:${(dynamo.address() as { port: number }).port}`

  const clients = {
    s3: new S3Client({ region, credentials, endpoint: front.url, forcePathStyle: true }),
    dynamodb: new DynamoDBClient({ region, credentials, endpoint: dynamoUrl }),
    sqs: new SQSClient({ region, credentials, endpoint: `http://127.0.0.1:${fauxqs.port}` }),
    ses: new SESClient({ region, credentials, endpoint: ses.url, maxAttempts: 1 }),
  }
  const urls = {
    s3: front.url,
    dynamodb: dynamoUrl,
    sqs: `http://127.0.0.1:${fauxqs.port}`,
    ses: ses.url,
  }
  let names = 0

  return {
    clients,
    urls,
    ses,
    s3: front,
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
    async close() {
      for (const client of Object.values(clients)) client.destroy()
      await Promise.all([
        front.close(),
        ses.close(),
        fauxqs.stop(),
        new Promise<void>((resolve) => dynamo.close(() => resolve())),
      ])
    },
  }
}
