import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
// Node 20 has no `enableCompileCache`, so it cannot be imported by name.
import * as module from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'

const wanted = 24

/**
 * Runs `main` in this process if it is new enough, else this same command line on the Node that
 * package.json pins, with its streams, signals and exit code.
 */
export async function onPinnedNode(main) {
  if (Number(process.versions.node.split('.')[0]) >= wanted) {
    module.enableCompileCache?.()
    keepHeapSmall()
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
  const child = spawn(binary, process.argv.slice(1), { stdio: 'inherit' })
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

/**
 * Left alone the heap grows with the time that a run takes, to twice as much, and is no faster for it.
 * Set here, as flags of the command line would make the compile cache useless to whoever has none.
 */
function keepHeapSmall() {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=50')
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
