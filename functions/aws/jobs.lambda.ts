import { runJob } from '../jobs.ts'
import { objectKeys } from '../keys.ts'
import { answerBatch, type SqsBatchAnswer, type SqsEvent } from './batch.ts'
import { platformFromEnvironment } from './environment.ts'
import type { InboxObject } from './inbox-object.ts'
import { readEnvelope } from './job-envelope.ts'
import type { AwsPlatform } from './platform.ts'

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
  const file = readInboxNotice(body)
  if (!file) throw new Error('the message is neither a job nor a notice of a file')
  // The lane's filter leaves refused files out; so does this, should it ever be changed.
  if (file.key.startsWith(objectKeys.inboxRejected)) return
  // What reads posts is loaded with the first file: lanes carry jobs.
  const { takeInboxObject } = await import('./inbox-object.ts')
  return takeInboxObject(platform, file)
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
function readInboxNotice(body: string): InboxObject | undefined {
  try {
    const { detail } = JSON.parse(body) as { detail?: { object?: Record<string, unknown> } }
    const { key, size } = detail?.object ?? {}
    if (typeof key !== 'string' || !key.startsWith(objectKeys.inbox)) return undefined
    return { key, size: typeof size === 'number' ? size : 0 }
  } catch {
    return undefined
  }
}
