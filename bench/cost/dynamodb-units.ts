/**
 * What DynamoDB bills for a request, reckoned from its own text: a write unit for each begun kB, a read
 * unit for each begun 4 kB, half of it where reading may lag. Test servers do not count index writes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
export interface DynamodbUnits {
  reads: number
  writes: number
}

/** As it goes over the wire, or as the document client gives it back. */
type Attribute = { S?: string; N?: string } | string | number
type Item = Readonly<Record<string, Attribute>>

interface Request {
  TableName?: string
  Item?: Item
  IndexName?: string
  RequestItems?: Record<string, { Keys?: Item[] } | { PutRequest: { Item: Item } }[]>
}

interface Answer {
  Item?: Item
  Items?: Item[]
  Responses?: Record<string, Item[]>
}

/**
 * The units of one call. A refused condition costs as much as a write that holds. A replaced item is
 * taken to be no larger than the one that replaces it, and to stand at the same place of the index.
 */
export function unitsOf(command: string, request: Request, answer: Answer): DynamodbUnits {
  switch (command) {
    case 'GetItemCommand':
      return { reads: readUnits(answer.Item ? itemBytes(answer.Item) : 0), writes: 0 }
    case 'BatchGetItemCommand': {
      const asked = Object.values(request.RequestItems ?? {}).flatMap((of) =>
        'Keys' in of ? (of.Keys ?? []) : [],
      ).length
      const found = Object.values(answer.Responses ?? {}).flat()
      const reads = found.reduce((sum, item) => sum + readUnits(itemBytes(item)), 0)
      return { reads: reads + asked - found.length, writes: 0 }
    }
    case 'QueryCommand': {
      const bytes = (answer.Items ?? []).reduce((sum, item) => sum + itemBytes(item), 0)
      return { reads: readUnits(bytes) * (request.IndexName ? 0.5 : 1), writes: 0 }
    }
    case 'PutItemCommand':
      return { reads: 0, writes: putUnits(request.Item ?? {}) }
    case 'BatchWriteItemCommand':
      return { reads: 0, writes: itemsOf(request).reduce((sum, item) => sum + putUnits(item), 0) }
    // Counters and deletions: the items are small.
    case 'UpdateItemCommand':
    case 'DeleteItemCommand':
      return { reads: 0, writes: 1 }
    default:
      throw new Error(`no price is known for ${command}`)
  }
}

/** The items that a request puts. */
export function itemsOf(request: Request): Item[] {
  if (request.Item) return [request.Item]
  return Object.values(request.RequestItems ?? {}).flatMap((of) =>
    Array.isArray(of) ? of.map(({ PutRequest }) => PutRequest.Item) : [],
  )
}

/** What keeping an item occupies, its copy in the index and both overheads included. */
export function keptBytes(item: Item): number {
  return (itemBytes(item) + 100) * (item.ip ? 2 : 1)
}

function putUnits(item: Item): number {
  return Math.ceil(itemBytes(item) / 1024) * (item.ip ? 2 : 1)
}

function readUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 4096))
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  )
}

function valueBytes(value: Attribute): number {
  const text = typeof value === 'object' ? value.S : typeof value === 'string' ? value : undefined
  if (text !== undefined) return Buffer.byteLength(text)
  const digits = typeof value === 'object' ? (value.N ?? '') : String(value)
  return Math.ceil(digits.length / 2) + 1
}

export function partitionOf({ p }: Item): string {
  return (typeof p === 'object' ? p.S : p === undefined ? undefined : String(p)) ?? ''
}
