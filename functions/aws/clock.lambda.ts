import { tick } from '../tick.ts'
import { platformFromEnvironment } from './environment.ts'
import type { AwsPlatform } from './platform.ts'

/** The minute: makes what is due and what was missed, and drives on what stands still. */
export async function handler(): Promise<void> {
  await handlerFor(await platformFromEnvironment())()
}

/** What `handler` does on a given platform. */
export function handlerFor(platform: AwsPlatform) {
  return async (): Promise<void> => {
    await platform.refresh()
    const report = await tick(platform)
    platform.log.info('tick', {
      runs: report.runs.map(({ id }) => id),
      driven: report.driven.length,
      duePosts: report.duePosts,
      feeds: report.feeds.length,
    })
  }
}
