import type { Content, TextRun } from './content.ts'
import { joinTexts } from './joint.ts'
import { sameText } from './same-text.ts'

const summaryLimit = 280
/** A first paragraph shorter than this says too little alone. */
const enough = 100

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
/** Text in which every code unit is one character to a reader. */
const plain =
  /^[\n\x20-\x7e\xa0-\u02ff\u2010-\u2027\u3001-\u3029\u3030-\u3096\u309b-\u30ff\u3400-\u9fff\uff01-\uff60]*$/

/**
 * What cards and digests show of a post: the text before the author's excerpt marker, else its first
 * paragraphs, without those that only repeat the title. At most 280 graphemes; empty when there is
 * no text. Code, headings, tables and notes only where there is nothing else.
 */
export function summarise(content: Pick<Content, 'runs' | 'excerptRuns'>, title: string): string {
  const { runs, excerptRuns } = content
  if (excerptRuns !== undefined) {
    const marked = joinRuns(runs.slice(0, excerptRuns), title, { least: summaryLimit })
    if (marked !== '') return cutText(marked, summaryLimit)
  }
  return cutText(joinRuns(runs, title, { least: enough, endsAtHeading: true }), summaryLimit)
}

/** The paragraphs until there is text enough, or whatever other text there is instead. */
function joinRuns(
  runs: readonly TextRun[],
  title: string,
  { least, endsAtHeading }: { least: number; endsAtHeading?: boolean },
): string {
  let paragraphs = ''
  let others = ''
  for (const { kind, text } of runs) {
    if (paragraphs.length >= least) break
    // What stands below a heading is about something of its own.
    if (endsAtHeading && kind === 'heading' && paragraphs !== '') break
    if (sameText(text, title)) continue
    if (kind === 'text') paragraphs = joinTexts([paragraphs, text])
    else if (others.length < least) others = joinTexts([others, text])
  }
  return paragraphs || others
}

/**
 * The text if it has at most `limit` graphemes, else its start: up to the end of a sentence if one
 * ends in the last third, else of a word, with `…`. Never cuts inside of what a reader takes for
 * one character.
 */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text
  const head = text.slice(0, limit * 20)
  const room = plain.test(head) ? head.slice(0, limit - 1) : firstGraphemes(head, limit)
  if (room === undefined) return text
  const least = Math.floor((room.length * 2) / 3)
  const sentence = lastEnd(room, /[。！？]|[.!?…](?=\s)/g, least)
  if (sentence !== undefined) return room.slice(0, sentence)
  const word = lastEnd(room, /[\s，、；：）」』]/g, least)
  return `${room.slice(0, word ?? room.length).replace(/[\s，、；：,;:]+$/, '')}…`
}

/** One less than `limit`, to leave room for `…`; `undefined` when the text has no more than `limit`. */
function firstGraphemes(text: string, limit: number): string | undefined {
  let count = 0
  let end = 0
  for (const { index } of characters.segment(text)) {
    if (count === limit - 1) end = index
    if (count++ === limit) return text.slice(0, end)
  }
  // Graphemes of very many marks: what was looked at is the bound.
  return text.length >= limit * 20 ? text.slice(0, end || limit) : undefined
}

function lastEnd(text: string, pattern: RegExp, least: number): number | undefined {
  let last: number | undefined
  for (const match of text.matchAll(pattern)) {
    const end = match.index + match[0].length
    if (end >= least) last = end
  }
  return last
}
