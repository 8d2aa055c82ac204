import { Parser } from 'htmlparser2'
import type { PostImage } from '../post.ts'
import { closeTag } from './content-close.ts'
import { noteMark, openTag } from './content-open.ts'
import {
  endRun,
  escapeText,
  rewindWalk,
  startWalk,
  type Walk,
  write,
  writeText,
} from './content-walk.ts'
import { findFragments } from './fragments.ts'
import { webAddress } from './urls.ts'

export interface ContentOptions {
  /** What relative addresses are relative to. Absolute. */
  baseUrl: string
  /** Where the post stands with us: `#fragments` lead there. Absolute. */
  pageUrl: string
  /** A block of links whose text matches one of them whole is dropped. */
  hiddenLines?: readonly RegExp[]
  /** A paragraph of words or links, and of no picture, whose text matches one whole is dropped. */
  hiddenParagraphs?: readonly RegExp[]
  /** The title if it is known: a heading at the top that repeats it is dropped. If not, any is. */
  title?: string
  /** Takes the last paragraph for the source's address if it is one autolink and nothing else. */
  takesSourceLink?: boolean
}

/** A stretch of text between two block boundaries. */
export interface TextRun {
  kind: 'text' | 'heading' | 'code' | 'cell' | 'note'
  text: string
}

export interface Content {
  /** Sanitised: safe to serve and to mail, every address absolute. */
  html: string
  /** The same as plain text, blocks apart by blank lines, link targets listed at the end. */
  text: string
  /** For title and summary: the first hundred, blanks collapsed, each of at most 5,000 characters. */
  runs: TextRun[]
  /** How many of them stand before the author's excerpt marker, if there is one. */
  excerptRuns?: number
  /** In order, at most 50. */
  images: PostImage[]
  /** Taken out of the text, see `takesSourceLink`. */
  sourceLink?: string
  /** The first `h1`, or whatever heading the post begins with. */
  heading?: string
  /** Of a whole HTML document. */
  documentTitle?: string
}

/**
 * Reads the HTML of a post once and yields everything that is made of it. Safe by construction: the
 * output consists of allow-listed HTML elements without raw text, foreign or form content, every
 * attribute is written anew and quoted, all text is escaped again, ids have a prefix; so it does not
 * matter where a browser would parse the source differently. Reading the result again changes
 * nothing. Refused: nesting beyond 1,000 elements (`post.nesting`), more than 2 million characters
 * of HTML (`too-large`).
 */
export function readContent(source: string, options: ContentOptions): Content {
  const walk = startWalk(options, findFragments(source, options.pageUrl))
  const parser = new Parser(
    {
      onopentag: (name, attributes) => openTag(walk, name, attributes),
      onclosetag: () => closeTag(walk),
      ontext: (text) => readText(walk, text),
      oncomment: (text) => readComment(walk, text),
    },
    { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  )
  parser.end(source)
  return finish(walk)
}

const unclean = /[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]|\p{Surrogate}/gu

function readText(walk: Walk, raw: string): void {
  if (walk.dropDepth > 0) return readDocumentTitle(walk, raw)
  let text = unclean.test(raw) ? raw.replace(/\r\n?/g, '\n').replace(forbidden, '') : raw
  // A browser drops a line end after `<pre>` each time that it reads it.
  if (walk.depth.pre > 0 && walk.out.at(-1)?.startsWith('<pre')) text = text.replace(/^\n+/, '')
  if (isNoteMark(walk, text)) {
    // In a summary the number means nothing.
    write(walk, escapeText(text))
    walk.units++
    walk.text.text(noteMark(/\d+/.exec(text)?.[0] ?? ''))
  } else writeText(walk, text)
}

/** The first `title` that is not a drawing's; its text comes in pieces. */
function readDocumentTitle(walk: Walk, raw: string): void {
  if (walk.hasDocumentTitle || walk.stack.at(-1)?.name !== 'title') return
  if (walk.stack.some(({ name }) => name === 'svg')) return
  const title = (walk.documentTitle ?? '') + raw
  walk.documentTitle = title.slice(0, 500).replace(forbidden, '')
}

function isNoteMark({ stack, outNames }: Walk, text: string): boolean {
  if (!/^\[\d+(:\d+)?\]$/.test(text) || outNames.at(-2) !== 'sup') return false
  return stack.at(-1)?.href?.includes('#post-fn') ?? false
}

/** The marks of WordPress, Hugo and Zola (`<!-- more -->`), Docusaurus (`truncate`) and others. */
const excerptMark = /^\s*(more|truncate|excerpt|end[ _-]?excerpt|read ?more)\b/i

function readComment(walk: Walk, text: string): void {
  if (walk.dropDepth > 0 || walk.excerptRuns !== undefined || !excerptMark.test(text)) return
  endRun(walk)
  if (walk.runs.length > 0) walk.excerptRuns = walk.runs.length
}

function finish(walk: Walk): Content {
  endRun(walk)
  const sourceLink = takeSourceLink(walk)
  const documentTitle = walk.documentTitle?.replace(/\s+/g, ' ').trim()
  let text = walk.text.toString()
  if (walk.links.size > 0) {
    const targets = [...walk.links].map(([href, number]) => `[${number}] ${href}`)
    text = `${text}\n\n${targets.join('\n')}`
  }
  return {
    html: walk.out.join('').trim(),
    text,
    runs: walk.runs,
    images: walk.images,
    ...(walk.excerptRuns !== undefined && { excerptRuns: walk.excerptRuns }),
    ...(sourceLink !== undefined && { sourceLink }),
    ...(walk.heading !== undefined && { heading: walk.heading }),
    ...(documentTitle && { documentTitle }),
  }
}

/** Only the last thing to be seen, and not the only one: a post may be about one address. */
function takeSourceLink(walk: Walk): string | undefined {
  const { source, options, units } = walk
  if (!source || !options.takesSourceLink || source.unitsAfter !== units) return undefined
  if (
    source.mark.units === 0 ||
    /\.(jpe?g|png|gif|webp|avif|mp[34]|webm|pdf)$/i.test(source.href)
  ) {
    return undefined
  }
  const address = webAddress(source.href)
  // Another page of this site is no home of the post.
  if (address?.startsWith(new URL('/', options.pageUrl).href)) return undefined
  if (address !== undefined) rewindWalk(walk, source.mark)
  return address
}
