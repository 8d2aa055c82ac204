import { runJob } from '../jobs.ts'
import { objectKeys } from '../keys.ts'
import { platformFromEnvironment } from './environment.ts'
import { takeInboxObject } from './inbox-object.ts'
import type { AwsPlatform } from './platform.ts'
import { readEnvelope } from './sqs-job-queue.ts'

/** What SQS hands over: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export interface SqsEvent {
  Records: { messageId: string; body: string; eventSourceARN?: string }[]
}
/** Messages named here come again; the others are done. */
export interface SqsBatchAnswer {
  batchItemFailures: { itemIdentifier: string }[]
}

/** Jobs of one lane, and notices of files in the inbox. Each fails for itself alone. */
export async function handler(event: SqsEvent): Promise<SqsBatchAnswer> {
  const platform = await platformFromEnvironment()
  await platform.refresh()
  return answerBatch(platform, event, (body) => work(platform, body))
}

/** Runs each message; one that fails is logged and comes again, whatever the others do. */
export async function answerBatch(
  platform: Pick<AwsPlatform, 'log'>,
  event: SqsEvent,
  run: (body: string) => Promise<void>,
): Promise<SqsBatchAnswer> {
  const failures = await Promise.all(
    event.Records.map(async ({ messageId, body }) => {
      try {
        await run(body)
        return []
      } catch (error) {
        platform.log.error('message.failed', error, { message: messageId })
        return [{ itemIdentifier: messageId }]
      }
    }),
  )
  return { batchItemFailures: failures.flat() }
}

async function work(platform: AwsPlatform, body: string): Promise<void> {
  const envelope = readEnvelope(body)
  if (envelope) return runJob(platform, envelope.job)
  const key = inboxKeyOf(body)
  if (!key) throw new Error('the message is neither a job nor a notice of a file')
  // The lane's filter leaves refused files out; so does this, should it ever be changed.
  if (key.startsWith(objectKeys.inboxRejected)) return
  return takeInboxObject(platform, key)
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
function inboxKeyOf(body: string): string | undefined {
  try {
    const { detail } = JSON.parse(body) as { detail?: { object?: { key?: unknown } } }
    const key = detail?.object?.key
    return typeof key === 'string' && key.startsWith(objectKeys.inbox) ? key : undefined
  } catch {
    return undefined
  }
}
