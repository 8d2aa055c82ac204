import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import { outcomeOf } from './parsed.ts'

const size = 20_000
const fill = (part: string, length = size) =>
  part.repeat(Math.ceil(length / part.length)).slice(0, length)

/** Each is a known way to make some parser of this kind take a square of the time. */
const attacks: Record<string, string> = {
  brackets: fill('['),
  'nested brackets': fill('[', size / 2) + fill(']', size / 2),
  images: fill('!['),
  'empty links': fill('![[]()'),
  'links without end': fill('[a]('),
  'reference links': fill('[a][b'),
  emphasis: fill('*a '),
  'emphasis both ways': fill('*a _b '),
  'nested emphasis': `${fill('*', size / 2)}a${fill('*', size / 2)}`,
  'code spans': Array.from({ length: 200 }, (_, i) => `a${'`'.repeat(i)}`).join(''),
  quotes: fill('>'),
  'quotes and lists': fill('> - '),
  lists: fill('- '),
  'indented lists': Array.from({ length: 140 }, (_, i) => `${'  '.repeat(i)}- a`).join('\n'),
  'a table of many columns': `${fill('|a', size / 2)}\n${fill('|-', size / 2)}\n${fill('|\n', size / 4)}`,
  footnotes: Array.from({ length: 1500 }, (_, i) => `[^${i}]: x\n\n[^${i}]`).join('\n\n'),
  'notes in place': fill('^['),
  references: `[a]: http://x.example/${fill('y', 1000)}\n\n${fill('[a] ')}`,
  'attribute lists': fill('{:'),
  'HTML comments': `a${fill('<!--')}`,
  declarations: `a${fill('<![CDATA[')}`,
  instructions: `a${fill('<?')}`,
  'attributes without end': fill('<a b="'),
  'less-than signs': fill('<'),
  'nested divs': fill('<div>'),
  'nested lists of HTML': fill('<ul><li>'),
  'nested tables': fill('<table><tr><td>'),
  'endings of nothing': `${'<b>'.repeat(900)}${fill('</i>')}`,
  'empty paragraphs': fill('<p></p>'),
  anchors: fill('<a href=#x id=x>'),
  fragments: fill('href=#'),
  'one long attribute': `<p style="${fill('display:')}">x`,
  'blanks in an address': `<a href="${fill(' ')}x">x</a>`,
  entities: fill('&amp;'),
  scripts: fill('<script>'),
  drawings: fill('<svg><math>'),
  'tags of Liquid': fill('{%'),
  'raw without end': `---\ntitle: A\n---\n${fill('{% raw %}')}`,
  'highlight without end': `---\ntitle: A\n---\n${fill('{% highlight x %}')}`,
  'blocks within blocks': `---\ntitle: A\n---\n${fill('{% comment %}{% raw %}{% highlight a %}')}`,
  'lists of YAML': `---\n${fill('a: [')}\n---\n`,
  'colons of YAML': `---\n${fill('a: b: c\n')}\n---\n`,
  'tables of TOML': `+++\n${fill('a=[')}\n+++\n`,
  'objects of JSON': `{\n${fill('"a":{')}\n}\n`,
  'keys of Pelican': `Title: x\n${fill('a: b\n')}`,
  'blank lines': `${fill('\n')}a`,
  blanks: `${fill(' ')}a`,
  tabs: fill('\t'),
  'addresses in a row': fill('http://a.b/'),
  'marks on a letter': `a${fill('\u0301')}`,
  'one word': fill('泰'),
  'blocks of Markdown in HTML': fill('<div markdown="1">\n'),
}

describe('a post made to be slow', () => {
  // How long each takes is for the bench to say; a square of the time would end this test by its limit.
  it.each(Object.entries(attacks))('%s: is read or refused', (_, source) => {
    for (const contentType of ['text/markdown', 'text/html'] as const) {
      try {
        const outcome = outcomeOf(source, { contentType })
        expect(outcome.status).toBe('post')
      } catch (error) {
        expect(error).toBeInstanceOf(ServiceError)
        expect((error as ServiceError).code).toMatch(
          /^(post\.(nesting|title|front-matter)|too-large)$/,
        )
      }
    }
  })

  it('is still read at a megabyte', () => {
    for (const source of [
      fill('<p>a b c</p>\n', 1_000_000),
      fill('泰州日报，新闻。\n\n', 1_000_000),
    ]) {
      expect(outcomeOf(source).status).toBe('post')
    }
  })

  it('is refused before it is read when its Markdown is over two million characters', () => {
    expect(() => outcomeOf(fill('![', 2_000_001))).toThrow('The Markdown of the post is too large')
  })

  it('does not blow up by references', () => {
    const source = `[a]: http://x.example/${fill('y', 3000)}\n\n${fill('[a] ', 100_000)}`
    expect(() => outcomeOf(source)).toThrow('too large')
  })
})
