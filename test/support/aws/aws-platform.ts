import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { handlerFor as clockHandlerFor } from '../../../functions/aws/clock.lambda.ts'
import { handlerFor as feedbackHandlerFor } from '../../../functions/aws/feedback.lambda.ts'
import { handlerFor as jobsHandlerFor } from '../../../functions/aws/jobs.lambda.ts'
import { type AwsPlatform, awsPlatform } from '../../../functions/aws/platform.ts'
import { lanes, type QueueUrls } from '../../../functions/aws/sqs-job-queue.ts'
import { handlerFor as webHandlerFor } from '../../../functions/aws/web.lambda.ts'
import { jsonLog } from '../../../functions/json-log.ts'
import type { Outbox } from '../../../functions/platform.ts'
import { recipientOf, type ScratchPlatformOptions, scratchSettings } from '../scratch-platform.ts'
import type { startAwsServers } from './aws-servers.ts'
import { asCaller } from './caller.ts'
import { functionUrlEvent, responseOf } from './function-url-event.ts'

export type AwsServers = Awaited<ReturnType<typeof startAwsServers>>

/** How long a message is out of sight of other receivers, seconds. */
const visibilitySeconds = 30

export interface ScratchAwsPlatform extends Omit<AwsPlatform, 'outbox'> {
  setNow(instant: string | Date): void
  advance(ms: number): void
  /** Runs the queues dry through the `jobs` doorway; throws when a message fails. */
  settle(): Promise<void>
  /** The mails that SES took, or those kept in the bucket when no sender is set. */
  outbox: Outbox & (() => Promise<{ deliveryId: string; to: string; raw: string }[]>)
  close(): Promise<void>
  /** The four doorways, as deployed but for the environment. */
  readonly doorways: {
    /** Answers a request by way of a function URL event, called from an address. */
    web(path: string, init?: RequestInit, sourceIp?: string): Promise<Response>
    jobs: ReturnType<typeof jobsHandlerFor>
    clock: ReturnType<typeof clockHandlerFor>
    feedback: ReturnType<typeof feedbackHandlerFor>
  }
  readonly queues: QueueUrls
  readonly table: string
  readonly bucket: string
  /** Every line logged, as JSON. */
  readonly logged: string[]
}

/**
 * The AWS platform on the test servers with a bucket, a table and queues of its own, and a clock
 * that stands until a test moves it. SQS's delays alone go by real time.
 */
export async function scratchAwsPlatform(
  servers: AwsServers,
  options: Pick<ScratchPlatformOptions, 'settings' | 'now'> & { edgeMark?: string } = {},
): Promise<ScratchAwsPlatform> {
  const { clients, ses } = servers
  let present = new Date(options.now ?? '2026-03-02T08:00:00Z')
  const logged: string[] = []
  const settings = scratchSettings(options.settings)
  const [bucket, table, queues] = await Promise.all([
    servers.bucket(),
    servers.table(),
    servers.queues(),
  ])
  const platform = await awsPlatform({
    bucket,
    table,
    queues,
    settings,
    clients,
    now: () => new Date(present),
    log: jsonLog({ write: (line) => logged.push(line) }),
  })
  const answer = webHandlerFor(platform, options.edgeMark)
  // Each calls AWS as its own function does, the poller of a queue as the one that it hands over to.
  const as =
    <A extends unknown[], T>(name: string, work: (...args: A) => T) =>
    (...args: A): T =>
      asCaller(name, () => work(...args))
  const jobs = as('jobs', jobsHandlerFor(platform))
  const sentBefore = ses.mails.length

  const settle = as('jobs', async (): Promise<void> => {
    for (let isDry = false; !isDry; ) {
      isDry = true
      for (const lane of lanes) {
        const QueueUrl = queues[lane]
        const { Messages = [] } = await clients.sqs.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: 10,
            VisibilityTimeout: visibilitySeconds,
          }),
        )
        if (Messages.length === 0) continue
        isDry = false
        const { batchItemFailures } = await jobs({
          Records: Messages.map(({ MessageId = '', Body = '' }) => ({
            messageId: MessageId,
            body: Body,
          })),
        })
        const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
        for (const { MessageId = '', ReceiptHandle } of Messages) {
          if (failed.has(MessageId)) continue
          await clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
        }
        if (failed.size > 0) throw new Error(`a job failed: ${logged.at(-1)}`)
      }
    }
  })

  async function kept() {
    const { objects } = await platform.objects.list('outbox/')
    return Promise.all(
      objects.map(async ({ key }) => {
        const raw = new TextDecoder().decode((await platform.objects.get(key))?.body)
        const deliveryId = key.slice(key.lastIndexOf('/') + 1, -'.eml'.length)
        return { deliveryId, to: recipientOf(raw), raw }
      }),
    )
  }

  const mails = async () => [
    ...(await kept()),
    ...ses.mails.slice(sentBefore).map(({ tags, destinations, raw }) => ({
      deliveryId: tags.delivery ?? '',
      to: destinations.join(),
      raw: raw.toString('utf8'),
    })),
  ]

  return {
    ...platform,
    logged,
    queues,
    table,
    bucket,
    setNow: (instant) => {
      present = new Date(instant)
    },
    advance: (ms) => {
      present = new Date(present.getTime() + ms)
    },
    settle,
    outbox: Object.assign(mails, platform.outbox),
    close: async () => {},
    doorways: {
      web: as('web', async (path: string, init?: RequestInit, sourceIp?: string) =>
        responseOf(await answer(await functionUrlEvent(path, init, sourceIp))),
      ),
      jobs,
      clock: as('clock', clockHandlerFor(platform)),
      feedback: as('feedback', feedbackHandlerFor(platform)),
    },
  }
}
