import { aboutJob, runJob } from '../jobs.ts'
import type { LogFields } from '../json-log.ts'
import { objectKeys } from '../keys.ts'
import { answerBatch, type SqsBatchAnswer, type SqsEvent } from './batch.ts'
import { platformFromEnvironment } from './environment.ts'
import type { FunctionContext } from './function-context.ts'
import { readEnvelope } from './job-envelope.ts'
import type { AwsPlatform } from './platform.ts'

/** Jobs of one lane, and notices of files in the inbox. Each fails for itself alone. */
export async function handler(event: SqsEvent, context?: FunctionContext): Promise<SqsBatchAnswer> {
  return handlerFor(await platformFromEnvironment())(event, context)
}

/** What `handler` does on a given platform. */
export function handlerFor(platform: AwsPlatform) {
  const batch = { run: (body: string) => work(platform, body), about }
  return async (event: SqsEvent, context?: FunctionContext): Promise<SqsBatchAnswer> => {
    await platform.refresh()
    return answerBatch(platform, event, batch, context)
  }
}

async function work(platform: AwsPlatform, body: string): Promise<void> {
  const envelope = readEnvelope(body)
  if (envelope) return runJob(platform, envelope.job)
  const key = keyInNotice(body)
  if (key === undefined) throw new Error('the message is neither a job nor a notice of a file')
  // Told of what was put there, too, since no rule can leave it out (infra/schedule.ts): no loop.
  if (key.startsWith(objectKeys.inboxRejected)) return
  // What reads posts is loaded with the first file: lanes carry jobs.
  const { takeInboxObject } = await import('./inbox-object.ts')
  return takeInboxObject(platform, key)
}

function about(body: string): LogFields {
  const envelope = readEnvelope(body)
  return envelope ? aboutJob(envelope.id, envelope.job) : {}
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
function keyInNotice(body: string): string | undefined {
  try {
    const { detail } = JSON.parse(body) as { detail?: { object?: Record<string, unknown> } }
    const { key } = detail?.object ?? {}
    return typeof key === 'string' && key.startsWith(objectKeys.inbox) ? key : undefined
  } catch {
    return undefined
  }
}
