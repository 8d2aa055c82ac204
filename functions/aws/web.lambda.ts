import type { Hono } from 'hono'
import { handle, type LambdaEvent } from 'hono/aws-lambda'
import { createApp } from '../app.ts'
import { platformFromEnvironment } from './environment.ts'
import type { FunctionContext } from './function-context.ts'
import type { AwsPlatform } from './platform.ts'
import { edgeHeaders, senderOf } from './sender.ts'

let served: { platform: AwsPlatform; answer: ReturnType<typeof handlerFor> } | undefined

/** Everything that is asked of the service over HTTP and does not lie rendered in the bucket. */
export async function handler(event: LambdaEvent, context?: unknown) {
  const platform = await platformFromEnvironment()
  if (served?.platform !== platform) {
    served = { platform, answer: handlerFor(platform, process.env.BROADSHEET_EDGE) }
  }
  return served.answer(event, context)
}

/** What `handler` does on a given platform; `mark` is what its own distribution sends, if it has one. */
export function handlerFor(platform: AwsPlatform, mark?: string) {
  const app = createApp({
    ...platform,
    importPart,
    mailer: { ...platform.mailer, send: refuseToSend },
  })
  const answerEvent = handle({
    fetch: (request: Request, env: { event: AskedEvent; lambdaContext?: FunctionContext }) =>
      app.fetch(request, {
        ...env,
        client: env.event.client,
        requestId: env.lambdaContext?.awsRequestId,
      }),
  } as unknown as Hono)
  return async (event: LambdaEvent, context?: unknown) => {
    await platform.refresh()
    return answerEvent(asAsked(event, mark), context as Parameters<typeof answerEvent>[1])
  }
}

/** Nobody may send from here, as the stack's grants say: a route that mails enqueues a job. */
async function refuseToSend(): Promise<never> {
  throw new Error('a request sends no mail: mail leaves by a job')
}

/**
 * A function URL hands over 6 MB: the event as JSON, with a body that is not text in base64. And what
 * is asked through CloudFront is answered within thirty seconds: so many posts fit well.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const importPart = { bytes: 4_600_000, lines: 200 }

/** An event as the product reads it: `client` is whom it comes from, as far as that is certain. */
type AskedEvent = LambdaEvent & { client?: string }

function asAsked(event: LambdaEvent, mark: string | undefined): AskedEvent {
  if (!('rawPath' in event)) return event
  const { address, forwarded } = senderOf(event, mark)
  const headers = { ...event.headers }
  for (const name of [...Object.values(edgeHeaders), 'x-forwarded-for']) delete headers[name]
  if (forwarded) headers['x-forwarded-for'] = forwarded
  return {
    ...event,
    headers,
    // What the bucket has not comes here as the edge asked the bucket for it: `…/` as
    // `…/index.html`, a document as its compressed twin.
    rawPath: event.rawPath
      .replace(/\/index\.html$/, '/')
      .replace(/^(\/feeds\/.*\/?(?:atom\.xml|feed\.json))\.gz$/, '$1'),
    ...(address === undefined ? {} : { client: address }),
  }
}
