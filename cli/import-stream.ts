import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { ReadableStream } from 'node:stream/web'
import { type Connection, refusal } from './connection.ts'
import { CliError, exitCodes } from './exit.ts'
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
 */
export async function* importFiles(
  connection: Connection,
  files: AsyncIterable<FoundFile>,
  query: string,
): AsyncGenerator<Outcome> {
  const own: Outcome[] = []
  const waiting = new Map<string, number>()
  async function* lines(): AsyncGenerator<Uint8Array> {
    for await (const file of files) {
      const line = await lineOf(file)
      if (typeof line !== 'string') {
        own.push(line)
        continue
      }
      waiting.set(file.path, (waiting.get(file.path) ?? 0) + 1)
      yield Buffer.from(`${line}\n`)
    }
  }

  let fault: unknown
  try {
    for await (const outcome of stream(connection, lines(), query)) {
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
export function importLines(
  connection: Connection,
  file: string,
  query: string,
): AsyncGenerator<Outcome> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield* createReadStream(file)
  }
  return stream(connection, chunks(), query)
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
    const response = await connection.fetch(`/api/v1/imports${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: ReadableStream.from(watched()) as unknown as BodyInit,
      duplex: 'half',
    })
    if (!response.ok) throw refusal(response.status, await response.text())
    yield* documentsOf<Outcome>(response.body)
  } catch (error) {
    if (readFault) throw readFault
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
