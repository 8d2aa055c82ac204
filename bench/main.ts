import { spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import type { BenchOptions, Figure, Part } from './figure.ts'

const parts: Record<string, () => Promise<Part>> = {
  start: async () => (await import('./parts/start.ts')).startPart,
  import: async () => (await import('./parts/import.ts')).importPart,
  'new-post': async () => (await import('./parts/new-post.ts')).newPostPart,
  mail: async () => (await import('./parts/mail.ts')).mailPart,
  'own-work': async () => (await import('./parts/own-work.ts')).ownWorkPart,
  audience: async () => (await import('./parts/audience.ts')).audiencePart,
  bundles: async () => (await import('./parts/bundles.ts')).bundlesPart,
}

const { values } = parseArgs({
  options: {
    part: { type: 'string', multiple: true },
    posts: { type: 'string', default: '5000' },
    sizes: { type: 'string', default: '100,10000,100000' },
    readers: { type: 'string', default: '5000' },
    audiences: { type: 'string', default: '10000,100000' },
    stage: { type: 'string' },
    folder: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    child: { type: 'string' },
    sink: { type: 'boolean', default: false },
  },
})
const options: BenchOptions = {
  posts: Number(values.posts),
  sizes: values.sizes.split(',').map(Number),
  readers: Number(values.readers),
  audiences: values.audiences.split(',').map(Number),
}

if (values.sink) {
  const { serveSink } = await import('./smtp-sink.ts')
  serveSink()
} else if (values.stage) {
  const { stages } = await import('./audience-stages.ts')
  const stage = stages[values.stage as keyof typeof stages]
  console.log(JSON.stringify(await stage(values.folder, options.readers)))
  process.exit()
} else if (values.child) {
  const part = await parts[values.child]?.()
  console.log(JSON.stringify(await part?.(options)))
  process.exit()
} else {
  await runAll()
}

/** Each part in a process of its own, so that none is measured with the memory of another. */
async function runAll(): Promise<void> {
  const names = values.part ?? Object.keys(parts)
  const unknown = names.find((name) => !Object.hasOwn(parts, name))
  if (unknown) {
    console.error(`There is no part \`${unknown}\`. Known are: ${Object.keys(parts).join(', ')}.`)
    process.exit(2)
  }
  if (!values.json) {
    console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'processor'}`)
  }
  const all: Figure[] = []
  for (const name of names) {
    const root = process.env.BROADSHEET_ROOT ?? '.'
    const flags = ['posts', 'sizes', 'readers', 'audiences'] as const
    const child = spawn(
      process.execPath,
      [
        ...process.execArgv,
        join(root, 'bin/run.js'),
        'bench/main.ts',
        '--child',
        name,
        ...flags.flatMap((flag) => [`--${flag}`, values[flag]]),
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const figures = JSON.parse(
      (await text(child.stdout)).trim().split('\n').at(-1) || '[]',
    ) as Figure[]
    all.push(...figures)
    if (!values.json) for (const figure of figures) console.log(lineOf(figure))
    if (figures.length === 0) process.exitCode = 1
  }
  if (values.json) console.log(JSON.stringify(all))
}

function lineOf({ name, value, unit, baseline, ratio, aim }: Figure): string {
  const shown = (n: number) => n.toLocaleString('en', { maximumSignificantDigits: 3 })
  const against = baseline
    ? `  = ${shown(ratio ?? 0)} × ${shown(baseline.value)} (${baseline.name})`
    : ''
  return `${name}: ${shown(value)} ${unit}${against}${aim ? `  [aim: ${aim}]` : ''}`
}
