import { collapseBlanks, jointOf } from './joint.ts'

/** Where a text stood, to return to when a block turns out to be no content. */
export interface PlainTextMark {
  pieces: number
  gap: number
  space: Space
  lastPrefix: string
  firsts: (string | undefined)[]
}

/** What waits to part two texts: a blank as it was typed, or the end of a line of the source. */
type Space = '' | ' ' | '\n'

interface Indent {
  rest: string
  /** What the first line has instead of `rest`, until that line is written. */
  first: string | undefined
}

/** Quotes and lists deeper than this add no further prefix to every line. */
const indentLimit = 8

/**
 * Writes a document as plain text: blocks apart by a blank line, list items and quotes with their
 * marks in front of each line, blanks collapsed but in code.
 */
export function plainTextWriter() {
  const pieces: string[] = []
  const indents: Indent[] = []
  let skipped = 0
  let gap = 0
  let space: Space = ''
  /** Line ends of code that wait for a line. */
  let breaks = 0
  let lastPrefix = ''

  function startLine() {
    let prefix = ''
    for (const indent of indents) {
      prefix += indent.first ?? indent.rest
      indent.first = undefined
    }
    if (gap > 1 && pieces.length > 0) {
      const blank = sharedStart(lastPrefix, prefix).trimEnd()
      pieces.push('\n', blank, '\n')
    } else if (pieces.length > 0) pieces.push('\n')
    gap = 0
    space = ''
    breaks = 0
    lastPrefix = prefix
    pieces.push(prefix)
  }

  return {
    /** Ends the line, with `lines` of 2 leaving a blank one before what follows. */
    block(lines: 0 | 1 | 2) {
      gap = Math.max(gap, lines)
      breaks = 0
    },
    text(text: string) {
      const inner = text.trim()
      const at = text.indexOf(inner)
      const before = inner === '' ? text : text.slice(0, at)
      space = spaceOf(space, before)
      if (inner === '') return
      const words = collapseBlanks(inner)
      if (gap > 0 || pieces.length === 0) startLine()
      else if (space === ' ') pieces.push(' ')
      else if (space === '\n') pieces.push(jointOf(pieces.at(-1) ?? '', words))
      pieces.push(words)
      space = spaceOf('', text.slice(at + inner.length))
    },
    /** Code: line ends and blanks count, but for empty lines at its start and end. */
    verbatim(text: string) {
      text.split('\n').forEach((line, index) => {
        if (index > 0) breaks++
        if (line === '') return
        if (gap > 0 || pieces.length === 0) startLine()
        else if (breaks > 0) {
          const prefix = indents.map(({ rest }) => rest).join('')
          pieces.push(`\n${prefix.trimEnd()}`.repeat(breaks - 1), `\n${prefix}`)
          lastPrefix = prefix
        }
        breaks = 0
        pieces.push(line)
      })
    },
    enter(rest: string, first?: string) {
      if (indents.length >= indentLimit) skipped++
      else indents.push({ rest, first })
    },
    leave() {
      if (skipped > 0) skipped--
      else indents.pop()
    },
    mark(): PlainTextMark {
      const firsts = indents.map((indent) => indent.first)
      return { pieces: pieces.length, gap, space, lastPrefix, firsts }
    },
    rewind(mark: PlainTextMark) {
      pieces.length = mark.pieces
      gap = mark.gap
      space = mark.space
      lastPrefix = mark.lastPrefix
      mark.firsts.forEach((first, index) => {
        const indent = indents[index]
        if (indent) indent.first = first
      })
    },
    toString: () => pieces.join('').trim(),
  }
}

function spaceOf(waiting: Space, blanks: string): Space {
  if (blanks === '') return waiting
  return waiting === '\n' || blanks.includes('\n') ? '\n' : ' '
}

function sharedStart(a: string, b: string): string {
  let end = 0
  while (end < a.length && a[end] === b[end]) end++
  return a.slice(0, end)
}
