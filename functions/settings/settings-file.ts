import { load, YAMLException } from 'js-yaml'
import {
  type Settings,
  type SettingsSurroundings,
  settingsFrom,
  settingsInvalid,
} from './settings.ts'

export interface SettingsSource extends SettingsSurroundings {
  /** The text of `broadsheet.yaml`; absent: everything has its default. */
  yaml?: string | undefined
}

/**
 * Reads and checks the configuration once, every default filled in. Apart from `settings.ts`, since
 * what is deployed carries its configuration parsed, and no parser of YAML to start with.
 *
 * @throws ServiceError `settings.invalid` as `settingsFrom` does, and for a file that is not YAML.
 */
export function readSettings({ yaml, ...surroundings }: SettingsSource = {}): Settings {
  return settingsFrom(parseYaml(yaml ?? ''), surroundings)
}

function parseYaml(yaml: string): unknown {
  if (yaml.length > 1_000_000) {
    throw settingsInvalid([{ path: '', message: 'must be smaller than 1 MB' }])
  }
  try {
    return load(yaml) ?? {}
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const where = error.mark ? ` (line ${error.mark.line + 1})` : ''
    throw settingsInvalid([{ path: '', message: `is not YAML: ${error.reason}${where}` }])
  }
}
