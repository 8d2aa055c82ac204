import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { SESClient } from '@aws-sdk/client-ses'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { AwsClients } from '../../../functions/aws/platform.ts'
import type { AwsServers } from './aws-platform.ts'

export interface MortalClients {
  clients: AwsClients
  /** SDK calls begun so far. */
  calls(): number
  /** Resolves at the death; never for those that live on. */
  died: Promise<void>
  close(): void
}

/**
 * The SDK clients of one function that dies at its n-th call: before it, or after it took effect and
 * before its answer is seen. From then on no call is begun and no answer comes, as when Lambda stops
 * a function for good.
 */
export function mortalClients(
  { urls }: Pick<AwsServers, 'urls'>,
  deathAt = Number.POSITIVE_INFINITY,
  when: 'before' | 'after' = 'after',
): MortalClients {
  const region = 'eu-central-1'
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  let calls = 0
  let isDead = false
  let die = () => {}
  const died = new Promise<void>((resolve) => {
    die = () => {
      isDead = true
      resolve()
    }
  })
  const never = () => new Promise<never>(() => {})

  // The clients differ in types only; a layer around each call is the same for all of them.
  function mortal<C extends { middlewareStack: unknown }>(client: C): C {
    const stack = client.middlewareStack as {
      add(layer: (next: Call) => Call, options: { step: 'initialize'; name: string }): void
    }
    stack.add(
      (next) => async (args) => {
        if (isDead) return never()
        const isLast = ++calls === deathAt
        if (isLast && when === 'before') {
          die()
          return never()
        }
        const answer = await next(args)
        if (isLast) die()
        return isDead ? never() : answer
      },
      { step: 'initialize', name: 'mortal' },
    )
    return client
  }

  const clients: AwsClients = {
    s3: mortal(new S3Client({ region, credentials, endpoint: urls.s3, forcePathStyle: true })),
    dynamodb: mortal(new DynamoDBClient({ region, credentials, endpoint: urls.dynamodb })),
    sqs: mortal(new SQSClient({ region, credentials, endpoint: urls.sqs })),
    ses: mortal(new SESClient({ region, credentials, endpoint: urls.ses, maxAttempts: 1 })),
  }
  return {
    clients,
    calls: () => calls,
    died,
    close: () => {
      for (const client of Object.values(clients)) client.destroy()
    },
  }
}

type Call = (args: unknown) => Promise<unknown>
