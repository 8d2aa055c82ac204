import { answerBatch, type SqsBatchAnswer, type SqsEvent } from './batch.ts'
import { platformFromEnvironment } from './environment.ts'
import type { FunctionContext } from './function-context.ts'
import { noteSesEvent } from './note-ses-event.ts'
import type { AwsPlatform } from './platform.ts'
import { readSesEvent } from './ses-event.ts'

/** What SES tells of mails that it took: topic → queue → here. Doubled and late events change nothing wrong. */
export async function handler(event: SqsEvent, context?: FunctionContext): Promise<SqsBatchAnswer> {
  return handlerFor(await platformFromEnvironment())(event, context)
}

/** What `handler` does on a given platform. */
export function handlerFor(platform: AwsPlatform) {
  const run = async (body: string): Promise<void> => {
    const told = readSesEvent(body)
    // Junk comes back until it lies in the dead letters, where a person sees it.
    if (!told) throw new Error('the message is no event of SES')
    await noteSesEvent(platform, told)
  }
  return (event: SqsEvent, context?: FunctionContext): Promise<SqsBatchAnswer> =>
    answerBatch(platform, event, { run }, context)
}
