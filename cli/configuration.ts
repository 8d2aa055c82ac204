import { readFileSync } from 'node:fs'
import type { Settings } from '../functions/settings/settings.ts'
import { readSettings } from '../functions/settings/settings-file.ts'
import { usageError } from './exit.ts'
import { defaultConfig, type GlobalOptions } from './options.ts'

/**
 * The configuration of this machine: the file named by `--config`, the environment, and where the
 * server listens. An absent `broadsheet.yaml` works; one that was named must be there. A deployed
 * service has an environment of its own.
 */
export function configuration(
  { config }: Pick<GlobalOptions, 'config'>,
  listen?: { host: string; port: number },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  let yaml: string | undefined
  try {
    yaml = readFileSync(config, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw usageError(`${config} cannot be read (${code}).`)
    if (config !== defaultConfig) throw usageError(`There is no file ${config}.`)
  }
  return readSettings({ yaml, env, ...(listen ? { listen } : {}) })
}
