/** Bytes of a line at most: it holds a post of at most 5 MB, as JSON or Base64. */
export const lineBytes = 8 * 1024 * 1024

/** A line of a stream, counted from 1; `undefined` text is one over the limit or not UTF-8. */
export interface NumberedLine {
  number: number
  text?: string
  /** Why there is no text. */
  fault?: string
}

/**
 * Cuts a stream of bytes into lines. No more than one line and one chunk is ever held: of a line
 * over `mostBytes` only the fact remains. Empty lines are counted and left out.
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  mostBytes: number,
): AsyncGenerator<NumberedLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let number = 0
  let held: Uint8Array[] = []
  let size = 0

  const add = (bytes: Uint8Array) => {
    size += bytes.length
    if (size > mostBytes) held = []
    else held.push(bytes)
  }
  const end = (): NumberedLine | undefined => {
    number++
    const length = size
    const bytes = Buffer.concat(held)
    held = []
    size = 0
    if (length > mostBytes) {
      return { number, fault: `The line is longer than ${mostBytes / 1024 / 1024} MB.` }
    }
    try {
      const text = decoder.decode(bytes)
      return text.trim() === '' ? undefined : { number, text }
    } catch {
      return { number, fault: 'The line is not UTF-8.' }
    }
  }

  for await (const chunk of stream) {
    let from = 0
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, at))
      from = at + 1
      const line = end()
      if (line) yield line
    }
    if (from < chunk.length) add(chunk.subarray(from))
  }
  if (size > 0) {
    const line = end()
    if (line) yield line
  }
}
