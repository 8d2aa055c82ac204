import { type ElementCompact, js2xml } from 'xml-js'
import { escapeText } from './escape.ts'

/**
 * Puts into a document of `feed` what `feed` cannot write. While it renders, marks stand where
 * text, bodies and further elements belong; one pass then puts those in their places. No text of a
 * post goes through the renderer, so nothing in a post can look like markup of the feed.
 *
 * A mark is made of noncharacters, which the guard takes out of every value: none can be forged,
 * and none is left in a finished document, since the check before publishing refuses them.
 */
export interface Additions {
  /** Keeps XML that is ready to stand in a document, and returns the mark for its place. */
  mark(xml: string): string
  /** The document with every mark replaced, a CDATA section or Atom `rights` around it included. */
  fill(document: string): string
}

const start = '\ufdd0'
const end = '\ufdd1'
/** What `feed` puts around a mark and must go with it. */
const wrappings = [
  ['<![CDATA[', ']]>'],
  ['<rights>', '</rights>'],
] as const

export function startAdditions(): Additions {
  const kept: string[] = []
  return {
    mark: (xml) => `${start}${kept.push(xml) - 1}${end}`,
    fill(document) {
      const parts: string[] = []
      let at = 0
      for (let from = document.indexOf(start); from !== -1; from = document.indexOf(start, at)) {
        const to = document.indexOf(end, from)
        const xml = kept[Number(document.slice(from + 1, to))]
        // Nothing of ours: the check of the document will refuse it.
        if (to === -1 || xml === undefined) break
        const wrapping = wrappings.find(
          ([open, close]) =>
            document.startsWith(open, from - open.length) && document.startsWith(close, to + 1),
        )
        parts.push(document.slice(at, from - (wrapping?.[0].length ?? 0)), xml)
        at = to + 1 + (wrapping?.[1].length ?? 0)
      }
      parts.push(document.slice(at))
      return parts.join('')
    },
  }
}

/**
 * Elements as `feed` itself writes them (the same serialiser, the same indentation), to stand at a
 * depth of the document.
 */
export function elements(content: ElementCompact, depth: number): string {
  const xml = js2xml(content, { compact: true, spaces: 4 })
  return xml.replace(/\n/g, `\n${'    '.repeat(depth)}`)
}

/** An element of attributes, whose values xml-js would write without escaping `&` and `<`. */
export function withAttributes(attributes: Record<string, string | number>): ElementCompact {
  return {
    _attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, escapeText(String(value))]),
    ),
  }
}
