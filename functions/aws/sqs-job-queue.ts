import { randomUUID } from 'node:crypto'
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { laneOf } from '../jobs.ts'
import type { DeadLetter, JobQueue, Lane } from '../platform.ts'
import { type Envelope, readEnvelope } from './job-envelope.ts'

export const lanes = ['urgent', 'work', 'mail'] as const satisfies readonly Lane[]

/** Addresses of the queues, and of the one that takes what was received too often. */
export type QueueUrls = Readonly<Record<Lane | 'dead', string>>

/** How long a look at the dead letters holds them, seconds; they come back by themselves. */
const lookSeconds = 2

/** So often a look takes up to ten of them: junk comes back while others are still to be seen. */
const mostLooks = 60

/**
 * Jobs in one SQS queue a lane, with a shared dead-letter queue. Redelivery, leases and the move to
 * the dead letters are SQS's own (redrive policy with `maxReceiveCount` 5).
 *
 * `deadLetters` and `redrive` read a queue that cannot be listed: they take what SQS hands out at
 * the moment, up to six hundred, and say nothing about order beyond the time of death. Messages that
 * are no jobs (ticks, notices of files, junk) count among these and stay where they are.
 */
export function sqsJobQueue({
  client,
  queues,
}: {
  client: SQSClient
  queues: QueueUrls
}): JobQueue {
  return {
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
    async enqueue(jobs, { delaySeconds = 0 } = {}) {
      if (!(delaySeconds >= 0 && delaySeconds <= 900)) {
        throw new Error(`a job can be delayed by 0 to 900 seconds, not ${delaySeconds}`)
      }
      const envelopes = jobs.map((job): Envelope => ({ id: randomUUID(), job }))
      for (const lane of lanes) {
        const ofLane = envelopes.filter(({ job }) => laneOf(job) === lane)
        for (let start = 0; start < ofLane.length; start += 10) {
          const answer = await client.send(
            new SendMessageBatchCommand({
              QueueUrl: queues[lane],
              Entries: ofLane.slice(start, start + 10).map((envelope, position) => ({
                Id: String(position),
                MessageBody: JSON.stringify(envelope),
                DelaySeconds: Math.ceil(delaySeconds),
              })),
            }),
          )
          const failed = answer.Failed ?? []
          if (failed.length > 0) {
            throw new Error(
              `SQS refused ${failed.length} jobs: ${failed[0]?.Code} ${failed[0]?.Message}`,
            )
          }
        }
      }
      return envelopes.map(({ id }) => id)
    },

    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
    async receive(lane, { limit, leaseSeconds }) {
      const answer = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queues[lane],
          MaxNumberOfMessages: Math.min(10, limit),
          VisibilityTimeout: leaseSeconds,
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
        }),
      )
      return (answer.Messages ?? []).flatMap((message) => {
        const envelope = readEnvelope(message.Body)
        // Not ours: left alone, it reaches the dead letters by its receive count.
        if (!envelope || !message.ReceiptHandle) return []
        return [
          {
            id: envelope.id,
            receipt: receiptOf(lane, message.ReceiptHandle),
            job: envelope.job,
            receives: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
          },
        ]
      })
    },

    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
    async complete(receipt) {
      const { lane, handle } = partsOf(receipt)
      await client.send(new DeleteMessageCommand({ QueueUrl: queues[lane], ReceiptHandle: handle }))
    },

    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
    async release(receipt, { delaySeconds = 0 } = {}) {
      const { lane, handle } = partsOf(receipt)
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: queues[lane],
          ReceiptHandle: handle,
          VisibilityTimeout: Math.min(43_200, Math.ceil(delaySeconds)),
        }),
      )
    },

    async deadLetters({ limit = 100 } = {}) {
      const seen = new Map<string, DeadLetter>()
      let empty = 0
      for (let looks = 0; looks < mostLooks && seen.size < limit && empty < 2; looks++) {
        const { received, dead } = await takeDead(client, queues.dead, lookSeconds)
        if (received === 0) empty++
        for (const { letter } of dead) seen.set(letter.id, letter)
      }
      return [...seen.values()]
        .sort((a, b) => a.diedAt.getTime() - b.diedAt.getTime())
        .slice(0, limit)
    },

    async redrive(ids) {
      let count = 0
      const wanted = ids?.length ?? Number.POSITIVE_INFINITY
      for (let looks = 0; looks < mostLooks && count < wanted; looks++) {
        // Waits out a look of a moment ago, which still holds what it saw.
        const { received, dead } = await takeDead(client, queues.dead, 30, lookSeconds + 1)
        if (received === 0) break
        for (const { letter, handle, body } of dead) {
          if (ids && !ids.includes(letter.id)) continue
          // Sent before it is taken away: a crash in between doubles a job, which every job bears.
          await client.send(
            new SendMessageCommand({ QueueUrl: queues[letter.lane], MessageBody: body }),
          )
          await client.send(
            new DeleteMessageCommand({ QueueUrl: queues.dead, ReceiptHandle: handle }),
          )
          count++
        }
      }
      return count
    },
  }
}

async function takeDead(client: SQSClient, queue: string, seconds: number, waitSeconds = 0) {
  const answer = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: queue,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: seconds,
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['SentTimestamp'],
    }),
  )
  const messages = answer.Messages ?? []
  const dead = messages.flatMap((message) => {
    const envelope = readEnvelope(message.Body)
    const handle = message.ReceiptHandle
    if (!envelope || !handle) return []
    const letter: DeadLetter = {
      id: envelope.id,
      lane: laneOf(envelope.job),
      job: envelope.job,
      diedAt: new Date(Number(message.Attributes?.SentTimestamp ?? 0)),
    }
    return [{ letter, handle, body: message.Body ?? '' }]
  })
  return { received: messages.length, dead }
}

function receiptOf(lane: Lane, handle: string) {
  return `${lane} ${handle}`
}

function partsOf(receipt: string): { lane: Lane; handle: string } {
  const blank = receipt.indexOf(' ')
  return { lane: receipt.slice(0, blank) as Lane, handle: receipt.slice(blank + 1) }
}
