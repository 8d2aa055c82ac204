import fc from 'fast-check'
import Papa from 'papaparse'
import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { type ReadRow, readCsv, writeRow } from '../../functions/subscribers/csv.ts'

async function* inPieces(bytes: Uint8Array, size = bytes.length || 1) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const readAll = async (bytes: Uint8Array | string, size?: number): Promise<ReadRow[]> => {
  const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  return Array.fromAsync(readCsv(inPieces(data, size)))
}
const rowsOf = async (bytes: Uint8Array | string, size?: number) =>
  (await readAll(bytes, size)).map((row) => (row.status === 'row' ? row.row : row.line))

const utf16 = (text: string, isBigEndian = false) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return isBigEndian ? bytes.swap16() : bytes
}

const list = 'email,categories,consent\nada@example.org,tech life,"yes, ""please""\nat the fair"\n'
const ada = {
  email: 'ada@example.org',
  categories: 'tech life',
  consent: 'yes, "please"\nat the fair',
}

describe('readCsv', () => {
  it.each<[string, Uint8Array | string]>([
    ['commas', list],
    ['semicolons', list.replaceAll(/,(?! )/g, ';')],
    ['tabs', list.replaceAll(/,(?! )/g, '\t')],
    ['CRLF', list.replaceAll('\n', '\r\n')],
    ['CR alone', list.replaceAll('\n', '\r')],
    ['no last line break', list.slice(0, -1)],
    ['a byte order mark', `\ufeff${list}`],
    ['UTF-16, little-endian', utf16(list)],
    ['UTF-16, big-endian', utf16(list, true)],
    ['blank lines', `\n\n${list}\n\n`],
    ['a header in other case and spelling', list.replace('categories', ' Categories ')],
    ['other columns', list.replace('email', 'Name,email').replace('ada@', 'Ada Lovelace,ada@')],
  ])('reads %s', async (_title, bytes) => {
    for (const size of [undefined, 1, 2, 3, 7]) {
      const [row] = await rowsOf(bytes, size)
      const plain = JSON.parse(
        JSON.stringify(row).replaceAll('\\r\\n', '\\n').replaceAll('\\r', '\\n'),
      )
      expect(plain).toEqual(ada)
    }
  })

  it.each([
    ['nothing', ''],
    ['blank lines alone', '\n\n\n'],
    ['no column `email`', 'mail,name\na@example.org,A\n'],
    ['a column twice', 'email,email\na,b\n'],
    ['a misspelt column', 'email,catgories\na@example.org,tech\n'],
    ['a column in the singular', 'email,category\na@example.org,tech\n'],
    ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 1, 2, 3])],
    ['JSON', '[{"email":"a@example.org"}]'],
    ['one endless line', 'x'.repeat(1_000_000)],
  ])('refuses %s as a whole', async (_title, bytes) => {
    const error = await readAll(bytes).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ServiceError)
    expect((error as ServiceError).code).toBe('import.header')
    expect((error as ServiceError).message.length).toBeLessThan(500)
  })

  it('refuses what cannot be read by its line, and goes on', async () => {
    const bytes = Buffer.concat([
      Buffer.from('email,consent\n'),
      Buffer.from('one@example.org,"two\nlines"\n'),
      Buffer.from([0x61, 0xff, 0xfe, 0x40, 0x62, 0x0a]),
      Buffer.from(`long@example.org,${'x'.repeat(70_000)}\n`),
      Buffer.from('\n'),
      Buffer.from('two@example.org,it said "yes"\n'),
      Buffer.from('three@example.org,"never closed\n'),
      Buffer.from('four@example.org,yes\n'),
    ])
    for (const size of [undefined, 5, 1000]) {
      const rows = await readAll(bytes, size)
      expect(
        rows.map((row) => [row.line, row.status === 'row' ? row.row.email : 'unreadable']),
      ).toEqual([
        [2, 'one@example.org'],
        [4, 'unreadable'],
        [5, 'unreadable'],
        [7, 'two@example.org'],
        [8, 'unreadable'],
        [9, 'four@example.org'],
      ])
      expect(JSON.stringify(rows.filter(({ status }) => status !== 'row'))).not.toContain(
        '@example',
      )
    }
  })

  it.each([
    'ada@example.org,"ok" x,2025-01-01',
    '"ada@example.org"x,ok,2025-01-01',
    '"ada@example.org" "x",ok,2025-01-01',
  ])('refuses a line where a field goes on behind its closing quote: %s', async (line) => {
    const rows = await readAll(`email,consent,confirmedAt\n${line}\nbob@example.org,ok,\n`)
    expect(rows.map(({ status }) => status)).toEqual(['unreadable', 'row'])
    expect(JSON.stringify(rows[0])).toMatch(/Line 2 .*closing quote/)
    expect(JSON.stringify(rows[0])).not.toContain('ada@')
  })

  it.each(['a","', '"', '"""', `a,"${'x'.repeat(30_000)}`])(
    'reads a file of nothing but open quotes to its end: %#',
    async (line) => {
      // Reading on for each of them to the end of the file would take hours.
      const count = Math.floor(200_000 / (line.length + 1))
      const rows = await readAll(`email,consent\n${`${line}\n`.repeat(count)}`, 65_536)
      expect(rows.length).toBeGreaterThanOrEqual(count / 2)
    },
  )
})

describe('writeRow', () => {
  const cell = fc
    .oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed()),
      fc
        .tuple(
          fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', "'", "''=", '"', '＝', ' '),
          fc.string(),
        )
        .map(([sign, text]) => sign + text),
    )
    .filter((text) => !/[\0\ufffd]/.test(text))

  it('writes no cell that a spreadsheet would run, and any cell so that it is read as it was', async () => {
    await fc.assert(
      fc.asyncProperty(cell, cell, async (consent, categories) => {
        const text = writeRow(['a@example.org', consent, categories])
        const cells = Papa.parse<string[]>(text.slice(0, -2), { delimiter: ',' }).data.flat()
        for (const written of cells) expect(written).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/)
        const header = 'email,consent,categories\r\n'
        const [row] = await rowsOf(header + text, 64)
        const plain = (value: string) => value.replaceAll(/\r\n|\r/g, '\n')
        expect(row).toEqual({
          email: 'a@example.org',
          consent: plain(consent),
          categories: plain(categories),
        })
      }),
      { numRuns: 500 },
    )
  })
})
