import { characterWidth, displayWidth } from './display-width.ts'

/** What may not begin a line in Chinese, Japanese and Korean (JIS X 4051, GB/T 15834). */
const notAtStart =
  /^[、。，．：；！？）］｝〉》」』】〕〗〙〛’”…‥‧・ー々〻〜～％‰℃ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ)\]},.:;!?%]$/u
/** What may not end one. */
const notAtEnd = /^[（［｛〈《「『【〔〖〘〚‘“([{¥＄$£€]$/u

/**
 * Plain text in lines of at most `columns` as a fixed-width font shows them. Wraps at blanks and
 * between CJK characters, never before closing punctuation. A link longer than a line stays whole,
 * because cut in two it would not work.
 */
export function wrapText(text: string, columns = 76, indent = ''): string {
  return text
    .split(/\r\n?|\n/)
    .map((line) => wrapLine(line, columns - displayWidth(indent), indent))
    .join('\n')
}

function wrapLine(line: string, columns: number, indent: string): string {
  if (line.length * 2 <= columns || displayWidth(line) <= columns)
    return `${indent}${line}`.trimEnd()
  const lines: string[] = []
  let current = ''
  let width = 0
  const end = () => {
    lines.push(`${indent}${current}`.trimEnd())
    current = ''
    width = 0
  }
  for (const piece of pieces(line)) {
    const size = displayWidth(piece)
    if (width + displayWidth(piece.trimEnd()) > columns && current !== '') end()
    if (size > columns && !piece.includes('://')) {
      for (const character of piece) {
        const one = characterWidth(character)
        if (width + one > columns && current !== '') end()
        current += character
        width += one
      }
      continue
    }
    current += current === '' ? piece.trimStart() : piece
    width += size
  }
  if (current.trim() !== '' || lines.length === 0) end()
  return lines.join('\n')
}

/**
 * The parts that a line may be broken between, each with the blanks that follow it. Looks at each
 * character once and cuts by index: text comes from anybody, and may be one long run of anything.
 */
function* pieces(line: string): Generator<string> {
  let start = 0
  let at = 0
  // Nothing but blanks and opening punctuation so far: what follows belongs to it.
  let isOpen = true
  let isWide = false
  let isAfterBlank = true
  for (const character of line) {
    const width = characterWidth(character)
    const isBlank = character === ' ' || character === '\t' || character === '\u3000'
    const startsNew =
      !isOpen &&
      width > 0 &&
      !isBlank &&
      !notAtStart.test(character) &&
      (width === 2 || isWide || isAfterBlank)
    if (startsNew) {
      yield line.slice(start, at)
      start = at
    }
    at += character.length
    if (!isBlank && width > 0) {
      isOpen = notAtEnd.test(character)
      isWide = width === 2
    }
    if (width > 0) isAfterBlank = isBlank
  }
  if (start < at) yield line.slice(start, at)
}
