import { createHash, randomBytes } from 'node:crypto'
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The folder that holds package.json. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * The one way in which TypeScript becomes JavaScript here: the command line, the benchmarks and
 * the Lambda bundles all use these esbuild options, so what runs on one machine is what is deployed.
 */
export const esbuildOptions = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  jsx: 'automatic',
  jsxImportSource: 'hono/jsx',
  sourcemap: true,
  metafile: true,
  logLevel: 'silent',
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
}

/**
 * What is loaded from node_modules instead of being bundled for this machine: few commands need the
 * SDK of AWS, and it would double what every change costs to build.
 */
const outside = ['@aws-sdk/*']

const watched = ['package.json', 'package-lock.json', 'tsconfig.json', 'bin/bundle.js']

/**
 * Returns the file URL of an up-to-date bundle of a TypeScript entry file, building it only when
 * an input changed since the last build. Safe to call from several processes at once: each builds
 * into a folder of its own and renames a pointer last.
 */
export async function bundle(entry) {
  const cache = cacheFolder()
  const pointer = join(cache, `${basename(entry).replace(/\W+/g, '-')}.${hash(entry)}.json`)
  const last = read(pointer)
  if (last && isFresh(last)) return pathToFileURL(last.main).href

  // esbuild is loaded only when something must be built: it costs more than a whole `--help`.
  const { build } = await import('esbuild')
  const outdir = join(
    cache,
    `${basename(entry, '.ts')}-${Date.now()}-${randomBytes(3).toString('hex')}`,
  )
  const result = await build({
    ...esbuildOptions,
    external: outside,
    entryPoints: [entry],
    outdir,
  })
  const inputs = {}
  for (const file of [...Object.keys(result.metafile.inputs), ...watched]) {
    const stamp = stampOf(file)
    if (stamp) inputs[file] = stamp
  }
  const main = join(outdir, `${basename(entry, '.ts')}.js`)
  const temporary = `${pointer}.${process.pid}`
  writeFileSync(temporary, JSON.stringify({ main, inputs }))
  renameSync(temporary, pointer)
  prune(cache, outdir, basename(entry, '.ts'))
  return pathToFileURL(main).href
}

function isFresh({ main, inputs }) {
  if (!stampOf(relative(root, main))) return false
  return Object.entries(inputs).every(([file, stamp]) => stampOf(file) === stamp)
}

function stampOf(file) {
  try {
    const { mtimeMs, size } = statSync(join(root, file))
    return `${mtimeMs}:${size}`
  } catch {
    return undefined
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function cacheFolder() {
  const preferred = join(root, 'node_modules/.cache/broadsheet')
  try {
    mkdirSync(preferred, { recursive: true })
    accessSync(preferred, constants.W_OK)
    return preferred
  } catch {
    const own = join(tmpdir(), `broadsheet-${process.getuid?.() ?? 'user'}-${hash(root)}`)
    mkdirSync(own, { recursive: true, mode: 0o700 })
    try {
      symlinkSync(join(root, 'node_modules'), join(own, 'node_modules'))
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    return own
  }
}

// The newest few stay: a process that started a moment ago may still load chunks from its folder.
function prune(cache, keep, name) {
  const folders = readdirSync(cache)
    .filter((entry) => entry.startsWith(`${name}-`) && !entry.endsWith('.json'))
    .sort()
  for (const folder of folders.slice(0, -3)) {
    if (join(cache, folder) !== keep) rmSync(join(cache, folder), { recursive: true, force: true })
  }
}

function hash(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

/** Builds what a packed copy runs: Node strips no types under node_modules, so it ships JavaScript. */
export async function buildPackage() {
  const { build } = await import('esbuild')
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  await build({
    ...esbuildOptions,
    external: outside,
    sourcemap: false,
    minify: true,
    entryPoints: ['cli/broadsheet.ts'],
    outdir: 'dist',
  })
}

/** The files of `functions/aws/` that the outside world calls. */
export const doorwayNames = ['web', 'jobs', 'clock', 'feedback']

/**
 * Builds a doorway of `functions/aws/` into an empty folder, as
 * Lambda runs it: `index.mjs` with its parts, and the publisher's configuration, parsed, beside it. The SDK is
 * bundled, so what was tested is what is deployed, not what the runtime brings. Gives esbuild's metafile.
 *
 * Synchronous, as the constructs of `infra/` are.
 */
export function buildDoorway(name, outdir) {
  const require = createRequire(import.meta.url)
  const { buildSync } = require('esbuild')
  rmSync(outdir, { recursive: true, force: true })
  const { metafile } = buildSync({
    ...esbuildOptions,
    minify: true,
    // Stack traces name files and lines; the sources themselves would double what is uploaded.
    sourcesContent: false,
    // The SDK as modules: as CommonJS nothing of it is left out, and it is twice as large.
    mainFields: ['module', 'main'],
    entryPoints: { index: `functions/aws/${name}.lambda.ts` },
    outExtension: { '.js': '.mjs' },
    outdir,
  })
  const settings = require('js-yaml').load(readFileSync(join(root, 'broadsheet.yaml'), 'utf8'))
  writeFileSync(join(outdir, 'broadsheet.json'), JSON.stringify(settings ?? {}))
  return metafile
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--dist')) {
  await buildPackage()
}
