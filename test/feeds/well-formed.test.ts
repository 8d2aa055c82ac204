import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { XMLValidator } from 'fast-xml-parser'
import { describe, expect, it } from 'vitest'
import { renderDocuments } from '../../functions/feeds/documents.ts'
import { findXmlFault } from '../../functions/feeds/well-formed.ts'
import { anEntry, aSnapshot, someSettings } from './entries.ts'

const declaration = '<?xml version="1.0" encoding="utf-8"?>'

/** Feeds as we write them, with everything in them that they can have. */
const feeds = renderDocuments(
  aSnapshot(
    [
      anEntry(
        {
          title: 'a < b & c',
          language: 'de',
          tags: ['"x"'],
          image: { url: 'https://a.example/i.png?a&b', alt: 'x', width: 3 },
          enclosures: [{ url: 'https://a.example/a.mp3', type: 'audio/mpeg', length: 9 }],
        },
        '<p>a &amp; b ]]></p>',
      ),
      anEntry({ id: 'two', authors: [] }),
    ],
    { withdrawn: [{ entryId: 'tag:a,2026:x', at: '2026-03-01T08:00:00Z' }] },
  ),
  someSettings({ hubs: ['https://hub.example/'] }),
)
  .documents.filter(({ document }) => document !== 'feed.json')
  .map(({ body }) => new TextDecoder().decode(body))

describe('findXmlFault', () => {
  it('finds nothing in a feed', () => {
    expect(feeds.map(findXmlFault)).toEqual([undefined, undefined])
  })

  it.each([
    ['no declaration', '<a/>'],
    ['no root', declaration],
    ['text before the root', `${declaration}x<a/>`],
    ['text after the root', `${declaration}<a/>x`],
    ['two roots', `${declaration}<a/><b/>`],
    ['an unclosed element', `${declaration}<a><b></b>`],
    ['a wrong end', `${declaration}<a></b>`],
    ['crossed elements', `${declaration}<a><b></a></b>`],
    ['an end too many', `${declaration}<a></a></a>`],
    ['a bare ampersand', `${declaration}<a>x & y</a>`],
    ['an unknown entity', `${declaration}<a>&nbsp;</a>`],
    ['an entity without end', `${declaration}<a>&amp</a>`],
    ['a reference to nothing', `${declaration}<a>&#0;</a>`],
    ['a bare <', `${declaration}<a>x < y</a>`],
    [']]> in text', `${declaration}<a>]]></a>`],
    ['an attribute without quotes', `${declaration}<a b=c/>`],
    ['an attribute without value', `${declaration}<a b/>`],
    ['attributes without a blank', `${declaration}<a b="c"d="e"/>`],
    ['an attribute twice', `${declaration}<a b="c" b="d"/>`],
    ['< in an attribute', `${declaration}<a b="<"/>`],
    ['& in an attribute', `${declaration}<a b="c&d"/>`],
    ['a quote in an attribute', `${declaration}<a b="c"d"/>`],
    ['an undeclared prefix', `${declaration}<a><b:c/></a>`],
    ['an undeclared prefix of an attribute', `${declaration}<a b:c="d"/>`],
    ['a name of two colons', `${declaration}<a xmlns:b="c"><b:c:d/></a>`],
    ['a name that begins with a digit', `${declaration}<1a/>`],
    ['a document type', `${declaration}<!DOCTYPE a [<!ENTITY b "c">]><a/>`],
    ['CDATA', `${declaration}<a><![CDATA[b]]></a>`],
    ['a comment', `${declaration}<a><!-- b --></a>`],
    ['an instruction', `${declaration}<?xml-stylesheet href="b"?><a/>`],
    ['a control character', `${declaration}<a>\u0008</a>`],
    ['a noncharacter, such as a mark that was left', `${declaration}<a>\ufdd00\ufdd1</a>`],
    ['half a character', `${declaration}<a>\ud83d</a>`],
    ['an end in the middle', feeds[0]?.slice(0, 900) ?? ''],
    ['depth', `${declaration}${'<a>'.repeat(50)}${'</a>'.repeat(50)}`],
  ])('finds %s', (_, xml) => {
    expect(findXmlFault(xml)).toBeTypeOf('string')
  })

  it('finds whatever an independent parser finds in feeds that were damaged', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '&',
      '"',
      ']]>',
      '</',
      '/>',
      '<a>',
      ' x="y"',
      '\u0001',
      'é',
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...feeds),
        fc.nat(),
        fc.nat(8),
        fc.oneof(piece, fc.constant('')),
        (xml, at, removed, put) => {
          const place = at % xml.length
          const damaged = xml.slice(0, place) + put + xml.slice(place + removed)
          if (XMLValidator.validate(damaged) !== true) {
            expect(findXmlFault(damaged)).toBeTypeOf('string')
          }
        },
      ),
      { numRuns: 800 },
    )
  })

  // Expat is the strictest parser at hand where Python is.
  const python = spawnSync('python3', ['-c', 'import xml.parsers.expat'])
  it.skipIf(python.status !== 0)('finds whatever Expat finds in feeds that were damaged', () => {
    const random = fc.sample(
      fc.tuple(
        fc.nat(),
        fc.nat(8),
        fc.constantFrom('<', '>', '&', '"', ']]>', '</', '/>', '<a>', ' x="y"', '\u0001', 'x:', ''),
      ),
      500,
    )
    const damaged = random.map(([at, removed, put], i) => {
      const xml = feeds[i % feeds.length] ?? ''
      const place = at % xml.length
      return xml.slice(0, place) + put + xml.slice(place + removed)
    })
    const script = `
import json, sys, xml.parsers.expat as e
def ok(x):
    try:
        e.ParserCreate(namespace_separator=' ').Parse(x.encode('utf-8'), True)
        return True
    except Exception:
        return False
print(json.dumps([ok(x) for x in json.load(sys.stdin)]))`
    const run = spawnSync('python3', ['-c', script], {
      input: JSON.stringify(damaged),
      maxBuffer: 1e8,
      encoding: 'utf8',
    })
    const verdicts = JSON.parse(run.stdout) as boolean[]
    expect(verdicts).toContain(false)
    const missed = damaged.filter((xml, i) => !verdicts[i] && findXmlFault(xml) === undefined)
    expect(missed).toEqual([])
  })
})
