import { handle, type LambdaEvent } from 'hono/aws-lambda'
import { createApp } from '../app.ts'
import { platformFromEnvironment } from './environment.ts'
import type { AwsPlatform } from './platform.ts'

let answer: ReturnType<typeof handlerFor> | undefined

/** Everything that is asked of the service over HTTP and does not lie rendered in the bucket. */
export async function handler(event: LambdaEvent, context?: unknown) {
  const platform = await platformFromEnvironment()
  answer ??= handlerFor(platform)
  return answer(event, context)
}

/** What `handler` does on a given platform. */
export function handlerFor(platform: AwsPlatform) {
  const answerEvent = handle(createApp(platform))
  return async (event: LambdaEvent, context?: unknown) => {
    await platform.refresh()
    return answerEvent(asAsked(event), context as Parameters<typeof answerEvent>[1])
  }
}

/** At the edge `…/` becomes `…/index.html`, for the bucket; what the bucket has not comes here so. */
function asAsked(event: LambdaEvent): LambdaEvent {
  if (!('rawPath' in event) || !event.rawPath.endsWith('/index.html')) return event
  return { ...event, rawPath: event.rawPath.slice(0, -'index.html'.length) }
}
