import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Answers, RunFigures } from '../audience-stages.ts'
import type { Figure, Part } from '../figure.ts'

/** What a run costs in memory and time, and what its books answer, at growing numbers of readers. */
export const audiencePart: Part = async ({ audiences }) => {
  const figures: Figure[] = []
  let smallest: RunFigures | undefined
  for (const readers of audiences) {
    const folder = mkdtempSync(join(tmpdir(), 'broadsheet-bench-'))
    try {
      await stage('seed', folder, readers)
      const run = await stage<RunFigures>('run', folder, readers)
      const asked = await stage<Answers>('ask', folder, readers)
      smallest ??= run
      figures.push(...figuresOf(readers, run, asked, smallest))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return figures
}

function figuresOf(
  readers: number,
  run: RunFigures,
  asked: Answers,
  smallest: RunFigures,
): Figure[] {
  const size = `${readers.toLocaleString('en')} readers`
  const slowest = (answers: Answers) =>
    Object.entries(answers).reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0])
  const [halfName, half] = slowest(run.halfway)
  const [endName, end] = slowest(asked)
  return [
    { name: `planning ${size}`, value: run.planSeconds, unit: 's', aim: '500,000 in 60 s' },
    { name: `sending to ${size}, own work a mail`, value: run.cpuMicroseconds, unit: 'µs of CPU' },
    { name: `sending to ${size}`, value: run.sendSeconds, unit: 's' },
    {
      name: `peak memory of a run over ${size}`,
      value: run.peakMegabytes,
      unit: 'MB',
      baseline: { name: 'the smallest audience', value: smallest.peakMegabytes },
      ratio: run.peakMegabytes / smallest.peakMegabytes,
      aim: 'ratio ≤ 1.1 with 1,000,000',
    },
    { name: `slowest answer about it halfway (${halfName})`, value: half, unit: 'ms', aim: '100' },
    { name: `slowest answer about it when done (${endName})`, value: end, unit: 'ms', aim: '100' },
  ]
}

async function stage<T>(name: string, folder: string, readers: number): Promise<T> {
  const root = process.env.BROADSHEET_ROOT ?? '.'
  const flags = ['--stage', name, '--folder', folder, '--readers', String(readers)]
  const script = [...process.execArgv, join(root, 'bin/run.js'), 'bench/main.ts']
  const child = spawn(process.execPath, [...script, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = (await text(child.stdout)).trim().split('\n')
  return JSON.parse(lines.at(-1) || 'null') as T
}
