import { readFileSync } from 'node:fs'
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { readSettings } from '../settings.ts'
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
  const address = await siteAddress(required('BROADSHEET_ADDRESS_PARAMETER'))
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
    settings: readSettings({
      // Deployed beside the bundle by `infra/compute.ts`.
      yaml: readFileSync(new URL('broadsheet.yaml', import.meta.url), 'utf8'),
      env: { BROADSHEET_BASE_URL: address },
    }),
    ...(configurationSet ? { configurationSet } : {}),
  })
}

/**
 * The site's address is a parameter read at start: as a variable it would close a cycle between the
 * function and the distribution in front of it.
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
async function siteAddress(name: string): Promise<string> {
  const { Parameter } = await new SSMClient({}).send(new GetParameterCommand({ Name: name }))
  if (!Parameter?.Value) throw new Error(`the parameter ${name} has no value`)
  return Parameter.Value
}

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`the variable ${name} is missing`)
  return value
}
