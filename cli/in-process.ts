import { createApp } from '../functions/app.ts'
import { ServiceError } from '../functions/errors.ts'
import { jsonLog } from '../functions/json-log.ts'
import { type LocalPlatform, localPlatform } from '../functions/local/platform.ts'
import { configuration } from './configuration.ts'
import { type Connection, withKey } from './connection.ts'
import { CliError, exitCodes } from './exit.ts'
import { lastStart } from './last-start.ts'
import type { GlobalOptions } from './options.ts'

const patienceMs = 10_000

/** The service in this process, on the data folder under its lock: the same routes, no network. */
export async function inProcess(
  options: GlobalOptions,
  { drains = true } = {},
): Promise<Connection> {
  const platform = await openFolder(options)
  const app = createApp(platform)
  return {
    kind: 'here',
    fetch: async (path, init = {}) => app.request(path, withKey(init, platform.localKey)),
    close: async () => {
      try {
        // No server will come and do what was promised, so it is done before the folder is free.
        if (drains) await platform.machine.drain()
      } finally {
        await platform.close()
      }
    },
  }
}

// Another command may hold the folder for a moment; a server would have been found before.
async function openFolder(options: GlobalOptions): Promise<LocalPlatform> {
  const settings = configuration(options, lastStart(options.data)?.listen)
  const end = performance.now() + patienceMs
  for (;;) {
    try {
      return await localPlatform({
        data: options.data,
        settings,
        log: jsonLog({ level: 'warn' }),
        ...(process.env.BROADSHEET_SECRET ? { secret: process.env.BROADSHEET_SECRET } : {}),
      })
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'folder.locked') throw error
      if (performance.now() > end) throw new CliError(exitCodes.later, error.message)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
