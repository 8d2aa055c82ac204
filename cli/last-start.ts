import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** How the server was started last on a data folder. */
export interface LastStart {
  /** Commands without a server then give posts the same addresses. */
  listen: { host: string; port: number }
  /** Feeds and pages are rendered again when it has changed since. */
  baseUrl: string
}

/** `undefined` for a folder on which no server ever ran. */
export function lastStart(data: string): LastStart | undefined {
  try {
    const { listen, baseUrl } = JSON.parse(readFileSync(fileIn(data), 'utf8'))
    if (typeof listen.host !== 'string' || !Number.isInteger(listen.port)) return undefined
    return { listen: { host: listen.host, port: listen.port }, baseUrl: String(baseUrl) }
  } catch {
    return undefined
  }
}

export function keepLastStart(data: string, start: LastStart): void {
  writeFileSync(`${fileIn(data)}.new`, JSON.stringify(start))
  renameSync(`${fileIn(data)}.new`, fileIn(data))
}

function fileIn(data: string): string {
  return join(data, 'last-start.json')
}
