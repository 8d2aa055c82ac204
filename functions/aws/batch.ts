import type { AwsPlatform } from './platform.ts'

/** What SQS hands over: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export interface SqsEvent {
  Records: { messageId: string; body: string }[]
}

/** Messages named here come again; the others are done. */
export interface SqsBatchAnswer {
  batchItemFailures: { itemIdentifier: string }[]
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
