import { randomBytes } from 'node:crypto'
import type { Connection } from './connection.ts'

/** How much of an import one request to a service takes. */
export interface PartLimits {
  bytes: number
  lines: number
}

/** One request's worth of lines, and the number of the first among all, from 1. */
export interface Part {
  firstLine: number
  body: Buffer
}

/** A line with its number among all; those left out between are counted. */
export interface Numbered {
  number: number
  text: string
}

/** How far apart two lines of a part may be: empty lines in between stand for what was left out. */
const mostGap = 100

/**
 * What the service takes in one request, or `undefined` where a request streams however much it
 * holds. A service on AWS says it; one in this process has no such limit.
 */
export async function partLimits(connection: Connection): Promise<PartLimits | undefined> {
  if (connection.kind !== 'server') return undefined
  const response = await connection.fetch('/healthz')
  if (!response.ok) return undefined
  const { importPart } = (await response.json()) as { importPart?: Partial<PartLimits> }
  const { bytes, lines } = importPart ?? {}
  return typeof bytes === 'number' && typeof lines === 'number' && bytes > 0 && lines > 0
    ? { bytes, lines }
    : undefined
}

/** Whether a line can be sent at all. */
export function fits({ bytes }: PartLimits, line: string): boolean {
  return Buffer.byteLength(line) < bytes
}

/** Gathers lines, each of which fits, into parts that do. No more than one part is held. */
export async function* partsOf(
  lines: AsyncIterable<Numbered>,
  limits: PartLimits,
): AsyncGenerator<Part> {
  let held: string[] = []
  let size = 0
  let firstLine = 1
  const end = (): Part => {
    const part = { firstLine, body: Buffer.from(held.join('')) }
    held = []
    size = 0
    return part
  }
  for await (const { number, text } of lines) {
    const gap = number - (firstLine + held.length)
    const bytes = gap + Buffer.byteLength(text) + 1
    const isFull = held.length + gap >= limits.lines || size + bytes > limits.bytes
    if (held.length > 0 && (isFull || gap > mostGap)) yield end()
    if (held.length === 0) firstLine = number
    else held.push(...Array<string>(gap).fill('\n'))
    held.push(`${text}\n`)
    size += bytes
  }
  if (held.length > 0) yield end()
}

/** Names an import whose parts belong together. */
export const newImportId = () => randomBytes(12).toString('base64url')
