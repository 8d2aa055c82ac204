import { eastAsianWidth } from 'get-east-asian-width'

const zeroWidth = /^[\p{M}\p{Cf}\p{Cc}]$/u

/** Columns that a character takes where all are equally wide: 2 for CJK and most emoji, else 1 or 0. */
export function characterWidth(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x300) return code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0xad ? 0 : 1
  if (zeroWidth.test(character)) return 0
  return eastAsianWidth(code) === 2 ? 2 : 1
}

/** Columns that a text takes. */
export function displayWidth(text: string): number {
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
