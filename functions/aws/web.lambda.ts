import type { Hono } from 'hono'
import { handle, type LambdaEvent } from 'hono/aws-lambda'
import { createApp } from '../app.ts'
import { platformFromEnvironment } from './environment.ts'

let app: Hono | undefined

/** Everything that is asked of the service over HTTP and does not lie rendered in the bucket. */
export async function handler(event: LambdaEvent, context?: unknown) {
  const platform = await platformFromEnvironment()
  await platform.refresh()
  app ??= createApp(platform)
  return handle(app)(event, context as Parameters<ReturnType<typeof handle>>[1])
}
