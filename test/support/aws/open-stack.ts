import type { OpenStack } from '../../../cli/stack/on-stack.ts'
import { owner } from '../../../functions/api/api-keys.ts'
import { createApp } from '../../../functions/app.ts'
import { everyRecord } from '../../../functions/aws/every-record.ts'
import type { AwsServers, ScratchAwsPlatform } from './aws-platform.ts'

/** A scratch platform as `openStack` gives a deployed one to commands. */
export function openScratchStack(servers: AwsServers, platform: ScratchAwsPlatform): OpenStack {
  const app = createApp(platform)
  const { table, bucket, queues, now } = platform
  return {
    stack: {
      name: 'Test',
      region: 'eu-central-1',
      account: '123456789012',
      address: platform.settings.site.baseUrl,
      table,
      bucket,
      queues,
      eventQueues: { events: queues.work, dead: queues.dead },
    },
    platform,
    connection: {
      kind: 'stack',
      fetch: async (path, init = {}) => app.request(path, init, owner),
      close: async () => {},
    },
    everyRecord: () => everyRecord({ client: servers.clients.dynamodb, table, now }),
  }
}
