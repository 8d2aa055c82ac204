import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { ReadableStream } from 'node:stream/web'
import { lineBytes, readLines } from '../functions/posts/ndjson.ts'
import { type Connection, refusal } from './connection.ts'
import { CliError, exitCodes } from './exit.ts'
import {
  fits,
  type Numbered,
  newImportId,
  type PartLimits,
  partLimits,
  partsOf,
} from './import-parts.ts'
import { documentsOf } from './ndjson.ts'
import { bytesOf, type FoundFile } from './post-files.ts'

/** What became of one file. */
export interface Outcome {
  path: string
  outcome: 'published' | 'updated' | 'unchanged' | 'hidden' | 'ignored' | 'refused'
  id?: string
  code?: string
  reason?: string
}

/**
 * Sends files to `/api/v1/imports` as they are read and yields what became of each as it is
 * answered: neither side holds more than a window of them. Every file has exactly one outcome; if
 * the line breaks, the rest is told as unanswered and then the break is thrown.
 *
 * A service that takes only so much in one request gets them in several, which it knows to be one
 * import; a file that is too large for any is refused by name.
 */
export async function* importFiles(
  connection: Connection,
  files: AsyncIterable<FoundFile>,
  query: string,
): AsyncGenerator<Outcome> {
  const limits = await partLimits(connection)
  const own: Outcome[] = []
  const waiting = new Map<string, number>()
  async function* lines(): AsyncGenerator<Numbered> {
    let number = 0
    for await (const file of files) {
      const line = await lineOf(file)
      if (typeof line !== 'string') {
        own.push(line)
        continue
      }
      if (limits && !fits(limits, line)) {
        own.push(tooLarge(file.path, limits))
        continue
      }
      waiting.set(file.path, (waiting.get(file.path) ?? 0) + 1)
      yield { number: ++number, text: line }
    }
  }

  let fault: unknown
  try {
    for await (const outcome of send(connection, lines(), query, limits)) {
      const left = (waiting.get(outcome.path) ?? 1) - 1
      if (left > 0) waiting.set(outcome.path, left)
      else waiting.delete(outcome.path)
      yield* own.splice(0)
      yield outcome
    }
  } catch (error) {
    fault = error
  }
  yield* own
  for (const path of waiting.keys()) {
    const reason = 'The service did not say what became of it. Repeat the import.'
    yield { path, outcome: 'refused', code: 'import.unanswered', reason }
  }
  if (fault) throw fault
}

/** The same for a file of NDJSON: one post a line, as the API takes them. */
export async function* importLines(
  connection: Connection,
  file: string,
  query: string,
): AsyncGenerator<Outcome> {
  const limits = await partLimits(connection)
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield* createReadStream(file)
  }
  if (!limits) {
    yield* stream(connection, chunks(), query)
    return
  }
  const own: Outcome[] = []
  async function* lines(limits: PartLimits): AsyncGenerator<Numbered> {
    const bytes = ReadableStream.from(chunks()) as unknown as globalThis.ReadableStream<Uint8Array>
    for await (const { number, text, fault = '' } of readLines(bytes, lineBytes)) {
      const path = `line ${number}`
      if (text === undefined) {
        own.push({ path, outcome: 'refused', code: 'import.line', reason: fault })
      } else if (fits(limits, text)) yield { number, text }
      else own.push(tooLarge(path, limits))
    }
  }
  for await (const outcome of send(connection, lines(limits), query, limits)) {
    yield* own.splice(0)
    yield outcome
  }
  yield* own
}

function tooLarge(path: string, { bytes }: PartLimits): Outcome {
  const most = (bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })
  return {
    path,
    outcome: 'refused',
    code: 'import.too-large',
    reason: `One request to this service takes ${most} MB, and the post is larger. Import it with \`--stack NAME\`, which has no such limit, or make it smaller.`,
  }
}

/** As one stream, or in requests of what the service takes. */
async function* send(
  connection: Connection,
  lines: AsyncGenerator<Numbered>,
  query: string,
  limits: PartLimits | undefined,
): AsyncGenerator<Outcome> {
  if (!limits) {
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for await (const { text } of lines) yield Buffer.from(`${text}\n`)
    }
    yield* stream(connection, bytes(), query)
    return
  }
  const id = newImportId()
  for await (const { firstLine, body } of partsOf(lines, limits)) {
    const asked = new URLSearchParams(query)
    asked.set('import', id)
    asked.set('line', String(firstLine))
    yield* request(connection, `?${asked}`, body)
  }
}

async function* stream(
  connection: Connection,
  body: AsyncGenerator<Uint8Array>,
  query: string,
): AsyncGenerator<Outcome> {
  let readFault: unknown
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* body
    } catch (error) {
      // Told by its own name below, not as a line that broke.
      readFault = error
      throw error
    }
  }
  try {
    yield* request(connection, query, ReadableStream.from(watched()) as unknown as BodyInit)
  } catch (error) {
    throw readFault ?? error
  }
}

async function* request(
  connection: Connection,
  query: string,
  body: BodyInit | Buffer,
): AsyncGenerator<Outcome> {
  try {
    const response = await connection.fetch(`/api/v1/imports${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: body as BodyInit,
      duplex: 'half',
    })
    if (!response.ok) throw refusal(response.status, await response.text())
    yield* documentsOf<Outcome>(response.body)
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(
      exitCodes.later,
      'The connection to the service broke. What it answered is stored; repeat the import to go on.',
      { cause: error },
    )
  }
}

/** The line that carries a file, or what became of one that is not sent. */
async function lineOf(file: FoundFile): Promise<string | Outcome> {
  const { path, skip, contentType } = file
  if (skip) return { path, ...skip }
  // A path alone lets the service say, in its place, that it is no post.
  if (!contentType) return JSON.stringify({ path })
  const bytes = await bytesOf(file)
  if (!bytes) {
    const reason = 'It cannot be read. Look at its rights.'
    return { path, outcome: 'refused', code: 'file.unreadable', reason }
  }
  return JSON.stringify(
    isUtf8(bytes)
      ? { path, source: bytes.toString('utf8') }
      : { path, sourceBase64: bytes.toString('base64') },
  )
}
