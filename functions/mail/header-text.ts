import { invalid } from '../errors.ts'

/**
 * One header line with its CRLF, folded where it must be (RFC 5322 §2.2.3). Text that is not plain
 * ASCII becomes encoded words (RFC 2047) that are never cut inside a character.
 *
 * @throws `mail.header` for a line break or other control character: what would end the header early
 * could add headers of somebody else's choice.
 */
export function headerLine(name: string, value: string): string {
  return `${name}: ${headerText(refuseControls(name, value), name.length + 2)}\r\n`
}

/** As `headerLine`, for a value whose syntax must stay as it is, such as an address or a link. */
export function rawHeaderLine(name: string, value: string): string {
  refuseControls(name, value)
  if (!/^[\x20-\x7e]*$/.test(value) || name.length + value.length > 990) {
    throw invalid(
      'mail.header',
      `The header \`${name}\` must be at most 990 plain ASCII characters.`,
    )
  }
  return `${name}: ${value}\r\n`
}

/** The characters that end a header, or a message, before its time. */
export function refuseControls(name: string, value: string): string {
  if (/[\u0000-\u001f\u007f]/.test(value)) {
    throw invalid(
      'mail.header',
      `The header \`${name}\` must be one line: it has a line break or another control character.`,
    )
  }
  return value
}

/** Free text as a header's value; `used` columns of its first line are taken by the name. */
export function headerText(value: string, used: number): string {
  const isPlain =
    /^[\x20-\x7e]*$/.test(value) &&
    // Blanks at the ends or in a row would be lost or change by folding; `=?` would be decoded.
    !/^ | $| {2}|=\?/.test(value) &&
    value.split(' ').every((word) => word.length < 60)
  return isPlain ? fold(value, used) : encodedWords(value, used)
}

function fold(value: string, used: number): string {
  let column = used
  let folded = ''
  for (const [i, word] of value.split(' ').entries()) {
    if (i > 0 && column + 1 + word.length > 76) {
      folded += `\r\n ${word}`
      column = 1 + word.length
    } else {
      folded += i > 0 ? ` ${word}` : word
      column += (i > 0 ? 1 : 0) + word.length
    }
  }
  return folded
}

const segmenter = new Intl.Segmenter()
/** `=?UTF-8?B?…?=` may have 75 characters: 60 of base64, which hold 45 bytes. */
const wordBytes = 45

function encodedWords(value: string, used: number): string {
  const words: string[] = []
  let pieces = ''
  let bytes = 0
  let room = Math.max(3, Math.min(wordBytes, Math.floor((76 - used - 12) / 4) * 3))
  const end = () => {
    if (pieces) words.push(`=?UTF-8?B?${Buffer.from(pieces).toString('base64')}?=`)
    pieces = ''
    bytes = 0
    room = wordBytes
  }
  const add = (piece: string, size: number) => {
    if (bytes + size > room) end()
    pieces += piece
    bytes += size
  }
  for (const { segment } of segmenter.segment(value.toWellFormed())) {
    const size = Buffer.byteLength(segment)
    if (size <= wordBytes) add(segment, size)
    // A letter under a heap of accents: cut between code points, which still is no half character.
    else for (const point of segment) add(point, Buffer.byteLength(point))
  }
  end()
  return words.join('\r\n ')
}
