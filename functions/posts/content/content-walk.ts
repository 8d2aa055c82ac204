import { tooLarge } from '../../errors.ts'
import type { PostImage } from '../post.ts'
import { tableContent } from './allow-list.ts'
import type { ContentOptions, TextRun } from './content.ts'
import type { Fragments } from './fragments.ts'
import { collapseBlanks } from './joint.ts'
import { type PlainTextMark, plainTextWriter } from './plain-text.ts'

/** An element of the source that is open. */
export interface Open {
  name: string
  /** Its name in the output; absent when its tags are left out. */
  out?: string
  /** Where the output stood before its tag. */
  at: number
  /** `Walk.units` before it. */
  units: number
  isDropped?: boolean
  /** A link of the post leads to it. */
  hasId?: boolean
  href?: string
  /** Of `section.footnotes`. */
  isNotes?: boolean
  /** Of a note's way back: a sign that means nothing in plain text. */
  isWayBack?: boolean
  /** Of a paragraph that the Markdown renderer found to be one autolink. */
  isSourceLink?: boolean
  /** Of `ol`: the next item's number. */
  nextItem?: number
  /** Of `tr`: cells so far. */
  cells?: number
  /** Of `video` and `audio`: a link stands for it already. */
  isLinked?: boolean
  /** Of blocks that may turn out to be no content. */
  mark?: Mark
}

/** Where everything stood, to return to. */
export interface Mark {
  out: number
  units: number
  runs: number
  links: number
  text: PlainTextMark
}

/** The state of one reading of one post. */
export interface Walk {
  options: ContentOptions
  fragments: Fragments
  out: string[]
  size: number
  text: ReturnType<typeof plainTextWriter>
  /** Open elements of the source, innermost last. */
  stack: Open[]
  /** Those with tags in the output. */
  outNames: string[]
  /** How many open elements are dropped with everything in them. */
  dropDepth: number
  /** How many elements of a kind are open in the output. */
  depth: { p: number; a: number; pre: number; heading: number; table: number; notes: number }
  /** Counts what a reader sees: stretches of text, images, rules. */
  units: number
  /** The text since the last block boundary. */
  run: { text: string; isLinksOnly: boolean; isCut: boolean }
  runs: TextRun[]
  runCount: number
  excerptRuns?: number
  images: PostImage[]
  /** Link targets by the number that the plain text gives them. */
  links: Map<string, number>
  heading?: string
  documentTitle?: string
  /** It has ended. */
  hasDocumentTitle?: boolean
  source?: { href: string; mark: Mark; unitsAfter: number }
}

const htmlLimit = 2_000_000
const runLimit = 5000
const storedRuns = 100

export function startWalk(options: ContentOptions, fragments: Fragments): Walk {
  return {
    options,
    fragments,
    out: [],
    size: 0,
    text: plainTextWriter(),
    stack: [],
    outNames: [],
    dropDepth: 0,
    depth: { p: 0, a: 0, pre: 0, heading: 0, table: 0, notes: 0 },
    units: 0,
    run: emptyRun(),
    runs: [],
    runCount: 0,
    images: [],
    links: new Map(),
  }
}

const emptyRun = () => ({ text: '', isLinksOnly: true, isCut: false })

export function write(walk: Walk, piece: string): void {
  walk.size += piece.length
  if (walk.size > htmlLimit) throw tooLarge('The post as HTML', '2 million characters')
  walk.out.push(piece)
}

/** Everything but blanks and what stands between links of navigation. */
const moreThanSeparators = /[^\s|｜·•‖/\\—–,，、<>«»←→[\]()（）-]/

/** Writes text, which must be free of what XML forbids. */
export function writeText(walk: Walk, raw: string): void {
  if (raw === '') return
  const isBlank = raw.trim() === ''
  if (isBlank) {
    // Only plain blanks may stand between the parts of a table.
    if (!tableContent.has(walk.outNames.at(-1) ?? '') || /^[ \t\n]*$/.test(raw)) write(walk, raw)
  } else {
    writeInCell(walk, escapeText(raw))
    walk.units++
  }
  if (walk.stack.at(-1)?.isWayBack) return
  if (walk.depth.pre > 0) walk.text.verbatim(raw)
  else walk.text.text(raw)
  addToRun(walk, raw)
  if (walk.depth.a === 0 && !isBlank && moreThanSeparators.test(raw)) walk.run.isLinksOnly = false
}

export function addToRun({ run }: Walk, raw: string): void {
  if (run.text.length > runLimit) run.isCut = true
  else run.text += raw.length > runLimit ? raw.slice(0, runLimit + 1) : raw
}

/** In a table but in no cell a browser would move content out of the table: it gets a cell. */
export function writeInCell(walk: Walk, html: string): void {
  const parent = walk.outNames.at(-1) ?? ''
  if (!tableContent.has(parent)) write(walk, html)
  else if (parent === 'tr') write(walk, `<td>${html}</td>`)
  else write(walk, `<tr><td>${html}</td></tr>`)
}

/** Ends the stretch of text at a block boundary, and gives it with blanks collapsed. */
export function endRun(walk: Walk): { text: string; isLinksOnly: boolean; isCut: boolean } {
  const { run, depth } = walk
  if (run.text === '') return run
  const ended = { ...run, text: collapseBlanks(run.text.trim()) }
  walk.run = emptyRun()
  if (ended.text === '') return ended
  walk.runCount++
  if (walk.runs.length < storedRuns) {
    const kind =
      depth.notes > 0
        ? 'note'
        : depth.heading > 0
          ? 'heading'
          : depth.pre > 0
            ? 'code'
            : depth.table > 0
              ? 'cell'
              : 'text'
    walk.runs.push({ kind, text: ended.text })
  }
  return ended
}

export function markWalk(walk: Walk): Mark {
  return {
    out: walk.out.length,
    units: walk.units,
    runs: walk.runCount,
    links: walk.links.size,
    text: walk.text.mark(),
  }
}

export function rewindWalk(walk: Walk, to: Mark): void {
  walk.out.length = to.out
  walk.units = to.units
  walk.runCount = to.runs
  walk.runs.length = Math.min(walk.runs.length, to.runs)
  walk.text.rewind(to.text)
  for (const [href, number] of walk.links) if (number > to.links) walk.links.delete(href)
}

const textEscapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

export function escapeText(text: string): string {
  return /[&<>]/.test(text) ? text.replace(/[&<>]/g, (c) => textEscapes[c] ?? c) : text
}

export function escapeAttribute(text: string): string {
  return /[&<>"]/.test(text) ? text.replace(/[&<>"]/g, (c) => textEscapes[c] ?? '&quot;') : text
}
