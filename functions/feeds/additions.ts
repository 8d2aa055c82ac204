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

const anyMark =
  /<!\[CDATA\[\ufdd0(\d+)\ufdd1\]\]>|<rights>\ufdd0(\d+)\ufdd1<\/rights>|\ufdd0(\d+)\ufdd1/g

export function startAdditions(): Additions {
  const kept: string[] = []
  return {
    mark: (xml) => `\ufdd0${kept.push(xml) - 1}\ufdd1`,
    fill: (document) =>
      document.replace(anyMark, (mark, cdata?: string, rights?: string, bare?: string) => {
        const index = Number(cdata ?? rights ?? bare)
        return kept[index] ?? mark
      }),
  }
}

/**
 * Elements as `feed` itself writes them (the same serialiser, the same indentation), to stand at a
 * depth of the document.
 */
export function elements(content: ElementCompact, depth: number): string {
  const xml = js2xml(content, { compact: true, spaces: 4 })
  return xml.replaceAll('\n', `\n${'    '.repeat(depth)}`)
}

/** An element of attributes, whose values xml-js would write without escaping `&` and `<`. */
export function withAttributes(attributes: Record<string, string | number>): ElementCompact {
  return {
    _attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, escapeText(String(value))]),
    ),
  }
}
