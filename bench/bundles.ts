import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

/** Of esbuild's metafile, what is read here. */
interface Metafile {
  outputs: Record<
    string,
    {
      inputs: Record<string, { bytesInOutput: number }>
      imports: { path: string; kind: string }[]
    }
  >
}

/** Kilobytes (1,000 bytes) of a bundle, minified. */
export interface BundleSize {
  /** Ours and our libraries', loaded at start. */
  ownAtStart: number
  /** The SDK's, loaded at start. */
  sdkAtStart: number
  /** Ours and our libraries', with the parts that are loaded when first needed. */
  own: number
}

/** Whose bytes are not ours: the SDK and what it stands on. */
const sdk = /node_modules\/(@aws-sdk|@aws-crypto|@smithy|@aws|bowser|fast-xml-parser|tslib)\//

/** What a bundle weighs, by the metafile that `buildDoorway` gave. */
export function sizeOfBundle({ outputs }: Metafile): BundleSize {
  const start = new Set(Object.keys(outputs).filter((file) => file.endsWith('/index.mjs')))
  for (const file of start) {
    for (const { path, kind } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement') start.add(path)
    }
  }
  const kilobytes = (files: Iterable<string>, isSdk: boolean) => {
    let bytes = 0
    for (const file of files) {
      for (const [input, { bytesInOutput }] of Object.entries(outputs[file]?.inputs ?? {})) {
        if (sdk.test(input) === isSdk) bytes += bytesInOutput
      }
    }
    return Math.round(bytes / 1000)
  }
  return {
    ownAtStart: kilobytes(start, false),
    sdkAtStart: kilobytes(start, true),
    own: kilobytes(Object.keys(outputs), false),
  }
}

/** Milliseconds in which a new process imports the bundle that lies in a folder. */
export async function coldImport(folder: string): Promise<number> {
  const address = pathToFileURL(join(folder, 'index.mjs')).href
  const program = `
    const started = performance.now()
    await import(${JSON.stringify(address)})
    process.stdout.write(String(performance.now() - started))
    process.exit(0)`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', program],
    { env: { PATH: process.env.PATH, AWS_REGION: 'eu-central-1' } },
  )
  return Number(stdout)
}
