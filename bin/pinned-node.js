import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
// Node 20 has no `enableCompileCache`, so it cannot be imported by name.
import * as module from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'

const wanted = 24

/**
 * The heap stays as small as the work: by itself it grows with the time that a run takes, to twice as
 * much and more, and is no faster for it.
 */
const flags = ['--max-semi-space-size=8', '--heap-growing-percent=50']

/**
 * Runs `main` in this process if it is new enough, else this same command line on the Node that
 * package.json pins, with its streams, signals and exit code.
 */
export async function onPinnedNode(main) {
  if (Number(process.versions.node.split('.')[0]) >= wanted) {
    module.enableCompileCache?.()
    return main()
  }
  const binary = pinnedBinary()
  if (!binary) {
    console.error(
      `broadsheet needs Node ${wanted} or newer; this is ${process.version}, and the pinned one is not installed.\n` +
        'Run `npm ci` without `--ignore-scripts` or `--omit=optional`, or install a newer Node.',
    )
    process.exit(2)
  }
  const child = spawn(binary, [...flags, ...process.argv.slice(1)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    process.on(signal, () => child.kill(signal))
  }
  child.on('error', (error) => {
    console.error(`broadsheet could not start ${binary}: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    process.exit(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1))
  })
}

function pinnedBinary() {
  try {
    const manifest = module.createRequire(import.meta.url).resolve('node/package.json')
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
    return join(dirname(manifest), typeof bin === 'string' ? bin : bin.node)
  } catch {
    return undefined
  }
}
