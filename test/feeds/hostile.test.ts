import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { renderDocuments } from '../../functions/feeds/documents.ts'
import type { Post } from '../../functions/posts/post.ts'
import { anEntry, aSnapshot, someSettings } from './entries.ts'
import { expectEqualFeeds, readRendered } from './read-feeds.ts'

function render(over: Partial<Post>, html?: string, settings = someSettings()) {
  return renderDocuments(aSnapshot([anEntry(over, html)]), settings)
}

describe('a post with hostile values', () => {
  it.each<[string, Partial<Post>, string?]>([
    ['control characters in its title', { title: 'a\u0000b\u0007c\u000bd\u001be' }],
    ['control characters in its body', {}, '<p>a\u0000b\u0007c\u000b\u001b</p>'],
    ['control characters in its summary', { summary: 'a\u0001b' }],
    ['control characters in a category', { tags: ['a\u0001b'] }],
    ['control characters in an author', { authors: ['a\u0001b'] }],
    ['noncharacters', { title: 'a\ufffe\uffff\ufdd0\u{1fffe}' }, '<p>\ufffe\ufdd00\ufdd1</p>'],
    [
      'marks of the renderer',
      { title: '\ufdd00\ufdd1', summary: '\ufdd01\ufdd1' },
      '\ufdd02\ufdd1',
    ],
    ['half a character in its title', { title: 'a\ud83d' }],
    ['half a character in its body', {}, '<p>\ude00</p>'],
    ['the end of CDATA in its title', { title: 'a ]]> b ]]> c' }],
    ['the end of CDATA in its body', {}, '<p>a ]]> b ]]></p></content></entry></feed> ]]>'],
    ['the end of CDATA in its summary', { summary: ']]> ]]>' }],
    ['markup in its title', { title: 'a < b <script>alert(1)</script> && c > d' }],
    ['escaped markup in its title', { title: '&lt;b&gt; &amp; &amp;amp; &#60;' }],
    ['markup in its summary', { summary: '<b>x</b> &lt;i&gt; & <' }],
    ['markup in a tag', { tags: ['<b>', '&lt;', '"quoted" & \'so\''] }],
    ['markup in an author', { authors: ['<b>Ada</b> & "Co"', '&amp;'] }],
    ['an author that is an address', { authors: ['ada@news.example'] }],
    ['many authors', { authors: Array.from({ length: 50 }, (_, i) => `Author ${i}`) }],
    ['the same author twice', { authors: ['Ada', 'Ada', ' Ada '] }],
    ['a title of blanks', { title: ' \n\t ' }],
    ['a title of control characters', { title: '\u0000\u0001' }],
    ['no title and no summary', { title: '', summary: '' }],
    ['a title of 100,000 characters', { title: '本'.repeat(100_000) }],
    ['a title of many lines', { title: 'a\r\nb\rc\u2028d' }],
    ['no body', {}, ''],
    ['a body of blanks', {}, ' \n '],
    ['a body that is the text of a feed', {}, '<?xml version="1.0"?><rss><item></item></rss>'],
    ['a body that names entities', {}, '<p>&nbsp;&copy;&bogus;&#0;&#xffff;</p>'],
    ['a document type in its body', {}, '<!DOCTYPE x [<!ENTITY a "b">]>&a;'],
    ['a body of 200 kB', {}, `<p>${'<b>x</b>&amp;'.repeat(15_000)}</p>`],
    ['tags that say what its category says', { tags: ['TOWN HALL', 'town hall', 'x', 'X'] }],
    ['empty tags', { tags: ['', ' ', '\u0000'] }],
    ['a tag of a whole line', { tags: ['a\nb'] }],
    ['no category', { categories: [] }],
    ['a category that nobody knows', { categories: ['unknown'] }],
    ['a javascript link', { canonicalUrl: 'javascript:alert(1)' }],
    ['a relative link', { canonicalUrl: '/x' }],
    ['a link without scheme', { canonicalUrl: '//host/x' }],
    ['a link with & and quotes', { canonicalUrl: 'https://a.example/?a=1&b="2"&amp;c=\'3\'<x>' }],
    ['a link in another script', { canonicalUrl: 'https://例え.テスト/道?値=1' }],
    ['an id in another script', { entryId: 'tag:news.example,2026:道/ü' }],
    ['an id with markup', { entryId: 'tag:news.example,2026:<a>&amp;&"\'' }],
    ['an id that is an address of another script', { entryId: 'https://例え.テスト/道?a&b' }],
    ['an edit before it was published', { updated: '2020-01-01T00:00:00Z' }],
    ['an edit years later', { updated: '2031-01-01T00:00:00Z' }],
    [
      'fractions of seconds',
      { published: '2026-03-01T08:00:00.999Z', updated: '2026-03-01T08:00:01.5Z' },
    ],
    ['a date in 1970', { published: '1970-01-01T00:00:00Z', updated: '1970-01-01T00:00:00Z' }],
    ['a date in 1900', { published: '1900-01-01T00:00:00Z', updated: '1900-01-01T00:00:00Z' }],
    ['a date in 9999', { published: '9999-12-31T23:59:59Z', updated: '9999-12-31T23:59:59Z' }],
    ['an image that is no address', { image: { url: 'x.png' } }],
    [
      'an image with strange sizes',
      { image: { url: 'https://a.example/a.png?a&b', width: -1, height: Number.NaN } },
    ],
    [
      'an enclosure with & in its path',
      { enclosures: [{ url: 'https://a.example/a&b.mp3', type: 'audio/mpeg', length: 1 }] },
    ],
    [
      'an enclosure without extension',
      { enclosures: [{ url: 'https://a.example/stream', type: 'audio/mpeg', length: 0 }] },
    ],
    [
      'an enclosure of a hostile type',
      { enclosures: [{ url: 'https://a.example/x', type: '"><x>', length: -5 }] },
    ],
    [
      'an enclosure that is no address',
      { enclosures: [{ url: 'file:///etc/passwd', type: 'a/b', length: 1 }] },
    ],
    [
      'several enclosures',
      {
        enclosures: ['a', 'b', 'c'].map((name) => ({
          url: `https://a.example/${name}`,
          type: 'audio/ogg',
          length: 2,
        })),
      },
    ],
    ['a language that is none', { language: 'x" onload="y' }],
    ['a language of its own', { language: 'zh-Hant-TW' }],
    ['text that runs right to left', { title: 'مرحبا \u202eabc\u202c' }, '<p dir="rtl">שלום</p>'],
    ['an emoji of many parts', { title: '👨‍👩‍👧‍👦 🏳️‍🌈' }],
    [
      'names of members that every object has',
      { tags: ['__proto__', 'constructor', 'toString'], authors: ['__proto__'] },
    ],
  ])('is the same in three valid feeds: %s', (_, over, html) => {
    const rendering = render(over, html)
    expect(rendering.refused).toEqual([])
    const feeds = readRendered(rendering)
    expectEqualFeeds(feeds)
    const [entry] = feeds['feed.json'].entries
    expect(entry?.title).not.toBe('')
    expect(entry?.content).not.toBe('')
    expect(entry?.link).toMatch(/^https:\/\//)
  })

  it.each<[string, Partial<Post>, string]>([
    ['an id that is no URI', { entryId: 'post 17' }, 'entry.id'],
    ['an empty id', { entryId: '' }, 'entry.id'],
    ['a script as id', { entryId: 'javascript:alert(1)' }, 'entry.id'],
    ['no date', { published: '' }, 'entry.date'],
    ['an invalid date', { published: '2026-13-45' }, 'entry.date'],
    ['a date in the year 0', { published: '0000-01-01T00:00:00Z' }, 'entry.date'],
    ['a date in the year 12022', { published: '+012022-01-01T00:00:00Z' }, 'entry.date'],
    ['an edit that is no date', { updated: 'now' }, 'entry.date'],
  ])('is left out of all three and named: %s', (_, over, code) => {
    const bad = anEntry({ id: 'bad', ...over })
    const rendering = renderDocuments(aSnapshot([anEntry(), bad]), someSettings())
    expect(rendering.refused).toMatchObject([{ postId: 'bad', code }])
    const feeds = readRendered(rendering)
    expectEqualFeeds(feeds)
    expect(feeds['rss.xml'].entries).toHaveLength(1)
  })

  it('says literally what a title says, in each format', () => {
    const title = 'AT&amp;T <b>1 < 2</b> &lt; "3" ]]>'
    const feeds = readRendered(render({ title, summary: title }))
    for (const { entries } of Object.values(feeds)) {
      expect(entries).toMatchObject([{ title, summary: title }])
    }
  })
})

describe('a site with hostile settings', () => {
  it.each<[string, Parameters<typeof site>[0]]>([
    ['markup', { title: '<b>A & B</b> ]]> ]]>', description: '&amp; <x>', author: 'A & <B>' }],
    ['control characters', { title: 'a\u0000b', description: '\u0001' }],
    ['empty texts', { title: ' ', description: '' }],
    ['a language that is none', { language: '"><x' }],
  ])('has valid feeds: %s', (_, over) => {
    const feeds = readRendered(render({}, undefined, site(over)))
    expectEqualFeeds(feeds)
    expect(feeds['rss.xml'].title).not.toBe('')
  })

  function site(over: Partial<ReturnType<typeof someSettings>['site']>) {
    const settings = someSettings({ hubs: ['https://hub.example/?a&b"<', 'javascript:x'] })
    return { ...settings, site: { ...settings.site, ...over } }
  }
})

describe('any text anywhere', { timeout: 90_000 }, () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    // Pieces that hurt, in any order, halves of characters among them.
    fc
      .array(
        fc.constantFrom(
          ...[']]>', '&', '<', '>', '"', "'", '&amp;', '&lt;', '&#0;', '<![CDATA[', '<!--', '-->'],
          ...[
            '\u0000',
            '\u0008',
            '\u001b',
            '\u007f',
            '\u0085',
            '\r',
            '\n',
            '\t',
            '\u2028',
            '\ufeff',
          ],
          ...['\ud83d', '\ude00', '\ufffe', '\ufdd0', '\ufdd1', '\ufdd00\ufdd1', '\u{10ffff}'],
          ...['</item>', '</entry>', '<rights>', '</title>', 'https://', 'javascript:', '中', 'é'],
        ),
      )
      .map((pieces) => pieces.join('')),
  )
  const address = fc.oneof(
    text,
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    text.map((path) => `https://a.example/${path}`),
  )
  const post = fc.record({
    id: fc.uuid(),
    title: text,
    summary: text,
    authors: fc.array(text, { maxLength: 3 }),
    tags: fc.array(text, { maxLength: 3 }),
    categories: fc.subarray(['town', 'sport']),
    canonicalUrl: address,
    language: fc.oneof(text, fc.constant('de')),
    published: fc
      .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    image: fc.record({ url: address }),
    enclosures: fc.array(fc.record({ url: address, type: text, length: fc.integer() }), {
      maxLength: 3,
    }),
  })

  it('gives three well-formed feeds of the same ids, titles, dates and texts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(post, text), { maxLength: 4 }),
        fc.record({ title: text, description: text, author: text }),
        (posts, site) => {
          const entries = posts.map(([over, html]) => anEntry(over, html))
          const titles = new Map([['sport', site.author]])
          const settings = someSettings({ hubs: [site.title] })
          const rendering = renderDocuments(aSnapshot(entries, { categoryTitles: titles }), {
            ...settings,
            site: { ...settings.site, ...site },
          })
          expect(rendering.refused).toEqual([])
          const feeds = readRendered(rendering)
          expectEqualFeeds(feeds)
          expect(feeds['rss.xml'].entries.map(({ id }) => id)).toEqual(
            entries.map(({ post }) => post.entryId),
          )
        },
      ),
      { numRuns: 150 },
    )
  })

  it('gives feeds or a refusal for any id and date', () => {
    fc.assert(
      fc.property(text, text, (entryId, published) => {
        const rendering = render({ entryId, published })
        expectEqualFeeds(readRendered(rendering))
      }),
      { numRuns: 100 },
    )
  })
})
