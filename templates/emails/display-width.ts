import { eastAsianWidth } from 'get-east-asian-width'

const zeroWidth = /^[\p{M}\p{Cf}\p{Cc}]$/u
const plainText = /^[\x20-\x7e]*$/

/** Widths of the characters below U+10000 once they were looked up, plus 1; 0 is not looked up. */
const known = new Uint8Array(0x10000)

/** Columns that a character takes where all are equally wide: 2 for CJK and most emoji, else 1 or 0. */
export function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code > 0xffff) return widthOf(character, code)
  const width = known[code] || 1 + widthOf(character, code)
  known[code] = width
  return width - 1
}

function widthOf(character: string, code: number): number {
  if (zeroWidth.test(character) || code === 0xad) return 0
  return eastAsianWidth(code) === 2 ? 2 : 1
}

/** Columns that a text takes. */
export function displayWidth(text: string): number {
  if (plainText.test(text)) return text.length
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

const segmenter = new Intl.Segmenter()

/** The text, or as much of it as fits with an ellipsis; never cut inside what a reader sees as one character. */
export function cutToWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let width = 0
  let kept = ''
  for (const { segment } of segmenter.segment(text.slice(0, columns * 8))) {
    width += displayWidth(segment)
    if (width > columns - 1) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}

/** At most so many bytes of UTF-8 and no part of a character: bounds what a hostile title can cost. */
export function cutToBytes(text: string, bytes: number): string {
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return text
  let length = 0
  let kept = ''
  for (const { segment } of segmenter.segment(text.slice(0, bytes))) {
    length += Buffer.byteLength(segment)
    if (length > bytes - 3) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}
