import { readFileSync } from 'node:fs'
import { settingsFrom } from '../settings.ts'
import { readParameter } from './parameter.ts'
import { type AwsPlatform, awsPlatform } from './platform.ts'

let opened: Promise<AwsPlatform> | undefined

/**
 * The platform that this function's environment describes; opened once a process. A failed start is
 * tried again with the next event.
 */
export function platformFromEnvironment(): Promise<AwsPlatform> {
  opened ??= open().catch((error) => {
    opened = undefined
    throw error
  })
  return opened
}

async function open(): Promise<AwsPlatform> {
  // The site's address is a parameter read at start: as a variable it would close a cycle between
  // the function and the distribution in front of it.
  const address = await readParameter(required('BROADSHEET_ADDRESS_PARAMETER'), process.env)
  const configurationSet = process.env.BROADSHEET_CONFIGURATION_SET
  return awsPlatform({
    table: required('BROADSHEET_TABLE'),
    bucket: required('BROADSHEET_BUCKET'),
    queues: {
      urgent: required('BROADSHEET_QUEUE_URGENT'),
      work: required('BROADSHEET_QUEUE_WORK'),
      mail: required('BROADSHEET_QUEUE_MAIL'),
      dead: required('BROADSHEET_QUEUE_DEAD'),
    },
    // Deployed beside the bundle, parsed, by `bin/bundle.js`.
    settings: settingsFrom(
      JSON.parse(readFileSync(new URL('broadsheet.json', import.meta.url), 'utf8')),
      { env: { BROADSHEET_BASE_URL: address } },
    ),
    ...(configurationSet ? { configurationSet } : {}),
  })
}

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`the variable ${name} is missing`)
  return value
}
