import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sqsJobQueue } from '../../functions/aws/sqs-job-queue.ts'
import type { AwsServers } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'

let servers: AwsServers
beforeAll(async () => {
  servers = await startAwsServers()
})
afterAll(() => servers.close())

describe('the dead letters', () => {
  it('are found and put back among many that are no jobs, which stay', async () => {
    const { sqs: client } = servers.clients
    const queues = await servers.queues()
    const jobs = sqsJobQueue({ client, queues })
    const bury = (body: string) =>
      client.send(new SendMessageCommand({ QueueUrl: queues.dead, MessageBody: body }))
    const ids = ['a', 'b', 'c']
    for (let i = 0; i < 25; i++) await bury(`junk ${i}`)
    for (const id of ids) await bury(JSON.stringify({ id, job: { kind: 'plan', runId: id } }))
    for (let i = 0; i < 25; i++) await bury(JSON.stringify({ detail: { object: { key: `${i}` } } }))

    const found = await jobs.deadLetters()
    expect(found.map(({ id, lane }) => `${id} ${lane}`).toSorted()).toEqual([
      'a work',
      'b work',
      'c work',
    ])
    expect(await jobs.redrive()).toBe(3)
    const again = await jobs.receive('work', { limit: 10, leaseSeconds: 30 })
    expect(again.map(({ id }) => id).toSorted()).toEqual(ids)
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queues.dead,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    )
    const left = Object.values(Attributes ?? {}).reduce((sum, count) => sum + Number(count), 0)
    expect(left).toBe(50)
  })
})
