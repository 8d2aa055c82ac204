import Papa from 'papaparse'
import { invalid } from '../errors.ts'
import { csvLines, csvRecords, decodeCsv } from './csv-records.ts'

/** The columns of a list of readers, in the order in which they are written. */
export const columns = [
  'email',
  'categories',
  'cadence',
  'day',
  'at',
  'timeZone',
  'locale',
  'confirmedAt',
  'consent',
] as const
export type Column = (typeof columns)[number]

/** One reader of a file. A column that the file does not have is absent, an empty cell is `''`. */
export type CsvRow = Partial<Record<Column, string>>

export type ReadRow =
  | { line: number; status: 'row'; row: CsvRow }
  /** `reason` is for people and never repeats what the line says. */
  | { line: number; status: 'unreadable'; reason: string }

const delimiters = [',', ';', '\t'] as const

/**
 * Reads a list of readers, row by row, in constant memory. Comma, semicolon or tab, as the header
 * line has it; columns in any order, others than ours are left out.
 *
 * @throws `import.header` when the first line is not the head of such a list
 */
export async function* readCsv(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ReadRow, void, undefined> {
  const lines = csvLines(decodeCsv(chunks))
  let headerLine = 0
  let header = ''
  while (header.trim() === '') {
    const next = await lines.next()
    if (next.done) throw headerRefusal('it is empty')
    header = next.value
    headerLine += 1
  }
  const delimiter = delimiterOf(header)
  const places = readHeader(cellsOf(header, delimiter) ?? [])
  for await (const { line, text, isBroken } of csvRecords(lines, delimiter, headerLine + 1)) {
    if (isBroken) {
      yield unreadable(line, 'it is too long, or a quote is opened and never closed')
    } else if (text.includes('\ufffd') || text.includes('\0')) {
      yield unreadable(line, 'it has bytes that are not text in the encoding of the file')
    } else {
      const cells = cellsOf(text, delimiter)
      if (cells === undefined) {
        // What stands behind the quote would be taken into the field, and the next columns with it.
        yield unreadable(line, 'a quoted field goes on behind its closing quote')
        continue
      }
      const row: CsvRow = {}
      for (const [column, at] of places) row[column] = unguarded(cells[at] ?? '')
      yield { line, status: 'row', row }
    }
  }
}

/** One row as it is written, with its line break. */
export function writeRow(cells: readonly string[]): string {
  return `${Papa.unparse([cells.map(guarded)], { delimiter: ',' })}\r\n`
}

/** The head of a list, with its line break. */
export const csvHeader = `${columns.join(',')}\r\n`

/**
 * A spreadsheet runs a cell that starts so as a formula; one that is guarded already gets another
 * guard, so that reading takes exactly one away.
 */
const runs = /^['=+\-@\t\r\n＝＋－＠]/

function guarded(cell: string): string {
  return runs.test(cell) ? `'${cell}` : cell
}

function unguarded(cell: string): string {
  return cell.startsWith("'") && runs.test(cell.slice(1)) ? cell.slice(1) : cell
}

function unreadable(line: number, why: string): ReadRow {
  return { line, status: 'unreadable', reason: `Line ${line} cannot be read: ${why}.` }
}

/** `undefined` where the quotes of a field are wrong (RFC 4180 §2.5 to 2.7). */
function cellsOf(text: string, delimiter: string): string[] | undefined {
  const { data, errors } = Papa.parse<string[]>(text, { delimiter, newline: '\n' })
  return errors.some(({ type }) => type === 'Quotes') ? undefined : (data[0] ?? [])
}

function delimiterOf(header: string): string {
  const counts = delimiters.map((sign) => header.split(sign).length)
  return delimiters[counts.indexOf(Math.max(...counts))] ?? ','
}

function readHeader(cells: readonly string[]): Map<Column, number> {
  const places = new Map<Column, number>()
  const others: string[] = []
  for (const [at, cell] of cells.entries()) {
    const name = cell.trim().toLowerCase().replace(/[ _-]/g, '')
    const column = columns.find((known) => known.toLowerCase() === name)
    if (column === undefined) others.push(name)
    else if (places.has(column)) throw headerRefusal(`it has the column \`${column}\` twice`)
    else places.set(column, at)
  }
  if (!places.has('email')) throw headerRefusal('it has no column `email`')
  // A misspelt column would silently give everybody the default.
  for (const column of columns) {
    const meant = places.has(column) ? undefined : others.find((name) => isAlike(name, column))
    if (meant !== undefined) {
      throw headerRefusal(`it has a column \`${meant}\`: write \`${column}\`, or leave it out`)
    }
  }
  return places
}

/** One letter wrong, missing, too many or swapped with its neighbour; `category` for `categories`. */
function isAlike(name: string, column: Column): boolean {
  const [a, b] = [name, column.toLowerCase()]
  if (column === 'categories' && a === 'category') return true
  if (b.length < 4 || Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start += 1
  let end = 0
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) {
    end += 1
  }
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)]
  if (left.length <= 1 && right.length <= 1) return true
  return left.length === 2 && left === `${right[1]}${right[0]}`
}

function headerRefusal(why: string) {
  return invalid(
    'import.header',
    `This is not a list of readers: ${why}. The first line must name the columns, as in \`${columns.join(',')}\`; only \`email\` is needed.`,
  )
}
