import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Answers, Cost } from '../audience-stages.ts'
import type { Figure, Part } from '../figure.ts'

/** What a run costs in memory and time, and what its books answer, at growing numbers of readers. */
export const audiencePart: Part = async ({ audiences }) => {
  const figures: Figure[] = []
  let smallest: number | undefined
  for (const readers of audiences) {
    const folder = mkdtempSync(join(tmpdir(), 'broadsheet-bench-'))
    try {
      await stage('seed', folder, readers)
      const begin = await stage<Cost>('begin', folder, readers)
      const halfway = await stage<Answers>('ask', folder, readers)
      const finish = await stage<Cost>('finish', folder, readers)
      const done = await stage<Answers>('ask', folder, readers)
      const peak = Math.max(begin.peakMegabytes, finish.peakMegabytes)
      smallest ??= peak
      const size = `${readers.toLocaleString('en')} readers`
      const cpu = begin.cpuSeconds + finish.cpuSeconds
      figures.push(
        { name: `planning ${size}`, value: begin.planSeconds, unit: 's', aim: '500,000 in 60 s' },
        { name: `sending to ${size}`, value: begin.sendSeconds + finish.sendSeconds, unit: 's' },
        {
          name: `own work a mail with ${size}`,
          value: (cpu / readers) * 1e6,
          unit: 'µs of CPU',
        },
        {
          name: `peak memory of a run over ${size}`,
          value: peak,
          unit: 'MB',
          baseline: { name: 'the smallest audience', value: smallest },
          ratio: peak / smallest,
          aim: 'ratio ≤ 1.1 with 1,000,000',
        },
        slowest('halfway', halfway),
        slowest('when done', done),
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return figures
}

function slowest(when: string, answers: Answers): Figure {
  const [name, value] = Object.entries(answers).reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0])
  return { name: `slowest answer about it ${when} (${name})`, value, unit: 'ms', aim: '≤ 100 ms' }
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
