import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createApp } from '../../functions/app.ts'
import { jsonLog } from '../../functions/json-log.ts'
import { type LocalPlatform, localPlatform } from '../../functions/local/platform.ts'
import { type JourneyPlatform, type RunView, type Service, serviceOn } from '../journeys/service.ts'
import { scratchSettings } from './scratch-platform.ts'

export type FolderPlatform = Omit<LocalPlatform, 'outbox'> & JourneyPlatform

/** The service on a real data folder, by a clock that stands until it is moved. */
export async function folderService(data: string, now: string): Promise<Service<FolderPlatform>> {
  let present = new Date(now)
  const logged: string[] = []
  const local = await localPlatform({
    data,
    settings: scratchSettings(),
    now: () => new Date(present),
    log: jsonLog({ write: (line) => logged.push(line) }),
  })
  const platform: FolderPlatform = {
    ...local,
    logged,
    setNow: (instant) => {
      present = new Date(instant)
    },
    advance: (ms) => {
      present = new Date(present.getTime() + ms)
    },
    settle: () => local.machine.drain(),
    outbox: async () =>
      readdirSync(join(data, 'outbox'))
        .filter((name) => name.endsWith('.eml'))
        .map((name) => ({ raw: readFileSync(join(data, 'outbox', name), 'utf8') })),
  }
  const app = createApp(local)
  return serviceOn(platform, {
    request: (path, init) => app.request(path, init),
    tick: async ({ api }) => {
      const response = await api('POST', '/api/v1/tick', { now: present.toISOString() })
      return (await response.json()) as { runs: RunView[] }
    },
  })
}
