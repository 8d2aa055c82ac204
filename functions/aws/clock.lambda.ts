import { logAbout } from '../json-log.ts'
import { tick } from '../tick.ts'
import { metricFields } from './clock-metrics.ts'
import { platformFromEnvironment } from './environment.ts'
import type { FunctionContext } from './function-context.ts'
import type { AwsPlatform } from './platform.ts'

/** The minute: makes what is due and what was missed, and drives on what stands still. */
export async function handler(_: unknown, context?: FunctionContext): Promise<void> {
  const platform = await platformFromEnvironment()
  await handlerFor(platform, process.env.AWS_LAMBDA_FUNCTION_NAME)(context)
}

/**
 * A notice of a file in the inbox may get lost: each so many minutes the clock looks for such files,
 * and not at the full hour, when runs are due.
 */
export const minutesBetweenLooks = 15
const firstLook = 7
/** What a tick and a look may take together, well under the function's time. */
const mostMs = 40_000

/** What `handler` does on a given platform; `name` is the clock's in the metrics. */
export function handlerFor(platform: AwsPlatform, name = 'clock') {
  return ({ awsRequestId }: FunctionContext = {}): Promise<void> =>
    logAbout({ request: awsRequestId }, async () => {
      await platform.refresh()
      const begun = platform.now()
      const report = await tick(platform)
      platform.log.info('tick', {
        runs: report.runs.map(({ id }) => id),
        duePosts: report.duePosts,
        ...metricFields(name, platform.now(), {
          FeedsBehind: report.feeds.length,
          RunsStanding: report.driven.length,
        }),
      })
      if (begun.getUTCMinutes() % minutesBetweenLooks === firstLook) {
        const { lookAtInbox } = await import('./look-at-inbox.ts')
        await lookAtInbox(platform, new Date(begun.getTime() + mostMs))
      }
    })
}
