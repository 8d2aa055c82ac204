import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb'
import type { StoredRecord } from '../platform.ts'
import { type Row, recordOf } from './dynamodb-record-store.ts'

/**
 * Every record of a table, page by page (at most 1 MB of items each), in no order that means
 * anything. Expired ones are left out. The table may change meanwhile: each item is as it stood when
 * its page was read, and two items may be of different moments.
 *
 * Not of the port: what the product does never depends on reading everything.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
 */
export async function* everyRecord({
  client,
  table,
  now,
}: {
  client: DynamoDBClient
  table: string
  now: () => Date
}): AsyncGenerator<StoredRecord[], void, undefined> {
  const documents = DynamoDBDocumentClient.from(client)
  let after: Record<string, unknown> | undefined
  do {
    const page = await documents.send(
      new ScanCommand({
        TableName: table,
        ConsistentRead: true,
        FilterExpression: 'attribute_not_exists(x) OR x > :now',
        ExpressionAttributeValues: { ':now': Math.floor(now().getTime() / 1000) },
        ...(after ? { ExclusiveStartKey: after } : {}),
      }),
    )
    yield ((page.Items ?? []) as Row[]).map((row) => recordOf(row))
    after = page.LastEvaluatedKey
  } while (after)
}
