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
export function wrapText(text: string, columns: number): string {
  return text
    .split(/\r\n?|\n/)
    .map((line) => wrapLine(line, columns).join('\n'))
    .join('\n')
}

/** Quote signs, marks of lists and of notes, and blanks, as the plain text of a post begins its lines. */
const marks = /^(?:> |- |\d{1,4}\. |[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4} | )+/

/** As `wrapText`; what a line of a list, note or quote goes on with stands below its words. */
export function wrapDocument(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const mark = marks.exec(line)?.[0] ?? ''
      if (displayWidth(mark) > columns / 2) return wrapLine(line, columns)
      const indent = mark.replaceAll(/[^>]/g, ' ')
      const lines = wrapLine(line.slice(mark.length), columns - displayWidth(mark))
      return lines.map((part, i) => `${i === 0 ? mark : indent}${part}`.trimEnd())
    })
    .join('\n')
}

function wrapLine(line: string, columns: number): string[] {
  if (line.length * 2 <= columns || displayWidth(line) <= columns) return [line.trimEnd()]
  const lines: string[] = []
  let current = ''
  let width = 0
  const end = () => {
    lines.push(current.trimEnd())
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
  return lines
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
