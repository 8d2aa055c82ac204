import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BundleSize, coldImport, sizeOfBundle } from '../../bench/bundles.ts'
import { buildDoorway, doorwayNames } from '../../bin/bundle.js'
import { createApiKey } from '../../functions/api-keys.ts'
import { dynamodbRecordStore } from '../../functions/aws/dynamodb-record-store.ts'
import type { AwsServers } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { functionUrlEvent, responseOf } from '../support/aws/function-url-event.ts'

const run = promisify(execFile)

/** Kilobytes at start that a bundle may have, without the SDK and of it. */
const mostAtStart = {
  web: { own: 400, sdk: 250 },
  jobs: { own: 100, sdk: 250 },
  clock: { own: 220, sdk: 250 },
  feedback: { own: 100, sdk: 250 },
}

let servers: AwsServers
let parameters: Server
let environment: Record<string, string>
let folder: string
const sizes = new Map<string, BundleSize>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'broadsheet-'))
  for (const name of doorwayNames) {
    mkdirSync(join(folder, name), { recursive: true })
    sizes.set(name, sizeOfBundle(buildDoorway(name, join(folder, name))))
  }
  servers = await startAwsServers()
  // SSM as far as a function meets it: the one parameter.
  parameters = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify({ Parameter: { Value: 'https://deployed.example' } }))
  })
  await new Promise<void>((resolve) => parameters.listen(0, '127.0.0.1', resolve))
  const queues = await servers.queues()
  // The emulator names itself by a host that only its own clients reach.
  const reachable = (url: string) => url.replace(/\/\/[^/:]+/, '//127.0.0.1')
  environment = {
    PATH: process.env.PATH ?? '',
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_S3: servers.urls.s3,
    AWS_ENDPOINT_URL_DYNAMODB: servers.urls.dynamodb,
    AWS_ENDPOINT_URL_SQS: servers.urls.sqs,
    AWS_ENDPOINT_URL_SES: servers.urls.ses,
    AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${(parameters.address() as AddressInfo).port}`,
    BROADSHEET_TABLE: await servers.table(),
    BROADSHEET_BUCKET: await servers.bucket(),
    BROADSHEET_ADDRESS_PARAMETER: '/Broadsheet/address',
    BROADSHEET_QUEUE_URGENT: reachable(queues.urgent),
    BROADSHEET_QUEUE_WORK: reachable(queues.work),
    BROADSHEET_QUEUE_MAIL: reachable(queues.mail),
    BROADSHEET_QUEUE_DEAD: reachable(queues.dead),
  }
})
afterAll(async () => {
  await servers.close()
  parameters.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Starts a bundle in a process of its own, as Lambda does, and gives its handler's answers. */
async function invoke(name: string, events: unknown[]): Promise<{ answers: unknown[] }> {
  const program = `
    const { handler } = await import(${JSON.stringify(pathToFileURL(join(folder, name, 'index.mjs')).href)})
    if (typeof handler !== 'function') throw new Error('no handler')
    const answers = []
    for (const event of ${JSON.stringify(events)}) answers.push((await handler(event, {})) ?? null)
    process.stdout.write(JSON.stringify({ answers }))
    process.exit(0)`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
    env: environment,
    maxBuffer: 64 * 1024 * 1024,
  })
  return JSON.parse(stdout)
}

describe('what is deployed', () => {
  it.each(doorwayNames)('%s: imports and has a handler; its size is printed', async (name) => {
    await expect(invoke(name, [])).resolves.toEqual({ answers: [] })
    const times: number[] = []
    for (let i = 0; i < 3; i++) times.push(await coldImport(join(folder, name)))
    const { ownAtStart = 0, sdkAtStart = 0, own = 0 } = sizes.get(name) ?? {}
    console.log(
      `${name}: ${ownAtStart} kB at start without the SDK and ${sdkAtStart} kB of it, minified (${own} kB in all, without it); cold import ${Math.min(...times).toFixed(0)} ms`,
    )
    expect(ownAtStart).toBeGreaterThan(0)
    expect(ownAtStart).toBeLessThanOrEqual(mostAtStart[name].own)
    expect(sdkAtStart).toBeLessThanOrEqual(mostAtStart[name].sdk)
  })

  it('publishes with its first key, renders, ticks and takes feedback from its environment alone', async () => {
    const now = () => new Date()
    const { dynamodb: client } = servers.clients
    const records = dynamodbRecordStore({ client, table: environment.BROADSHEET_TABLE ?? '', now })
    const { key } = await createApiKey({ records, now }, 'me')
    const publish = await functionUrlEvent('/api/v1/posts', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'a', title: 'Deployed', content: 'x' }),
    })
    const [published] = (await invoke('web', [publish])).answers
    expect(await responseOf(published).json()).toMatchObject({
      outcome: 'published',
      url: 'https://deployed.example/posts/deployed/',
    })
    const rendered = await invoke('jobs', [
      {
        Records: [
          {
            messageId: 'm1',
            body: JSON.stringify({ id: 'a', job: { kind: 'regenerate', feed: '*' } }),
          },
          { messageId: 'm2', body: 'poison' },
        ],
      },
    ])
    expect(rendered.answers).toEqual([{ batchItemFailures: [{ itemIdentifier: 'm2' }] }])
    expect((await invoke('clock', [{}])).answers).toEqual([null])
    const told = await invoke('feedback', [{ Records: [{ messageId: 'm', body: '{}' }] }])
    expect(told.answers).toEqual([{ batchItemFailures: [{ itemIdentifier: 'm' }] }])
    const [feed] = (await invoke('web', [await functionUrlEvent('/feeds/rss.xml')])).answers
    expect(await responseOf(feed).text()).toContain('Deployed')
  })
})
