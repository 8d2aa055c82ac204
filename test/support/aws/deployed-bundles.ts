import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { expect, onTestFinished } from 'vitest'
import { type BundleSize, sizeOfBundle } from '../../../bench/bundles.ts'
import { buildDoorway, type DoorwayName, doorwayNames } from '../../../bin/bundle.js'
import { createApiKey } from '../../../functions/api/api-keys.ts'
import { dynamodbRecordStore } from '../../../functions/aws/dynamodb-record-store.ts'
import { startBundle } from './bundle-process.ts'
import { asCaller } from './caller.ts'
import { functionUrlEvent, responseOf } from './function-url-event.ts'
import { functionOf, policies, startGatedServers } from './gated-servers.ts'

export type DeployedBundles = Awaited<ReturnType<typeof deployBundles>>
export type Deployment = Awaited<ReturnType<DeployedBundles['deploy']>>

/** The site's address, as the parameter says it unless a test says another. */
export const siteUrl = 'https://deployed.example'

/**
 * The bundles as they are deployed, each started in a process of its own, with the variables that the
 * template gives its function, and let do what the template allows that function's role.
 */
export async function deployBundles() {
  const folder = mkdtempSync(join(tmpdir(), 'broadsheet-'))
  const sizes = new Map<string, BundleSize>()
  for (const name of doorwayNames) {
    mkdirSync(join(folder, name), { recursive: true })
    sizes.set(name, sizeOfBundle(buildDoorway(name, join(folder, name))))
    // As `broadsheet.yaml` that travels with the deployment.
    const settings = { mail: { from: 'The Gazette <news@news.example>' } }
    writeFileSync(join(folder, name, 'broadsheet.json'), JSON.stringify(settings))
  }
  let addresses = [siteUrl]
  // SSM as far as a function meets it: the one parameter.
  const parameters = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
    const [address = ''] = addresses
    if (addresses.length > 1) addresses = addresses.slice(1)
    response.end(JSON.stringify({ Parameter: { Value: address } }))
  })
  await new Promise<void>((resolve) => parameters.listen(0, '127.0.0.1', resolve))
  const { port } = parameters.address() as AddressInfo
  const servers = await startGatedServers({ ssm: `http://127.0.0.1:${port}` })

  /** A stack without a record, and what starts its functions. */
  async function deploy() {
    const [table, bucket, lanes, events] = [
      await servers.table(),
      await servers.bucket(),
      await servers.queues(),
      await servers.eventQueue(),
    ]
    // The emulator names itself by a host that only its own clients reach.
    const reachable = (url: string) => url.replace(/\/\/[^/:]+/, '//127.0.0.1')
    const referred: Readonly<Record<string, string>> = {
      RecordsTable: table,
      RecordsBucket: bucket,
      QueuesUrgent: reachable(lanes.urgent),
      QueuesWork: reachable(lanes.work),
      QueuesMail: reachable(lanes.mail),
      QueuesDead: reachable(lanes.dead),
      MailSet: 'MailSet',
    }
    const variablesOf = (name: DoorwayName) => {
      const { NODE_OPTIONS: _, ...variables } = policies.variablesOf(
        functionOf[name],
        (id) => referred[id] ?? id,
      )
      return {
        PATH: process.env.PATH ?? '',
        AWS_REGION: 'eu-central-1',
        // By which the gate knows the role.
        AWS_ACCESS_KEY_ID: name,
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_ENDPOINT_URL: servers.gate.url,
        AWS_ENDPOINT_URL_SSM: servers.gate.url,
        ...variables,
      }
    }
    const start = (name: DoorwayName, variables: Record<string, string> = {}) =>
      startBundle(join(folder, name, 'index.mjs'), { ...variablesOf(name), ...variables })
    const records = dynamodbRecordStore({
      client: servers.clients.dynamodb,
      table,
      now: () => new Date(),
    })
    return {
      start,
      bucket,
      queues: { ...lanes, events },
      /** A key that may do everything, as `keys create --stack` makes it. */
      makeKey: async () => (await createApiKey({ records, now: () => new Date() }, 'me')).key,
    }
  }

  return {
    servers,
    sizes,
    folderOf: (name: DoorwayName) => join(folder, name),
    deploy,
    /** What the parameter says, reading by reading; the last one for ever. */
    setAddresses: (...next: string[]) => {
      addresses = next
    },
    close: async () => {
      await servers.close()
      parameters.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The answers of a bundle, just started, to events that come so many minutes after each other. */
export async function invoke(
  { start }: Pick<Deployment, 'start'>,
  name: DoorwayName,
  events: unknown[],
  { minutes = 0, variables = {} } = {},
): Promise<{ answers: unknown[]; lines: Record<string, unknown>[] }> {
  const { call, stop } = await start(name, variables)
  const answers: unknown[] = []
  for (const [i, event] of events.entries()) answers.push(await call(event, i * minutes))
  return { answers, lines: await stop() }
}

/** All functions of a new stack, warm, and what stands between them; its clock goes on by `later`. */
export async function startAll({ deploy, servers }: DeployedBundles) {
  const deployment = await deploy()
  const { queues } = deployment
  const [web, jobs, clock, feedback] = await Promise.all([
    deployment.start('web'),
    deployment.start('jobs'),
    deployment.start('clock'),
    deployment.start('feedback'),
  ])
  onTestFinished(async () => {
    await Promise.all([web, jobs, clock, feedback].map(({ stop }) => stop()))
  })
  const { sqs } = servers.clients
  let minutes = 0

  /** As Lambda polls a queue: with the role of the function that it hands the messages to. */
  const poll = (name: 'jobs' | 'feedback', QueueUrl: string) =>
    asCaller(name, async (): Promise<boolean> => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 60 }),
      )
      if (Messages.length === 0) return false
      const Records = Messages.map(({ MessageId = '', Body = '' }) => ({
        messageId: MessageId,
        body: Body,
      }))
      const answer = await (name === 'jobs' ? jobs : feedback).call({ Records }, minutes)
      expect(answer).toEqual({ batchItemFailures: [] })
      for (const { ReceiptHandle } of Messages) {
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
      }
      return true
    })

  const authorization = `Bearer ${await deployment.makeKey()}`
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization, origin: siteUrl, ...init.headers }
    return responseOf(await web.call(await functionUrlEvent(path, { ...init, headers }), minutes))
  }
  return {
    ...deployment,
    /** A request, with the key. */
    ask,
    /** A form, as a browser sends it. */
    post: (path: string, fields: Record<string, string>) =>
      ask(path, { method: 'POST', body: new URLSearchParams(fields) }),
    send: (method: string, path: string, body?: unknown) =>
      ask(path, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    tick: () => clock.call({}, minutes),
    /** Hands what waits to `jobs` and `feedback`, and what that enqueues, until all is dry. */
    async settle(): Promise<void> {
      for (let isDry = false; !isDry; ) {
        isDry = true
        for (const lane of ['urgent', 'work', 'mail'] as const) {
          if (await poll('jobs', queues[lane])) isDry = false
        }
        if (await poll('feedback', queues.events)) isDry = false
      }
    },
    now: () => new Date(Date.now() + minutes * 60_000),
    later: (more: number) => {
      minutes += more
    },
  }
}
