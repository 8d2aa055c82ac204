import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Figure, median, type Part, timed } from '../figure.ts'

const bin = join(process.env.BROADSHEET_ROOT ?? '.', 'bin/broadsheet.js')
const rounds = 9

/** How soon a process answers, and what it holds when nothing happens. */
export const startPart: Part = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'broadsheet-bench-'))
  // The first ones build the bundle and fill the compile cache.
  for (let i = 0; i < 3; i++) await run([bin, '--help'])
  await ready(folder)
  await ready(folder)

  const help = await medianOf(() => timed(() => run([bin, '--help'])))
  const node = await medianOf(() => timed(() => run(['-e', '0'])))
  const start = await medianOf(() => ready(folder))
  const idle = await idleMegabytes(folder, [
    bin,
    'start',
    '--port',
    '0',
    '--json',
    '--data',
    join(folder, 'idle'),
  ])
  const bare = await idleMegabytes(folder, [
    '-e',
    'require("http").createServer().listen(0, () => console.log("ready"))',
  ])
  rmSync(folder, { recursive: true, force: true })
  const figures: Figure[] = [
    {
      name: '`--help`',
      value: help,
      unit: 'ms',
      baseline: { name: 'node -e 0', value: node },
      ratio: help / node,
      aim: '≤ 150 ms',
    },
    {
      name: '`start` until it accepts requests',
      value: start,
      unit: 'ms',
      baseline: { name: 'node -e 0', value: node },
      ratio: start / node,
      aim: '≤ 500 ms',
    },
    {
      name: 'memory of an idle server',
      value: idle,
      unit: 'MB',
      baseline: { name: 'a bare node:http server', value: bare },
      ratio: idle / bare,
      aim: '≤ 100 MB',
    },
  ]
  return figures
}

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < rounds; i++) times.push(await measure())
  return median(times)
}

function run(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    child.on('error', reject)
    child.on('close', () => resolve())
  })
}

async function ready(folder: string): Promise<number> {
  let child: ChildProcess | undefined
  const ms = await timed(async () => {
    child = spawn(
      process.execPath,
      [bin, 'start', '--port', '0', '--json', '--data', join(folder, 'data')],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    await firstOutput(child)
  })
  await ended(child)
  return ms
}

async function idleMegabytes(cwd: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] })
  await firstOutput(child)
  // Past the first tick, and with time for a collection.
  await sleep(8000)
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  await ended(child)
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

function firstOutput(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve)
    child.once('close', () => reject(new Error('it ended before it was ready')))
  })
}

function ended(child: ChildProcess | undefined): Promise<unknown> {
  return new Promise((resolve) => {
    child?.once('close', resolve)
    child?.kill('SIGTERM')
  })
}
