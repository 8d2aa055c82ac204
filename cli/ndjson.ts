import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'

/** The documents of an NDJSON answer as they arrive. */
export async function* documentsOf<T>(body: Response['body']): AsyncGenerator<T> {
  if (!body) return
  const input = Readable.fromWeb(body as ReadableStream)
  for await (const line of createInterface({ input, crlfDelay: 1000 })) {
    if (line) yield JSON.parse(line) as T
  }
}
