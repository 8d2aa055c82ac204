import { readFileSync } from 'node:fs'
import { settingsFrom } from '../settings/settings.ts'
import { type AwsPlatform, awsPlatform } from './platform.ts'
import { siteAddress } from './site-address.ts'

let addressNow: (() => Promise<string>) | undefined
let opened: { address: string; platform: Promise<AwsPlatform> } | undefined

/**
 * The platform that this function's environment describes; to be asked for with each event. It is the
 * same one as long as the site's address is. A failed start is tried again with the next event.
 */
export async function platformFromEnvironment(): Promise<AwsPlatform> {
  addressNow ??= siteAddress(process.env)
  const address = await addressNow()
  if (opened?.address !== address) opened = { address, platform: open(address) }
  const { platform } = opened
  return platform.catch((error) => {
    opened = undefined
    throw error
  })
}

async function open(address: string): Promise<AwsPlatform> {
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
