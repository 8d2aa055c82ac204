import { styleText } from 'node:util'
import { displayWidth } from '../templates/emails/display-width.ts'

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

/** One line for people, on stdout. */
export function say(line = ''): void {
  write(process.stdout, `${line}\n`)
}

/** One line beside the result (progress, warnings, errors), on stderr. */
export function note(line: string): void {
  write(process.stderr, `${line}\n`)
}

/** One JSON document on one line, for machines; many calls make NDJSON. */
export function sayJson(value: unknown): void {
  write(process.stdout, `${JSON.stringify(value)}\n`)
}

/**
 * What came from outside, made fit for one line of a terminal: no control characters, which could
 * colour, move or rewrite what stands there.
 */
export function plain(value: unknown): string {
  return String(value ?? '')
    .replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim()
}

/** Styled on a terminal, plain in a pipe and with `NO_COLOR`. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

/** Rows under a header, aligned by what a terminal shows: a Chinese character takes two columns. */
export function table(header: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [header, ...rows.map((row) => row.map(plain))]
  const widths = header.map((_, column) =>
    Math.min(60, Math.max(...cells.map((row) => displayWidth(row[column] ?? '')))),
  )
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : padded(cell, widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  return [styled('dim', lines[0] ?? ''), ...lines.slice(1)].join('\n')
}

/** The text with blanks up to so many columns of a terminal. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)))
}

/**
 * A line on stderr that rewrites itself, on a terminal only; in a pipe there is none. `done` takes
 * it away.
 */
export function progress(): { show(text: string): void; done(): void } {
  if (!process.stderr.isTTY) return { show: () => {}, done: () => {} }
  let last = 0
  return {
    show(text) {
      // Ten times a second is as often as anyone can read.
      if (performance.now() - last < 100) return
      last = performance.now()
      write(process.stderr, `\r\x1b[K${plain(text).slice(0, (process.stderr.columns ?? 80) - 1)}`)
    },
    done: () => write(process.stderr, '\r\x1b[K'),
  }
}

/** `1,234 posts`, `1 post`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

function write(stream: NodeJS.WriteStream, text: string): void {
  stream.write(text)
}
