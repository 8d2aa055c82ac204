import { runJob } from '../jobs.ts'
import { objectKeys } from '../keys.ts'
import { answerBatch, type SqsBatchAnswer, type SqsEvent } from './batch.ts'
import { platformFromEnvironment } from './environment.ts'
import { takeInboxObject } from './inbox-object.ts'
import type { AwsPlatform } from './platform.ts'
import { readEnvelope } from './sqs-job-queue.ts'

/** Jobs of one lane, and notices of files in the inbox. Each fails for itself alone. */
export async function handler(event: SqsEvent): Promise<SqsBatchAnswer> {
  return handlerFor(await platformFromEnvironment())(event)
}

/** What `handler` does on a given platform. */
export function handlerFor(platform: AwsPlatform) {
  return async (event: SqsEvent): Promise<SqsBatchAnswer> => {
    await platform.refresh()
    return answerBatch(platform, event, (body) => work(platform, body))
  }
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
