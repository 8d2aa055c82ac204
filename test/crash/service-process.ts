import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import type { Move } from './faulty-mailer.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface ServiceProcessOptions {
  /** The working folder; the data is in `data`. */
  cwd: string
  /** The program as users start it, or the one with watched ports. */
  program: 'broadsheet' | 'watched'
  env: Record<string, string>
}

/** What a process with watched ports tells: how it disturbed a delivery, that a worker fell asleep. */
export interface Told {
  disturbance?: string
  isAsleep?: boolean
}

/** The connection broke because the process is gone: what was asked may or may not have been done. */
export class ProcessDied extends Error {}

/** The service in a process of its own, started again after each death. */
export function serviceProcess({ cwd, program, env }: ServiceProcessOptions) {
  let child: ChildProcess | undefined
  let address = ''
  let ended: Promise<void> = Promise.resolve()
  let starts = 0
  const errors: string[] = []
  const listeners = new Set<(message: Told) => void>()

  /** Resolves when it accepts requests; `isAlive` is false when it died before that. */
  async function start(more: Record<string, string> = {}): Promise<void> {
    const args =
      program === 'broadsheet'
        ? [join(root, 'bin/broadsheet.js'), 'start', '--json', '--port', '0']
        : [join(root, 'bin/run.js'), 'test/crash/watched-server.ts']
    starts++
    address = ''
    const clean = Object.entries(process.env).filter(
      ([name]) => !/^(BROADSHEET_|CRASH_|NO_COLOR|FORCE_COLOR|npm_|VITEST|NODE_ENV)/.test(name),
    )
    const started = spawn(process.execPath, args, {
      cwd,
      env: { ...Object.fromEntries(clean), ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe', ...(program === 'watched' ? ['ipc' as const] : [])],
    })
    child = started
    started.stderr?.on('data', (chunk) => {
      errors.push(String(chunk))
      if (errors.length > 200) errors.splice(0, 100)
    })
    started.on('message', (message) => {
      for (const listener of listeners) listener(message as object)
    })
    ended = new Promise((resolve) => started.once('close', () => resolve()))
    const lines = createInterface({ input: started.stdout as NodeJS.ReadableStream })
    const line = await Promise.race([
      new Promise<string>((resolve) => lines.once('line', resolve)),
      ended.then(() => undefined),
    ])
    address = line === undefined ? '' : (JSON.parse(line) as { address: string }).address
    if (line === undefined && started.signalCode !== 'SIGKILL') {
      throw new Error(`it ended by itself (${started.exitCode}): ${errors.slice(-5).join('')}`)
    }
  }

  const isAlive = () => child?.exitCode === null && child.signalCode === null

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    // Of this life: another may have begun by the time that the failure is told.
    const life = ended
    try {
      return await patiently(new Request(`${address}${path}`, init))
    } catch (cause) {
      const isGone = await Promise.race([
        life.then(() => true),
        new Promise<false>((resolve) => setTimeout(resolve, 2000, false)),
      ])
      if (isGone) throw new ProcessDied(`it died at ${path}`)
      throw cause
    }
  }

  return {
    start,
    isAlive,
    /** It has said where it listens, and was not seen dead since. */
    isReady: () => isAlive() && address !== '',
    request: ask,
    /** A request of the publisher's. Anything but success is a fault. */
    async api<T = unknown>(
      method: string,
      path: string,
      body?: object | string,
      headers: Record<string, string> = {},
    ): Promise<T> {
      const { localKey } = JSON.parse(readFileSync(join(cwd, 'data/secrets.json'), 'utf8'))
      const response = await ask(path, {
        method,
        headers: {
          authorization: `Bearer ${localKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
      const isJson = response.headers.get('content-type')?.startsWith('application/json')
      return (isJson ? JSON.parse(text) : text) as T
    },
    /** Without warning; resolves when it is gone. */
    async kill(): Promise<void> {
      if (isAlive()) child?.kill('SIGKILL')
      await ended
    },
    /** Resolves when the present process is gone. */
    gone: () => ended,
    starts: () => starts,
    errors: () => errors.join(''),
    /** Asks a process with watched ports for something; resolves when that is done, or it is gone. */
    move(move: Move): Promise<void> {
      return new Promise((resolve, reject) => {
        const done = () => {
          listeners.delete(heard)
          resolve()
        }
        const heard = (message: object) => isDeepStrictEqual(message, move) && done()
        listeners.add(heard)
        void ended.then(done)
        child?.send(move, (error) => error && isAlive() && reject(error))
      })
    },
    onMessage(listener: (message: Told) => void): void {
      listeners.add(listener)
    },
  }
}

/**
 * As `fetch`, which gives up after five minutes: a tick of many readers on a busy machine takes
 * longer. The whole answer: a process that dies within it has not answered.
 */
async function patiently(asked: Request): Promise<Response> {
  const body = Buffer.from(await asked.arrayBuffer())
  return new Promise((resolve, reject) => {
    const sent = request(asked.url, {
      method: asked.method,
      headers: Object.fromEntries(asked.headers),
    })
    sent.on('error', reject).on('response', (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part)).on('error', reject)
      answer.on('close', () => {
        if (!answer.complete) return reject(new Error('the answer broke off'))
        const { statusCode: status = 0, headers } = answer
        const type = { 'content-type': headers['content-type'] ?? '' }
        const isBare = status === 204 || status === 304
        resolve(new Response(isBare ? null : Buffer.concat(parts), { status, headers: type }))
      })
    })
    sent.end(body)
  })
}

export type ServiceProcess = ReturnType<typeof serviceProcess>
