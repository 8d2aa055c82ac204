import { randomBytes } from 'node:crypto'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import type { NewRecord, RecordKey, RecordStore, StoredRecord } from '../platform.ts'
import { assertRecord } from '../record-limits.ts'
import { tableAttributes, tableIndex } from './table.ts'

/** An item as it lies in the table. */
export interface Row {
  [tableAttributes.partition]: string
  [tableAttributes.sort]: string
  /** The value as JSON text: stored as it is read, whatever DynamoDB's own types make of numbers and empty strings. */
  [tableAttributes.value]: string
  [tableAttributes.count]?: number
  [tableAttributes.version]: string
  [tableAttributes.indexPartition]?: string
  [tableAttributes.indexSort]?: string
  /** Seconds since 1970, as DynamoDB's TTL wants them. */
  [tableAttributes.expires]?: number
}

/**
 * Records in one DynamoDB table, with single-item conditional writes only. DynamoDB deletes an
 * expired item up to days late, so every read and condition looks at the expiry itself:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
 */
export function dynamodbRecordStore({
  client,
  table,
  now,
}: {
  client: DynamoDBClient
  table: string
  now: () => Date
}): RecordStore {
  const documents = DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true },
  })
  const seconds = () => Math.floor(now().getTime() / 1000)
  const isLive = (row: Row | undefined): row is Row =>
    row !== undefined && (row.x === undefined || row.x > seconds())

  const store: RecordStore = {
    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
    async get<T>(key: RecordKey) {
      const { Item } = await documents.send(
        new GetCommand({
          TableName: table,
          Key: keyOf(key),
          ConsistentRead: true,
        }),
      )
      return isLive(Item as Row | undefined) ? recordOf<T>(Item as Row) : undefined
    },

    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    async getMany<T>(keys: readonly RecordKey[]) {
      const found = new Map<string, StoredRecord<T>>()
      // One call refuses the same key twice.
      const unique = [...new Map(keys.map((key) => [nameOf(key), key])).values()]
      await inBatches(unique, 100, async (batch) => {
        let wanted = batch.map(keyOf)
        for (let attempt = 0; wanted.length > 0; attempt++) {
          const answer = await documents.send(
            new BatchGetCommand({
              RequestItems: { [table]: { Keys: wanted, ConsistentRead: true } },
            }),
          )
          for (const row of (answer.Responses?.[table] ?? []) as Row[]) {
            if (isLive(row)) found.set(nameOf({ partition: row.p, sort: row.s }), recordOf<T>(row))
          }
          wanted = (answer.UnprocessedKeys?.[table]?.Keys ?? []) as typeof wanted
          if (wanted.length > 0) await pause(attempt)
        }
      })
      return keys.map((key) => found.get(nameOf(key)))
    },

    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
    async put<T>(record: NewRecord<T>, condition?: Parameters<RecordStore['put']>[1]) {
      const row = rowOf(record)
      try {
        await documents.send(
          new PutCommand({
            TableName: table,
            Item: row,
            ...conditionOf(condition, seconds()),
          }),
        )
        return { status: 'stored', version: row.v }
      } catch (error) {
        if (isConditionFailure(error)) return { status: 'conflict' }
        throw error
      }
    },

    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
    async putMany(records) {
      // One call refuses the same key twice; the last of them stands, as with puts in order.
      const rows = [...new Map(records.map((record) => [nameOf(record), record])).values()].map(
        rowOf,
      )
      await inBatches(rows, 25, async (batch) => {
        let requests = batch.map((Item) => ({ PutRequest: { Item } }))
        for (let attempt = 0; requests.length > 0; attempt++) {
          const answer = await documents.send(
            new BatchWriteCommand({ RequestItems: { [table]: requests } }),
          )
          requests = (answer.UnprocessedItems?.[table] ?? []) as typeof requests
          if (requests.length > 0) await pause(attempt)
        }
      })
    },

    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html
    async delete(key, condition) {
      try {
        await documents.send(
          new DeleteCommand({
            TableName: table,
            Key: keyOf(key),
            ...conditionOf(condition, seconds()),
          }),
        )
        return { status: 'deleted' }
      } catch (error) {
        if (isConditionFailure(error)) return { status: 'conflict' }
        throw error
      }
    },

    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
    async query<T>(partition: string, options: Parameters<RecordStore['query']>[1] = {}) {
      const { from, to, prefix, reverse = false, limit = 1000, cursor, index = false } = options
      const [partitionName, sortName] = index
        ? [tableAttributes.indexPartition, tableAttributes.indexSort]
        : [tableAttributes.partition, tableAttributes.sort]
      const values: Record<string, string | number> = { ':p': partition, ':now': seconds() }
      let condition = '#p = :p'
      if (prefix !== undefined && prefix !== '') {
        condition += ' AND begins_with(#s, :prefix)'
        values[':prefix'] = prefix
      } else if (from !== undefined && to !== undefined) {
        if (Buffer.compare(Buffer.from(from), Buffer.from(to)) > 0) return { records: [] }
        condition += ' AND #s BETWEEN :from AND :to'
        values[':from'] = from
        values[':to'] = to
      } else if (from !== undefined) {
        condition += ' AND #s >= :from'
        values[':from'] = from
      } else if (to !== undefined) {
        condition += ' AND #s <= :to'
        values[':to'] = to
      }
      const usesSort = condition !== '#p = :p'
      const page = await documents.send(
        new QueryCommand({
          TableName: table,
          ...(index ? { IndexName: tableIndex } : { ConsistentRead: true }),
          KeyConditionExpression: condition,
          FilterExpression: 'attribute_not_exists(x) OR x > :now',
          ExpressionAttributeNames: {
            '#p': partitionName,
            ...(usesSort ? { '#s': sortName } : {}),
          },
          ExpressionAttributeValues: values,
          ScanIndexForward: !reverse,
          Limit: limit,
          ...(cursor === undefined
            ? {}
            : { ExclusiveStartKey: JSON.parse(Buffer.from(cursor, 'base64url').toString()) }),
        }),
      )
      const records = ((page.Items ?? []) as Row[]).map((row) => recordOf<T>(row))
      return page.LastEvaluatedKey
        ? {
            records,
            cursor: Buffer.from(JSON.stringify(page.LastEvaluatedKey)).toString('base64url'),
          }
        : { records }
    },

    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
    async add(key, amount, options = {}) {
      const version = newVersion()
      const expires = options.expiresAt ? expirySeconds(options.expiresAt) : undefined
      const send = (isFresh: boolean) =>
        documents.send(
          new UpdateCommand({
            TableName: table,
            Key: keyOf(key),
            UpdateExpression: isFresh
              ? `SET v = :v, j = :empty, n = :amount${expires === undefined ? ' REMOVE x, ip, #is' : ', x = :x REMOVE ip, #is'}`
              : `SET v = :v, j = if_not_exists(j, :empty)${expires === undefined ? '' : ', x = :x'} ADD n :amount`,
            ConditionExpression: isFresh ? 'x <= :now' : 'attribute_not_exists(x) OR x > :now',
            ExpressionAttributeValues: {
              ':v': version,
              ':empty': '{}',
              ':amount': amount,
              ':now': seconds(),
              ...(expires === undefined ? {} : { ':x': expires }),
            },
            ...(isFresh ? { ExpressionAttributeNames: { '#is': 'is' } } : {}),
            ReturnValues: 'UPDATED_NEW',
          }),
        )
      // An expired item counts as absent: it starts again from nothing, by whoever comes first.
      for (let isFresh = false; ; isFresh = !isFresh) {
        try {
          const { Attributes } = await send(isFresh)
          return Attributes?.n as number
        } catch (error) {
          if (!isConditionFailure(error)) throw error
        }
      }
    },
  }
  return store
}

function rowOf(record: NewRecord<unknown>): Row {
  const json = JSON.stringify(record.value)
  assertRecord(record, json)
  const row: Row = { p: record.partition, s: record.sort, j: json, v: newVersion() }
  // The counter stands apart, since DynamoDB adds to an attribute, not inside of JSON.
  const count = (record.value as { count?: unknown } | null)?.count
  if (typeof count === 'number') row.n = count
  if (record.index) {
    row.ip = record.index.partition
    row.is = record.index.sort
  }
  if (record.expiresAt) row.x = expirySeconds(record.expiresAt)
  return row
}

export function recordOf<T>(row: Row): StoredRecord<T> {
  const value = JSON.parse(row.j) as Record<string, unknown>
  const record: StoredRecord<T> = {
    partition: row.p,
    sort: row.s,
    value: (row.n === undefined ? value : { ...value, count: row.n }) as T,
    version: row.v,
  }
  if (row.ip !== undefined && row.is !== undefined) {
    record.index = { partition: row.ip, sort: row.is }
  }
  if (row.x !== undefined) record.expiresAt = new Date(row.x * 1000)
  return record
}

/** TTL counts whole seconds; rounding up keeps an item at least as long as was asked. */
function expirySeconds(at: Date) {
  return Math.ceil(at.getTime() / 1000)
}

function conditionOf(condition: { ifAbsent?: true; ifVersion?: string } | undefined, now: number) {
  if (!condition) return {}
  if (condition.ifVersion !== undefined) {
    return {
      ConditionExpression: 'v = :v AND (attribute_not_exists(x) OR x > :now)',
      ExpressionAttributeValues: { ':v': condition.ifVersion, ':now': now },
    }
  }
  return {
    ConditionExpression: 'attribute_not_exists(p) OR x <= :now',
    ExpressionAttributeValues: { ':now': now },
  }
}

function newVersion() {
  return randomBytes(12).toString('base64url')
}

const keyOf = ({ partition, sort }: RecordKey): Pick<Row, 'p' | 's'> => ({ p: partition, s: sort })

function nameOf({ partition, sort }: RecordKey) {
  return `${partition}\u0000${sort}`
}

async function inBatches<T>(all: readonly T[], size: number, work: (batch: T[]) => Promise<void>) {
  for (let start = 0; start < all.length; start += size) await work(all.slice(start, start + size))
}

/** What DynamoDB leaves unprocessed was throttled: wait a little longer each time, with jitter. */
function pause(attempt: number) {
  const milliseconds = Math.min(2000, 50 * 2 ** attempt) * (0.5 + Math.random() / 2)
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function isConditionFailure(error: unknown) {
  return (error as { name?: string }).name === 'ConditionalCheckFailedException'
}
