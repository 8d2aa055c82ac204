import { type LogFields, logAbout } from '../json-log.ts'
import type { FunctionContext } from './function-context.ts'
import type { AwsPlatform } from './platform.ts'

/** What SQS hands over: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export interface SqsEvent {
  Records: { messageId: string; body: string }[]
}

/** Messages named here come again; the others are done. */
export interface SqsBatchAnswer {
  batchItemFailures: { itemIdentifier: string }[]
}

export interface BatchWork {
  run(body: string): Promise<void>
  /** What the log says of a message beside its id. */
  about?: (body: string) => LogFields
}

/** Milliseconds before a function is stopped at which it gives its answer, whatever is still open. */
const answerMs = 10_000

/**
 * Runs each message. One that fails is logged and comes again, whatever the others do, and so does one
 * that is still open when the time is nearly over: a function that is stopped gives no answer, and all
 * its messages would come again. What is open goes on if the process does, which every job bears.
 */
export async function answerBatch(
  { log }: Pick<AwsPlatform, 'log'>,
  event: SqsEvent,
  { run, about }: BatchWork,
  { awsRequestId: request, getRemainingTimeInMillis }: FunctionContext = {},
): Promise<SqsBatchAnswer> {
  const time = timeUntil(getRemainingTimeInMillis?.())
  const failures = await Promise.all(
    event.Records.map(({ messageId, body }) =>
      logAbout({ request, message: messageId, ...about?.(body) }, async () => {
        try {
          await Promise.race([run(body), time.isUp])
          return []
        } catch (error) {
          log.error('message.failed', error)
          return [{ itemIdentifier: messageId }]
        }
      }),
    ),
  )
  time.stop()
  return { batchItemFailures: failures.flat() }
}

/** Without `remainingMs` there is always time. */
function timeUntil(remainingMs: number | undefined) {
  const { promise, reject } = Promise.withResolvers<never>()
  // A batch without messages waits for nothing.
  promise.catch(() => {})
  const end = () => reject(new Error('it is not done in the time of one call of the function'))
  const timer =
    remainingMs === undefined ? undefined : setTimeout(end, Math.max(0, remainingMs - answerMs))
  return { isUp: promise, stop: () => clearTimeout(timer) }
}
