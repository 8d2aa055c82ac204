import fc from 'fast-check'
import { type DefaultTreeAdapterMap, parseFragment, serialize } from 'parse5'
import { describe, expect, it } from 'vitest'
import { readContent } from '../../../functions/posts/content/content.ts'
import { renderMarkdown } from '../../../functions/posts/content/markdown.ts'
import { xssVectors } from '../xss-vectors.ts'

const options = {
  baseUrl: 'https://news.example/posts/a/',
  pageUrl: 'https://news.example/posts/a/',
}
const sanitise = (html: string) => readContent(html, { ...options, title: '' }).html

const elements = new Set(
  (
    'p br hr h1 h2 h3 h4 h5 h6 blockquote pre code kbd samp var em strong b i u s del ins mark small sub ' +
    'sup q cite abbr dfn time a img figure figcaption ul ol li dl dt dd table caption thead tbody tfoot ' +
    'tr th td div span section details summary ruby rt rp bdi bdo wbr'
  ).split(' '),
)
const attributes = new Set(
  'href src alt title id lang dir align width height colspan rowspan scope start reversed type value class datetime open'.split(
    ' ',
  ),
)

type Node = DefaultTreeAdapterMap['node']

/** What a browser's parser makes of the output: nothing but what may stand there. */
function inspect(html: string): string {
  let text = ''
  const waiting: Node[] = [parseFragment(html)]
  while (waiting.length > 0) {
    const node = waiting.pop()
    if (!node) break
    if ('tagName' in node) {
      expect(elements, html).toContain(node.tagName)
      for (const { name, value } of node.attrs) {
        expect(attributes, html).toContain(name)
        if (name === 'href') expect(value).toMatch(/^(https?:\/\/|mailto:|tel:)/)
        if (name === 'src') expect(value).toMatch(/^https?:\/\//)
        if (name === 'id') expect(value).toMatch(/^post-/)
      }
    }
    expect(node.nodeName, html).not.toBe('#comment')
    if (node.nodeName === '#text' && 'value' in node) text += node.value
    if ('childNodes' in node) waiting.push(...[...node.childNodes].reverse())
  }
  return text
}

describe('hostile markup', () => {
  it.each(xssVectors.map((vector) => [vector]))('%j comes out harmless', (vector) => {
    for (const html of [
      vector,
      renderMarkdown(vector),
      `<table><tr>${vector}`,
      `<p><b>${vector}`,
    ]) {
      const clean = sanitise(html)
      inspect(clean)
      expect(sanitise(clean)).toBe(clean)
    }
  })
})

const tags =
  'p div b i a img table tr td th tbody ul li ol dl dd pre code h1 h2 span br hr script style svg math title textarea noscript details summary font center form input iframe video source ruby rt section blockquote template select option'.split(
    ' ',
  )
const attribute = fc.constantFrom(
  ' href="x"',
  ' href="#a"',
  ' href=javascript:a',
  ' id=a',
  ' name=a',
  ' src=y',
  ' style="display:none"',
  ' hidden',
  ' align=center',
  ' title="&lt;&quot;"',
  ' class="footnotes"',
  " alt='<'",
  ' width=1',
  ' colspan=2',
  '',
)
const piece = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...tags), attribute, attribute)
      .map(([t, a, b]) => `<${t}${a}${b}>`),
  },
  { weight: 3, arbitrary: fc.constantFrom(...tags).map((t) => `</${t}>`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'a',
      ' ',
      '\n',
      '\n\n',
      '&amp;',
      '&lt;b&gt;',
      '泰州',
      '<',
      '>',
      '"',
      '<!--',
      '-->',
      '<!-- more -->',
      '&nbsp;',
      '&#0;',
      '/>',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
)
const soup = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))

describe('any markup', () => {
  it('comes out as allowed elements only, in a browser’s eyes', () => {
    fc.assert(
      fc.property(soup, (html) => void inspect(sanitise(html))),
      { numRuns: 1500 },
    )
  })

  it('is not changed by a second reading', () => {
    fc.assert(
      fc.property(soup, (html) => {
        const once = sanitise(html)
        expect(sanitise(once)).toBe(once)
      }),
      { numRuns: 1500 },
    )
  })

  it('has the structure that was written in a browser’s eyes, too', () => {
    // A browser adds the `tbody` that rows need.
    const bare = (html: string) => html.replace(/<\/?tbody[^>]*>/g, '')
    fc.assert(
      fc.property(soup, (html) => {
        const once = sanitise(html)
        expect(bare(sanitise(serialize(parseFragment(once))))).toBe(bare(once))
      }),
      { numRuns: 1500 },
    )
  })

  it('is free of what XML forbids', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), soup, (text, html) => {
        const content = readContent(`${html}<p title="${text}">${text}</p>`, options)
        for (const made of [content.html, content.text, ...content.runs.map((run) => run.text)]) {
          expect(made.isWellFormed()).toBe(true)
          expect(made).not.toMatch(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]/)
        }
      }),
      { numRuns: 500 },
    )
  })
})
