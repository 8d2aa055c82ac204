import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../../functions/errors.ts'
import { fixture, outcomeOf, parsed, refusalOf, siteSettings } from '../parsed.ts'

const imported = (root: string, path: string, settings = siteSettings) =>
  parsed(fixture(`${root}/${path}`), { path }, { way: 'import', settings })

describe('a post of', () => {
  it('Jekyll: offset, words as categories, Liquid, attribute lists', () => {
    const post = imported('jekyll', '_posts/2024-05-01-ferry-timetable.md')
    expect(post).toMatchObject({
      title: 'Ferry: the summer timetable',
      published: '2024-05-01T07:30:00Z',
      categories: ['harbour', 'transport'],
      tags: ['ferry', 'summer timetable'],
      authors: ['Ida Brandt'],
      slug: 'ferry-timetable',
      identities: [{ kind: 'path', value: '2024-05-01-ferry-timetable.md' }],
      summary: 'The boats go every hour. See the map.',
      datedBy: 'front matter',
    })
    expect(post.body.html).toBe(
      [
        '<pre><code class="language-text">08:00  {{ quay }}\n</code></pre>',
        '<p>The boats go <strong>every hour</strong>. See <a href="https://this-site.invalid/map/">the map</a>.</p>',
        '<h2 id="post-fares">Fares</h2>',
        '<p><a href="https://this-site.invalid/posts/ferry-timetable/#post-fares">Back to fares</a></p>',
      ].join('\n'),
    )
  })

  it('Hugo: TOML, a local day, a bundle, an excerpt marker', () => {
    const post = imported('hugo', 'content/post/harbour/index.md')
    expect(post).toMatchObject({
      title: 'Harbour news',
      published: '2024-05-02T05:00:00Z',
      updated: '2024-05-03T00:00:00Z',
      categories: ['harbour'],
      tags: ['crane', 'quay 7'],
      slug: 'harbour-news',
      summary: 'The crane is back.',
      image: {
        url: 'https://this-site.invalid/posts/harbour-news/crane.jpg',
        alt: 'The old crane',
      },
      identities: [{ kind: 'path', value: 'content/post/harbour/index.md' }],
    })
    expect(post.body.text).toContain('{{< figure src="crane.jpg" >}}')
  })

  it('Zola: no date but in the path, taxonomies, footnotes', () => {
    expect(imported('zola', 'content/regatta.md')).toMatchObject({
      title: 'The "small" regatta',
      published: '2024-06-07T00:00:00Z',
      datedBy: 'permalink',
      authors: ['Ida Brandt', 'Jonas'],
      categories: ['sport'],
      tags: ['sailing'],
      slug: 'regatta',
      summary: 'Forty boats.',
      identities: [
        { kind: 'path', value: 'content/regatta.md' },
        { kind: 'url', value: 'https://news.example/2024/06/07/regatta' },
      ],
    })
  })

  it('Docusaurus: MDX, authors as mappings, tags with labels, truncation', () => {
    const post = imported('docusaurus', 'blog/2024-07-01-pilot.mdx')
    expect(post).toMatchObject({
      published: '2024-07-01T00:00:00Z',
      updated: '2024-07-04T00:00:00Z',
      datedBy: 'file name',
      authors: ['Ida Brandt', 'jonas'],
      tags: ['Pilots', 'boats'],
      slug: 'boats',
      summary: 'Pilots board at sea.',
      image: { url: 'https://this-site.invalid/img/pilot.png' },
    })
    expect(post.body.text).toBe('Pilots board at sea.\n\nThe rest.')
  })

  it('Pelican: lines of keys, one category of several words, names by semicolon', () => {
    expect(imported('pelican', 'tide.md')).toMatchObject({
      title: 'Tide tables',
      published: '2024-08-01T10:20:00Z',
      updated: '2024-08-02T11:00:00Z',
      categories: ['Harbour news'],
      tags: ['tide', 'moon phase'],
      authors: ['Ida Brandt', 'Jonas'],
      slug: 'tide-tables',
      summary: 'High water and low water.',
      body: { text: 'The tables are out.' },
    })
  })

  it('Hexo: nested categories, an encoded permalink, Chinese emphasis and lines', () => {
    const post = imported('hexo', '_posts/storm.md', {
      ...siteSettings,
      content: { ...siteSettings.content, timeZone: 'Asia/Shanghai' },
    })
    expect(post).toMatchObject({
      title: '台风“海燕”过境',
      published: '2024-09-01T12:15:00Z',
      categories: ['新闻', '天气'],
      slug: '台风',
      language: 'zh-CN',
    })
    expect(post.body.html).toBe('<p><strong>台风“海燕”</strong>今晨登陆。</p>')
  })

  it('Eleventy: JSON between rules', () => {
    expect(imported('eleventy', 'notes.md')).toMatchObject({
      title: 'Notes from the quay',
      published: '2024-10-01T00:00:00Z',
      tags: ['posts', 'notes'],
      slug: 'quay',
    })
  })

  it('an author without any front matter', () => {
    expect(parsed('# Fog\n\nIt is foggy.', { path: 'fog-at-sea.md' })).toMatchObject({
      title: 'Fog',
      slug: 'fog-at-sea',
      published: '2026-03-02T08:00:00Z',
      datedBy: 'receipt',
      summary: 'It is foggy.',
      body: { html: '<p>It is foggy.</p>' },
    })
  })

  it('a whole HTML document', () => {
    const source =
      '<!DOCTYPE html><html><head><title>Fog &amp; mist</title><style>p{}</style></head><body><p>Hm.</p></body></html>'
    expect(parsed(source, { contentType: 'text/html' })).toMatchObject({
      title: 'Fog & mist',
      slug: 'fog-mist',
      body: { html: '<p>Hm.</p>' },
    })
  })
})

describe('the bytes of a post', () => {
  const text = '---\r\ntitle: “Quay”\r\n---\r\nOne\r\n\r\nTwo'
  const utf16 = (bigEndian: boolean) => {
    const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
    return bigEndian ? bytes.swap16() : bytes
  }

  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 little-endian', utf16(false)],
    ['UTF-16 big-endian', utf16(true)],
    ['old Macintosh lines', Buffer.from(text.replaceAll('\r\n', '\r'))],
  ])('may be %s', (_, bytes) => {
    expect(parsed(bytes)).toMatchObject({
      title: '“Quay”',
      body: { html: '<p>One</p>\n<p>Two</p>' },
    })
  })

  it.each([
    ['GBK', Buffer.from([0xc4, 0xe3, 0xba, 0xc3])],
    ['Latin-1', Buffer.from('Grüße', 'latin1')],
    ['UTF-16 without a mark', Buffer.from('title', 'utf16le')],
    ['half of UTF-16', Buffer.from([0xff, 0xfe, 0x41])],
    ['cut UTF-8', Buffer.from('泰').subarray(0, 2)],
  ])('are refused as %s', (_, bytes) => {
    expect(refusalOf(() => parsed(bytes))).toMatchObject({ status: 422, code: 'post.encoding' })
  })

  it('are at most 5 MB', () => {
    expect(refusalOf(() => parsed(Buffer.alloc(5 * 1024 * 1024 + 1, 'a')))).toMatchObject({
      status: 413,
      code: 'too-large',
    })
  })
})

it('Liquid that only the site’s own build could answer stays as it is written', () => {
  const text = (body: string) => parsed(`---\ntitle: A\n---\n${body}`).body.text
  expect(text('{% include x.html %}')).toBe('{% include x.html %}')
  expect(text('{{ page.url }}')).toBe('{{ page.url }}')
  expect(text('`{% raw %}{% highlight %}{% endraw %}`')).toBe('{% highlight %}')
  expect(text('{% raw %} open')).toBe('{% raw %} open')
  expect(text('a {% comment %}b{% endcomment %} c')).toBe('a c')
  expect(text('{{ site.title }}: {{ page.title }}')).toBe('The Quay: A')
  expect(text('[a]({{ "/map/" | relative_url }})')).toBe(
    'a [1]\n\n[1] https://this-site.invalid/map/',
  )
  expect(text('[a]({% post_url 2020-01-02-the-crane %})')).toBe(
    'a [1]\n\n[1] https://this-site.invalid/posts/the-crane/',
  )
  expect(text('[a]({% link _posts/2020-01-02-the-crane.md %}#x)')).toContain(
    'https://this-site.invalid/posts/the-crane/#x',
  )
})

it('anything at all is a post, passed over or refused, never an error', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '---\n',
      '+++\n',
      '...\n',
      'title: ',
      'date: ',
      '2020-01-01',
      '\n',
      '\n\n',
      '{% ',
      '%}',
      '{{',
      '}}',
      '{: .a}',
      '{#b}',
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      '*',
      '`',
      '<p>',
      '</p>',
      '<!--',
      '|',
      '[^1]',
      '[^1]: ',
      '"',
      ': ',
      '\ufeff',
      '\r',
      '  - ',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  const source = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
  const path = fc.option(fc.string({ unit: 'binary', maxLength: 30 }), { nil: undefined })
  const contentType = fc.constantFrom('text/markdown', 'text/html', 'application/json')
  fc.assert(
    fc.property(
      source,
      path,
      contentType,
      fc.constantFrom('publish', 'import'),
      (text, path, contentType, way) => {
        try {
          const outcome = outcomeOf(
            text,
            { contentType, ...(path !== undefined && { path }) },
            { way },
          )
          if (outcome.status !== 'post') return
          const { post } = outcome
          expect(post.slug).not.toBe('')
          expect(post.title.trim()).not.toBe('')
          expect(JSON.parse(JSON.stringify(post))).toEqual(post)
          expect(JSON.stringify(post).isWellFormed()).toBe(true)
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error
          expect(error.status).toBeLessThan(500)
        }
      },
    ),
    { numRuns: 2000 },
  )
})
