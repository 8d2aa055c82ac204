import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const bin = fileURLToPath(new URL('../../bin/broadsheet.js', import.meta.url))

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  /** The working folder, where `broadsheet.yaml` and `data` would be. */
  cwd: string
  env?: Record<string, string>
  input?: string
}

/** An empty folder that goes away with the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'broadsheet-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The real command in a process of its own, as a person starts it. */
export function spawnBroadsheet(args: readonly string[], { cwd, env }: RunOptions): ChildProcess {
  // What the developer's own shell has set must not reach a test.
  const clean = Object.entries(process.env).filter(
    ([name]) => !/^(BROADSHEET_|NO_COLOR|FORCE_COLOR|npm_|VITEST)/.test(name),
  )
  return spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...Object.fromEntries(clean), ...env },
  })
}

export async function broadsheet(args: readonly string[], options: RunOptions): Promise<Ended> {
  const child = spawnBroadsheet(args, options)
  child.stdin?.end(options.input ?? '')
  return ended(child)
}

export function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

export interface Server {
  child: ChildProcess
  pid: number
  url: string
  ended: Promise<Ended>
}

/** `start --json` on a free port, once it accepts requests. Killed with the test if it still runs. */
export async function startBroadsheet(
  args: readonly string[],
  options: RunOptions,
): Promise<Server> {
  const child = spawnBroadsheet(['start', '--port', '0', '--json', ...args], options)
  onTestFinished(() => void child.kill('SIGKILL'))
  const end = ended(child)
  const first = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.split('\n')[0] ?? '')
    })
    end.then(({ stderr }) => reject(new Error(`it ended before it listened: ${stderr}`)), reject)
  })
  const { pid, url } = JSON.parse(first) as { pid: number; url: string }
  return { child, pid, url, ended: end }
}
