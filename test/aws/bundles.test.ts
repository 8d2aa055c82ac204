import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildDoorway } from '../../bin/bundle.js'
import { doorwayNames } from '../../infra/compute.ts'
import type { AwsServers } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { functionUrlEvent, responseOf } from '../support/aws/function-url-event.ts'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../../infra/create-key.ts', import.meta.url))

/** Whose bytes are not ours: the SDK and what it stands on. */
const sdk = /node_modules\/(@aws-sdk|@aws-crypto|@smithy|@aws|bowser|fast-xml-parser|tslib)\//

/** Kilobytes at start that a bundle may have; to be lowered when it shrinks. */
const mostAtStart = { web: 760, jobs: 480, clock: 300, feedback: 300 }

let servers: AwsServers
let parameters: Server
let environment: Record<string, string>
let folder: string
const sizes = new Map<string, { whole: number; atStart: number }>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'broadsheet-'))
  for (const name of doorwayNames) {
    mkdirSync(join(folder, name), { recursive: true })
    sizes.set(name, sizesOf(buildDoorway(name, join(folder, name))))
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

/** Kilobytes of a bundle without the SDK: what is loaded at start, and with the parts that a job loads. */
function sizesOf({ outputs }: ReturnType<typeof buildDoorway>) {
  const bytesOf = (file: string) =>
    Object.entries(outputs[file]?.inputs ?? {})
      .filter(([input]) => !sdk.test(input))
      .reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0)
  const entry = Object.keys(outputs).find((file) => file.endsWith('/index.mjs')) ?? ''
  const start = new Set([entry])
  for (const file of start) {
    for (const { path, kind } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement') start.add(path)
    }
  }
  const sum = (files: Iterable<string>) =>
    Math.round([...files].reduce((bytes, file) => bytes + bytesOf(file), 0) / 1000)
  return { whole: sum(Object.keys(outputs)), atStart: sum(start) }
}

/** Starts a bundle in a process of its own, as Lambda does, and gives its handler's answers. */
async function invoke(
  name: string,
  events: unknown[],
): Promise<{ importMs: number; answers: unknown[] }> {
  const program = `
    const started = performance.now()
    const { handler } = await import(${JSON.stringify(pathToFileURL(join(folder, name, 'index.mjs')).href)})
    const importMs = performance.now() - started
    if (typeof handler !== 'function') throw new Error('no handler')
    const answers = []
    for (const event of ${JSON.stringify(events)}) answers.push((await handler(event, {})) ?? null)
    process.stdout.write(JSON.stringify({ importMs, answers }))
    process.exit(0)`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
    env: environment,
    maxBuffer: 64 * 1024 * 1024,
  })
  return JSON.parse(stdout)
}

describe('what is deployed', () => {
  it.each(doorwayNames)('%s: imports and has a handler; its size is printed', async (name) => {
    const times: number[] = []
    for (let i = 0; i < 3; i++) times.push((await invoke(name, [])).importMs)
    const { whole = 0, atStart = 0 } = sizes.get(name) ?? {}
    console.log(
      `${name}: ${atStart} kB at start, ${whole} kB in all, minified and without the SDK; cold import ${Math.min(...times).toFixed(0)} ms`,
    )
    expect(atStart).toBeGreaterThan(0)
    expect(atStart).toBeLessThanOrEqual(mostAtStart[name])
  })

  it('publishes with its first key, renders, ticks and takes feedback from its environment alone', async () => {
    const made = await run(process.execPath, [script, environment.BROADSHEET_TABLE ?? '', 'me'], {
      env: environment,
    })
    const key = made.stdout.trim()
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
