/** A record may have so many characters and lines: an unclosed quote must not swallow the file. */
const maxCharacters = 64 * 1024
const maxLines = 50

/** One record of a file. */
export interface CsvRecord {
  /** Of its first line, from 1. */
  line: number
  text: string
  /** It cannot be read: it is too long, or a quote is never closed. Its first line alone is given up. */
  isBroken: boolean
}

/**
 * Text from bytes as spreadsheets save them: UTF-8 with or without byte order mark, UTF-16 with
 * one. What is not valid becomes U+FFFD, so that its line can be refused by number.
 */
export async function* decodeCsv(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  let start: Uint8Array | undefined = new Uint8Array()
  let decoder = new TextDecoder()
  for await (const chunk of chunks) {
    let bytes = chunk
    if (start) {
      bytes = Buffer.concat([start, chunk])
      start = bytes.length < 3 ? bytes : undefined
      if (start) continue
      decoder = new TextDecoder(encodingOf(bytes))
    }
    yield decoder.decode(bytes, { stream: true })
  }
  yield start ? new TextDecoder(encodingOf(start)).decode(start) : decoder.decode()
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
}

/** Lines, ended by LF, CRLF or CR, each cut to what a record may have and one more. */
export async function* csvLines(
  texts: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  let line = ''
  let endsInCr = false
  const take = (piece: string) => {
    if (line.length <= maxCharacters) line += piece.slice(0, maxCharacters + 1 - line.length)
  }
  for await (const text of texts) {
    // The LF of a CRLF that was cut between two pieces ends nothing more.
    let at = endsInCr && text.startsWith('\n') ? 1 : 0
    if (text !== '') endsInCr = text.endsWith('\r')
    const ends = /\r\n|\n|\r/g
    ends.lastIndex = at
    for (let end = ends.exec(text); end; end = ends.exec(text)) {
      take(text.slice(at, end.index))
      yield line
      line = ''
      at = ends.lastIndex
    }
    take(text.slice(at))
  }
  if (line !== '') yield line
}

/**
 * Records: lines, and lines held together by quotes (RFC 4180 §2.6). One that never ends is broken
 * at its first line, and reading goes on with the next. Blank lines are left out.
 */
export async function* csvRecords(
  lines: AsyncIterable<string>,
  delimiter: string,
  firstLine = 1,
): AsyncGenerator<CsvRecord, void, undefined> {
  const source = lines[Symbol.asyncIterator]()
  /** Lines read and not given out; the first `done` of them are. */
  let held: string[] = []
  let done = 0
  const lineAt = async (at: number): Promise<string | undefined> => {
    if (at < held.length) return held[at]
    const next = await source.next()
    if (next.done) return undefined
    held.push(next.value)
    return next.value
  }
  for (let line = firstLine; ; ) {
    if (done > 1000) {
      held = held.slice(done)
      done = 0
    }
    const first = held[done] ?? (await lineAt(done))
    if (first === undefined) return
    let count = 1
    let length = first.length
    let isOpen = quoteIsOpen(first, delimiter, false)
    while (isOpen && count < maxLines && length <= maxCharacters) {
      // Waited for only where a line is not there yet: a file of open quotes reads each many times.
      const more = held[done + count] ?? (await lineAt(done + count))
      if (more === undefined) break
      count += 1
      length += more.length + 1
      isOpen = quoteIsOpen(more, delimiter, true)
    }
    const isBroken = isOpen || length > maxCharacters
    if (isBroken) count = 1
    const text = count === 1 ? first : held.slice(done, done + count).join('\n')
    if (isBroken || text.trim() !== '') yield { line, text, isBroken }
    line += count
    done += count
  }
}

/** Whether a quoted field goes on behind this line. A quote inside an unquoted field is just a sign. */
function quoteIsOpen(line: string, delimiter: string, isOpenBefore: boolean): boolean {
  let isOpen = isOpenBefore
  if (!isOpen && !line.includes('"')) return false
  let isFieldStart = !isOpen
  for (let at = 0; at < line.length; at++) {
    const sign = line[at]
    if (isOpen) {
      if (sign !== '"') continue
      if (line[at + 1] === '"') at += 1
      else isOpen = false
    } else {
      if (sign === '"' && isFieldStart) isOpen = true
      isFieldStart = sign === delimiter
    }
  }
  return isOpen
}
