import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerMark } from '../functions/local/server.ts'
import { CliError, exitCodes, exitOf, usageError } from './exit.ts'
import { defaultData, type GlobalOptions } from './options.ts'

/**
 * The API, wherever it is. A command speaks HTTP to it and knows nothing else; `start`, `doctor`,
 * `smoke`, `restore` and `backup --stack` look behind it.
 */
export interface Connection {
  /** Who answers: a server of another process, or the service in this one on the locked folder or a stack. */
  readonly kind: 'server' | 'here' | 'stack'
  /** With the key; any status. Faults of the line are `CliError`s with exit code 8. */
  fetch(path: string, init?: RequestInit & { duplex?: 'half' }): Promise<Response>
  /** Lets go of the folder once every job is done that was made here. */
  close(): Promise<void>
}

/**
 * Finds the service: the one at `--url` (or `BROADSHEET_URL`), the service in this process on the
 * stack of `--stack` (or `BROADSHEET_STACK`), else the server that runs on the data folder, else the
 * service in this process on that folder, under its lock. A folder that was named and is not there
 * is made only for what begins something.
 */
export async function connect(
  options: GlobalOptions,
  { makesFolder = false } = {},
): Promise<Connection> {
  const stack = stackOf(options)
  if (stack) {
    const { onStack } = await import('./stack/on-stack.ts')
    return onStack(options, stack)
  }
  const url = options.url ?? (process.env.BROADSHEET_URL || undefined)
  if (url) {
    if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
      throw usageError(`\`${url}\` is no address: it begins with https:// or http://.`)
    }
    const key = options.key ?? (process.env.BROADSHEET_KEY || localKey(options.data, url))
    if (!key)
      throw usageError('A service at an address needs its key: `--key KEY` or BROADSHEET_KEY.')
    return overHttp(new URL(url).origin, key)
  }
  const server = await liveServer(options.data)
  if (server) {
    const key = options.key ?? (process.env.BROADSHEET_KEY || localKey(options.data))
    if (!key) {
      throw new CliError(
        exitCodes.notAllowed,
        `A server runs on ${options.data}, but its key in ${join(options.data, 'secrets.json')} cannot be read. Run this as the server's user or give \`--key\`.`,
      )
    }
    return overHttp(server.address, key)
  }
  if (!makesFolder && options.data !== defaultData && !existsSync(options.data)) {
    throw usageError(
      `There is no data folder ${options.data}. Name the one that you mean with \`--data\` or BROADSHEET_DATA; \`broadsheet start\`, \`publish\` and \`import\` make a new one.`,
    )
  }
  const { inProcess } = await import('./in-process.ts')
  return inProcess(options)
}

/**
 * The stack that a command is to work on, if any. What is said on the command line goes before the
 * environment; two places said in the same way are a mistake.
 */
export function stackOf(
  { stack, url, key }: Pick<GlobalOptions, 'stack' | 'url' | 'key'>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  if (stack !== undefined && (url !== undefined || key !== undefined)) {
    throw usageError(
      'A stack is worked on with your own AWS credentials: `--stack` goes without `--url` and `--key`.',
    )
  }
  if (stack !== undefined) return stackName(stack)
  if (url !== undefined || !env.BROADSHEET_STACK) return undefined
  if (env.BROADSHEET_URL) {
    throw usageError(
      'BROADSHEET_STACK and BROADSHEET_URL are both set: say `--stack` or `--url`, or unset one.',
    )
  }
  return stackName(env.BROADSHEET_STACK)
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
function stackName(text: string): string {
  if (/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(text)) return text
  throw usageError(
    `\`${text}\` is no stack's name: those are letters, digits and hyphens. \`npx cdk deploy\` makes one named Broadsheet.`,
  )
}

/** The server on a data folder, if its process lives and answers. */
export async function liveServer(data: string): Promise<ServerMark | undefined> {
  const mark = serverMark(data)
  if (!mark || !isAlive(mark.pid)) return undefined
  try {
    const response = await fetch(`${mark.address}/healthz`, { signal: AbortSignal.timeout(3000) })
    await response.body?.cancel()
    return response.ok ? mark : undefined
  } catch {
    return undefined
  }
}

function serverMark(data: string): ServerMark | undefined {
  try {
    const { pid, address } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8'))
    return Number.isInteger(pid) && typeof address === 'string' ? { pid, address } : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process lives, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

// The key of the folder is for the server on the folder: it is never sent to another address.
function localKey(data: string, url?: string): string | undefined {
  if (url && serverMark(data)?.address !== new URL(url).origin) return undefined
  try {
    const { localKey } = JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8'))
    return typeof localKey === 'string' ? localKey : undefined
  } catch {
    return undefined
  }
}

function overHttp(origin: string, key: string): Connection {
  return {
    kind: 'server',
    async fetch(path, init = {}) {
      try {
        return await fetch(`${origin}${path}`, withKey(init, key))
      } catch (cause) {
        const reason =
          cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : ''
        throw new CliError(
          exitCodes.later,
          `${origin} cannot be reached${reason ? ` (${reason})` : ''}. Is the service running? Try again later.`,
          { cause },
        )
      }
    },
    close: async () => {},
  }
}

/** The request with its key. */
export function withKey<T extends RequestInit>(init: T, key: string): T {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${key}`)
  return { ...init, headers }
}

/** The answer as JSON; what was refused is thrown with its message and the exit code for it. */
export async function answerOf<T = unknown>(response: Response): Promise<T> {
  const text = await response.text()
  if (!response.ok) throw refusal(response.status, text)
  if (!text) return undefined as T
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new CliError(exitCodes.failed, 'The service answered something that is not JSON.', {
      cause,
    })
  }
}

/** What the API refused with, for a person: the message, each fault of a field, the code. */
export function refusal(status: number, text: string): CliError {
  let problem: { code?: string; detail?: string; errors?: { path: string; message: string }[] } = {}
  try {
    problem = JSON.parse(text)
  } catch {
    // A proxy in between answers in HTML; the status says enough.
  }
  const { code = '', detail = `The service answered ${status}.`, errors = [] } = problem
  const fields =
    errors.length > 1 ? errors.map(({ path, message }) => `\n  ${path}: ${message}`) : []
  return new CliError(
    exitOf(status, code),
    `${detail}${fields.join('')}${code ? ` (${code})` : ''}`,
    { status },
  )
}
