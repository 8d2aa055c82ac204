import fs from 'node:fs'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { ServiceError } from '../errors.ts'
import { watchInbox } from './inbox-watcher.ts'
import { startMinuteClock } from './minute-clock.ts'
import type { LocalPlatform } from './platform.ts'

export interface ServerOptions {
  platform: LocalPlatform
  app: { fetch(request: Request, ...rest: never[]): Response | Promise<Response> }
  host: string
  /** 0 takes a free one. */
  port: number
}

export interface RunningServer {
  /** Where it listens, such as `http://127.0.0.1:8787`. */
  readonly url: string
  /**
   * Accepts nothing more, finishes requests and jobs or abandons them (within 17 s), and closes the
   * platform. Nothing that was answered is lost. Repeating it waits for the same end.
   */
  stop(): Promise<void>
}

/** What `DATA/server.json` says of a running server, for the command line. */
export interface ServerMark {
  pid: number
  /** Where it listens, such as `http://127.0.0.1:8787`. */
  address: string
}

const requestsGraceMs = 5000
const jobsGraceMs = 10_000
/** An import may stream for long; every other request is in within this. */
const bodyMs = 60_000
/** On a connection where nothing moves at all, a request that we are slow to answer included. */
const stillMs = 120_000

/**
 * Serves the app and runs worker, clock and inbox in this process. Resolves when it accepts
 * requests.
 *
 * @throws ServiceError `server.address` when the address cannot be had.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { platform, app, host, port } = options
  const { log } = platform
  const server = createAdaptorServer({
    // With what it came over: limits and the outbox ask for the client's address.
    fetch: (request, env) => app.fetch(request, env as never),
    serverOptions: { maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 5000 },
  }) as Server
  server.headersTimeout = 15_000
  server.requestTimeout = 0
  server.keepAliveTimeout = 10_000
  server.maxConnections = 2000
  server.timeout = stillMs
  server.prependListener('request', limitBodyTime)
  server.prependListener('request', letTickTakeItsTime)
  const url = await listen(server, host, port)

  const markPath = join(platform.folder, 'server.json')
  const mark: ServerMark = { pid: process.pid, address: url }
  fs.writeFileSync(`${markPath}.new`, JSON.stringify(mark))
  fs.renameSync(`${markPath}.new`, markPath)

  const worker = platform.startWorker()
  const inbox = watchInbox(platform, join(platform.folder, 'inbox'))
  const clock = startMinuteClock(
    async () => {
      const { tick } = await import('../tick.ts')
      await tick(platform)
      await inbox.look()
      await platform.tidy()
    },
    (error) => log.error('clock.failed', error),
  )

  let stopped: Promise<void> | undefined
  async function stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const impatient = setTimeout(() => server.closeAllConnections(), requestsGraceMs)
    await Promise.all([closed, inbox.stop(), worker.stop(jobsGraceMs), within(clock.stop())])
    clearTimeout(impatient)
    fs.rmSync(markPath, { force: true })
    await platform.close()
  }
  return {
    url,
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

function within(ending: Promise<void>): Promise<void> {
  return Promise.race([
    ending,
    new Promise<void>((resolve) => setTimeout(resolve, jobsGraceMs).unref()),
  ])
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new ServiceError(
          500,
          'server.address',
          cause.code === 'EADDRINUSE'
            ? `Port ${port} on ${host} is taken by another program. Stop that one or choose another port with \`--port\`.`
            : `The address ${host}:${port} cannot be used (${cause.code ?? cause.message}). Choose others with \`--host\` and \`--port\`.`,
          { cause },
        ),
      )
    })
    server.listen(port, host, () => {
      const { port: given } = server.address() as AddressInfo
      const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host
      resolve(`http://${name.includes(':') && !name.startsWith('[') ? `[${name}]` : name}:${given}`)
    })
  })
}

// It answers when all its mails are out, and nothing moves on the connection until then.
function letTickTakeItsTime(request: IncomingMessage): void {
  if (request.url === '/api/v1/tick') request.socket.setTimeout(0)
}

// A body that comes a byte a minute would hold its connection for hours.
function limitBodyTime(request: IncomingMessage): void {
  if (request.url?.startsWith('/api/v1/imports')) return
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy()
  }, bodyMs)
  request.once('close', () => clearTimeout(timer))
}
