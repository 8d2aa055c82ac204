import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../../functions/errors.ts'
import { outcomeOf, parsed, refusalOf, siteSettings } from '../parsed.ts'

const fixture = (path: string) =>
  readFileSync(new URL(`../../fixtures/posts/${path}`, import.meta.url))
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

describe('the date of a post', () => {
  const at = (path: string, head = '', way: 'publish' | 'import' = 'import') =>
    parsed(`---\ntitle: A\n${head}\n---\nB`, { path }, { way })

  it.each([
    ['2017-2-5-zeroes.md', '2017-02-05T00:00:00Z', 'file name'],
    ['content/2020-01-02-bundle/index.md', '2020-01-02T00:00:00Z', 'file name'],
    ['blog/2023/07/13/a.md', '2023-07-13T00:00:00Z', 'path'],
    ['blog/2023-07-13/a.md', '2023-07-13T00:00:00Z', 'path'],
    ['_posts/2014/2014-03-04-a.md', '2014-03-04T00:00:00Z', 'file name'],
  ])('is in the name %s', (path, published, datedBy) => {
    expect(at(path)).toMatchObject({ published, datedBy })
  })

  it('is in the permalink of an import', () => {
    expect(at('a.md', 'permalink: /2019/11/30/a.html')).toMatchObject({
      published: '2019-11-30T00:00:00Z',
      datedBy: 'permalink',
    })
  })

  it('of the front matter wins over every name', () => {
    expect(at('2017-02-05-a.md', 'date: 2018-01-01').published).toBe('2018-01-01T00:00:00Z')
  })

  it('is the instant of receipt where a post is published, not imported', () => {
    expect(at('2017-02-05-a.md', '', 'publish')).toMatchObject({
      published: '2026-03-02T08:00:00Z',
      datedBy: 'receipt',
    })
  })

  it.each([
    ['2014-a.md', '', 'post.date-missing'],
    ['2014/03/a.md', '', 'post.date-missing'],
    ['2014-13-45-a.md', '', 'post.date'],
    ['2023/02/30/a.md', '', 'post.date'],
    ['2017-02-05-a.md', 'date: +0800', 'post.date'],
    ['2017-02-05-a.md', 'date: 1487000000', 'post.date'],
    ['2017-02-05-a.md', 'date: [2017]', 'post.date'],
    ['2017-02-05-a.md', 'lastmod: never', 'post.date'],
    ['2017-02-05-a.md', 'published: maybe', 'post.date'],
  ])('is refused at %s with `%s` as %s', (path, head, code) => {
    expect(refusalOf(() => at(path, head)).code).toBe(code)
  })

  it('of an update counts only when it is later', () => {
    expect(at('a.md', 'date: 2018-01-02\nupdated: 2018-01-01').updated).toBeUndefined()
    expect(at('a.md', 'date: 2018-01-02\nlast_modified_at: 2018-01-03').updated).toBe(
      '2018-01-03T00:00:00Z',
    )
  })

  it('of Hugo’s publishDate holds where it is the later', () => {
    expect(at('a.md', 'date: 2018-01-02\npublishDate: 2018-03-01').published).toBe(
      '2018-03-01T00:00:00Z',
    )
  })
})

describe('a post is hidden', () => {
  it.each([
    'published: false',
    'published: no',
    'draft: true',
    'draft: yes',
    'draft: "true"',
    'hidden: on',
    'unlisted: true',
    'private: true',
    'status: draft',
    'visibility: private',
  ])('by %s', (line) => {
    expect(parsed(`---\ntitle: A\n${line}\n---\nB`).hidden).toBe(
      line.replace(/yes|on$|"true"/, 'true').replace('no', 'false'),
    )
  })

  it.each([
    'published: true',
    'draft: false',
    'draft: no',
    'hidden: ""',
    'status: published',
    'draft:',
  ])('but not by %s', (line) => {
    expect(parsed(`---\ntitle: A\n${line}\n---\nB`).hidden).toBeUndefined()
  })

  it('in a folder of drafts, and passed over there without a date', () => {
    const source = fixture('jekyll/_drafts/lighthouse.md')
    expect(parsed(source, { path: '_drafts/lighthouse.md' }).hidden).toBe('in _drafts')
    expect(outcomeOf(source, { path: '_drafts/lighthouse.md' }, { way: 'import' })).toMatchObject({
      status: 'ignored',
      code: 'undated-draft',
    })
  })
})

describe('an import passes over', () => {
  it.each([
    ['a picture', 'img/crane.jpg', '', 'post.not-a-post'],
    ['a file without a kind', 'LICENSE', 'MIT', 'post.not-a-post'],
    ['a section', 'content/_index.md', '+++\ntitle = "A"\n+++\n', 'section'],
    ['the repository’s own words', 'README.md', '# Blog', 'document'],
    ['nothing', 'a.md', '', 'empty'],
    ['a template’s page', 'latest.md', '+++\ntemplate = "latest.html"\n+++\n', 'empty'],
    ['a page', 'about.md', '---\ntitle: About\nlayout: page\n---\nUs.', 'page'],
  ])('%s', (_, path, source, code) => {
    expect(outcomeOf(source, { path }, { way: 'import' })).toMatchObject({
      status: 'ignored',
      code,
    })
  })

  it('a README that is a post, no: it has front matter', () => {
    const outcome = outcomeOf(
      '---\ntitle: A\ndate: 2020-01-01\n---\nB',
      { path: 'README.md' },
      { way: 'import' },
    )
    expect(outcome.status).toBe('post')
  })
})

describe('the title of a post', () => {
  it.each([
    ['the first heading', '# Fog\n\nx', 'b.md', 'Fog'],
    ['a heading at the top', '### Fog\n\nx', 'b.md', 'Fog'],
    [
      'the file’s name, when a heading comes later',
      'x\n\n## Fog',
      '2020-01-01-fog-at-sea.md',
      'Fog at sea',
    ],
    ['the folder’s name of a bundle', 'x', 'posts/fog-at-sea/index.md', 'Fog at sea'],
    ['the first words, when the name is a number', 'Fog at sea.', '20200101.md', 'Fog at sea.'],
    ['the first words, without a name', 'Fog at sea.\n\nMore.', undefined, 'Fog at sea.'],
    ['an image’s description', '![Fog](x.png)', undefined, 'Fog'],
    [
      'the file’s name, when the heading is a template’s',
      '# {{ page.title }}\n\nx',
      'fog.md',
      'Fog',
    ],
  ])('is %s', (_, source, path, title) => {
    expect(parsed(source, path === undefined ? {} : { path }).title).toBe(title)
  })

  it('may look like other things', () => {
    for (const title of ['2024', '12:30', 'No', '1e3', '010']) {
      expect(parsed(`---\ntitle: ${title}\n---\nB`).title).toBe(title)
    }
  })

  it('has a bound, as an id has', () => {
    expect(refusalOf(() => parsed(`---\ntitle: ${'a'.repeat(2001)}\n---\nB`)).code).toBe(
      'post.title',
    )
    expect(refusalOf(() => parsed(`---\ntitle: A\nid: ${'a'.repeat(501)}\n---\nB`)).code).toBe(
      'post.id',
    )
    expect(parsed(`# ${'泰'.repeat(300)}\n\nB`).title).toBe(`${'泰'.repeat(79)}…`)
  })

  it('is needed somehow', () => {
    expect(refusalOf(() => parsed('---\ntitle: ""\n---\n')).code).toBe('post.title')
  })

  it.each(['', ' \n\n', '---\ncategories: [news]\n---\n', '<!-- soon -->', '<script>x</script>'])(
    'is not made of a file’s name where there is nothing to read: %j',
    (source) => {
      const file = { path: '_posts/2026-03-01-harbour.md' }
      expect(refusalOf(() => parsed(source, file)).code).toBe('post.title')
    },
  )

  it.each([
    ['Words', 'Two words.'],
    ['a picture', '![](/crane.jpg)'],
    ['a film', '<video src="https://films.example/a.mp4"></video>'],
    ['a summary', '---\nsummary: Soon.\n---\n'],
    ['nothing yet, as a draft', '---\ndraft: true\n---\n'],
  ])('is made of the file’s name for %s', (_, source) => {
    expect(parsed(source, { path: 'harbour.md' }).title).toBe('Harbour')
  })
})

describe('a summary', () => {
  it('of several paragraphs has no blank between two Chinese sentences, and one between two English ones', () => {
    expect(parsed('---\ntitle: A\n---\n它也慢。\n\n于是有了“小报”。').summary).toBe(
      '它也慢。于是有了“小报”。',
    )
    expect(parsed('---\ntitle: A\n---\nIt is slow.\n\nSo it grew.').summary).toBe(
      'It is slow. So it grew.',
    )
    expect(parsed('---\ntitle: A\nsummary: |\n  它也\n  慢。\n---\nB').summary).toBe('它也慢。')
  })

  it('leaves out what only repeats the title', () => {
    expect(
      parsed('---\ntitle: “Quay” news\n---\n<p>“Quay” news</p><p>The crane is back.</p>').summary,
    ).toBe('The crane is back.')
  })

  it('is of 280 characters at most, however many code units they have', () => {
    const family = '👨‍👩‍👧‍👦'
    const { summary } = parsed(`---\ntitle: A\n---\n${family.repeat(300)}`)
    expect(summary).toBe(`${family.repeat(279)}…`)
    expect(parsed(`---\ntitle: A\n---\n${'泰'.repeat(280)}`).summary).toBe('泰'.repeat(280))
    expect(parsed(`---\ntitle: A\n---\n${'泰'.repeat(281)}`).summary).toBe(`${'泰'.repeat(279)}…`)
  })

  it('ends with a sentence where one ends late enough, else with a word', () => {
    const words = 'word '.repeat(50)
    expect(parsed(`---\ntitle: A\n---\n${words}end. ${words}`).summary).toBe(`${words}end.`)
    expect(parsed(`---\ntitle: A\n---\nA. ${'harbour '.repeat(60)}`).summary).toMatch(/harbour…$/)
  })

  it('is the author’s, as plain text', () => {
    expect(parsed('---\ntitle: A\nexcerpt: "<p>The *crane* &amp; more</p>"\n---\nB').summary).toBe(
      'The *crane* & more',
    )
    expect(parsed('---\ntitle: A\ndescription: The *crane*\n---\nB').summary).toBe('The crane')
  })

  it('ends at the author’s own separator', () => {
    expect(parsed('---\ntitle: A\nexcerpt_separator: "~~~"\n---\nOne.\n~~~\nTwo.').summary).toBe(
      'One.',
    )
  })
})

describe('the identities of a post', () => {
  it('are its id, its path without Jekyll’s folders, and its address', () => {
    const post = parsed('---\ntitle: A\nguid: g-1\npermalink: /a/b/\n---\nB', {
      path: 'blog/_posts/a\u0308.md',
    })
    expect(post.identities).toEqual([
      { kind: 'id', value: 'g-1' },
      { kind: 'path', value: 'blog/ä.md' },
      { kind: 'url', value: 'https://news.example/a/b/' },
    ])
    expect(post.slug).toBe('b')
  })

  it('may be the file’s name alone', () => {
    const settings = {
      ...siteSettings,
      content: { ...siteSettings.content, identity: 'name' as const },
    }
    const path = (path: string) =>
      parsed('---\ntitle: A\n---\nB', { path }, { settings }).identities[0]?.value
    expect(path('old_post/2020-01-01-a.md')).toBe('2020-01-01-a.md')
    expect(path('posts/a/index.md')).toBe('a')
  })

  it.each(['/:title', '/:year/:month/:title.html', 'pretty', 'none'])(
    'are not the template %s',
    (permalink) => {
      const post = parsed(`---\ntitle: A\npermalink: ${permalink}\n---\nB`, { path: 'b.md' })
      expect(post.identities).toEqual([{ kind: 'path', value: 'b.md' }])
      expect(post.slug).toBe('b')
    },
  )

  it('do not leave the site by a traversal', () => {
    const post = parsed('---\ntitle: A\npermalink: /%2e%2e/%2e%2e/baddie.html\n---\nB', {
      path: '../../../etc/a.md',
    })
    expect(post.identities).toEqual([
      { kind: 'path', value: 'etc/a.md' },
      { kind: 'url', value: 'https://news.example/baddie.html' },
    ])
    expect(post.slug).toBe('baddie')
  })

  it('are not the source that a body names', () => {
    const post = parsed('---\ntitle: A\n---\nB\n\n<https://a.example/1>')
    expect(post.canonicalUrl).toBe('https://a.example/1')
    expect(post.identities).toEqual([])
  })
})

it('the author’s canonical address wins over a source in the body', () => {
  const post = parsed(
    '---\ntitle: A\ncanonical_url: https://home.example/a\n---\n[x](b)\n\n<https://a.example/1>',
  )
  expect(post.canonicalUrl).toBe('https://home.example/a')
  expect(post.body.html).toContain('href="https://home.example/b"')
  expect(post.body.text).toContain('https://a.example/1')
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
