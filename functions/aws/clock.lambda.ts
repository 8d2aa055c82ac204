import { tick } from '../tick.ts'
import { metricFields } from './clock-metrics.ts'
import { platformFromEnvironment } from './environment.ts'
import type { AwsPlatform } from './platform.ts'

/** The minute: makes what is due and what was missed, and drives on what stands still. */
export async function handler(): Promise<void> {
  await handlerFor(await platformFromEnvironment(), process.env.AWS_LAMBDA_FUNCTION_NAME)()
}

/** What `handler` does on a given platform; `name` is the clock's in the metrics. */
export function handlerFor(platform: AwsPlatform, name = 'clock') {
  return async (): Promise<void> => {
    await platform.refresh()
    const report = await tick(platform)
    platform.log.info('tick', {
      runs: report.runs.map(({ id }) => id),
      duePosts: report.duePosts,
      ...metricFields(name, platform.now(), {
        FeedsBehind: report.feeds.length,
        RunsStanding: report.driven.length,
      }),
    })
  }
}
