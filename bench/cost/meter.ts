import type { AwsClients } from '../../functions/aws/platform.ts'
import { itemsOf, keptBytes, partitionOf, unitsOf } from './dynamodb-units.ts'

/** What is billed, by kind. Bytes are those that stay until they expire. */
export const kinds = [
  'dynamodb.read',
  'dynamodb.write',
  'dynamodb.keptBytes',
  's3.get',
  's3.put',
  's3.keptBytes',
  'sqs.send',
  'sqs.message',
  'ses.mail',
  'log.bytes',
] as const
export type Kind = (typeof kinds)[number]
export type Tally = Record<Kind, number>

export const noTally = (): Tally => Object.fromEntries(kinds.map((kind) => [kind, 0])) as Tally

export interface Meter {
  /** What `work` called for, and how often it looked whether the run still goes on. */
  during(work: () => Promise<unknown>): Promise<{ tally: Tally; looks: number }>
}

/**
 * Counts every call of the SDK clients, below their retries, by what the services bill. Calls of
 * the pace are left out: how many there are depends on the quota, so `pace-calls.ts` counts them at
 * the quotas that are priced.
 */
export function meterOf(clients: AwsClients, logged: readonly string[]): Meter {
  let tally = noTally()
  let looks = 0

  function note(command: string, { body, headers }: HttpRequest, output: object): void {
    switch (command) {
      case 'PutObjectCommand': {
        tally['s3.put']++
        if (isKeptPost(String((output as { key?: string }).key)))
          tally['s3.keptBytes'] += Number(headers['content-length'] ?? 0)
        return
      }
      case 'GetObjectCommand':
        tally['s3.get']++
        return
      // Listing costs as much as putting; deleting is free.
      case 'ListObjectsV2Command':
        tally['s3.put']++
        return
      case 'SendMessageBatchCommand':
        tally['sqs.send']++
        tally['sqs.message'] += (jsonOf(body) as { Entries: unknown[] }).Entries.length
        return
      case 'SendRawEmailCommand':
        tally['ses.mail']++
        return
      default:
        if (/^(Get|BatchGet|Put|BatchWrite|Update|Delete)ItemCommand$|^QueryCommand$/.test(command))
          noteDynamodb(command, body, output)
    }
  }

  function noteDynamodb(command: string, body: unknown, output: object): void {
    const text = bodyText(body)
    if (/"pace(-stretch)?:/.test(text)) return
    if (text.includes('"S":"clock"') && text.includes('"S":"sending"')) looks++
    const request = JSON.parse(text)
    const { reads, writes } = unitsOf(command, request, output)
    tally['dynamodb.read'] += reads
    tally['dynamodb.write'] += writes
    for (const item of itemsOf(request)) {
      if (/^(ledger|evidence):/.test(partitionOf(item))) {
        tally['dynamodb.keptBytes'] += keptBytes(item)
      }
    }
  }

  for (const client of Object.values(clients)) {
    const stack = (client as { middlewareStack: unknown }).middlewareStack as {
      add(layer: Layer, options: { step: 'finalizeRequest'; priority: 'low'; name: string }): void
    }
    stack.add(
      (next, { commandName }) =>
        async (args) => {
          try {
            const answer = await next(args)
            note(commandName, args.request, { ...answer.output, key: args.request.path })
            return answer
          } catch (error) {
            // A condition that does not hold, or an object that is not there: billed all the same.
            note(commandName, args.request, { key: args.request.path })
            throw error
          }
        },
      { step: 'finalizeRequest', priority: 'low', name: 'meter' },
    )
  }

  return {
    async during(work) {
      const lines = logged.length
      tally = noTally()
      looks = 0
      await work()
      const counted = tally
      // What is called between two measurements belongs to none.
      tally = noTally()
      for (const line of logged.slice(lines)) counted['log.bytes'] += Buffer.byteLength(line) + 1
      return { tally: counted, looks }
    },
  }
}

/** The source, the body and the page of a post, which are written once and stay. */
function isKeptPost(path: string): boolean {
  return /^\/[^/]+\/(posts\/|public\/posts\/)/.test(path)
}

function bodyText(body: unknown): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array)
}

function jsonOf(body: unknown): unknown {
  return JSON.parse(bodyText(body))
}

interface HttpRequest {
  body: unknown
  path: string
  headers: Record<string, string>
}
type Call = (args: { request: HttpRequest }) => Promise<{ output: object }>
type Layer = (next: Call, context: { commandName: string }) => Call
