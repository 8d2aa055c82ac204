import { describe, expect, it } from 'vitest'
import { outcomeOf, parsed, refusalOf } from '../parsed.ts'

const json = (value: unknown, options = {}) =>
  parsed(JSON.stringify(value), { contentType: 'application/json' }, options)
const refused = (value: unknown) => refusalOf(() => json(value))

describe('a post as JSON', () => {
  it('is read with everything that it may have', () => {
    expect(
      json({
        id: 'a-1',
        title: 'Harbour news',
        published: '2024-05-01T09:30:00+02:00',
        updated: '2024-05-02T00:00:00Z',
        categories: ['harbour', 'Sport & play', 'harbour'],
        tags: ['crane'],
        authors: ['Ida <ida@example.org>', 'Jonas'],
        url: 'https://home.example/2024/harbour-news.html',
        content: '**Bold** [map](map.html)',
        summary: 'In short',
        image: { url: 'crane.jpg', alt: 'A crane', width: 800, height: 600 },
        enclosures: [{ url: 'talk.mp3' }, { url: 'javascript:x' }],
        language: 'de_DE',
        mail: 'letter',
      }),
    ).toEqual({
      title: 'Harbour news',
      published: '2024-05-01T07:30:00Z',
      updated: '2024-05-02T00:00:00Z',
      categories: ['harbour', 'Sport & play'],
      tags: ['crane'],
      authors: ['Ida', 'Jonas'],
      language: 'de-DE',
      summary: 'In short',
      image: {
        url: 'https://home.example/2024/crane.jpg',
        alt: 'A crane',
        width: 800,
        height: 600,
      },
      enclosures: [{ url: 'https://home.example/2024/talk.mp3', type: 'audio/mpeg', length: 0 }],
      canonicalUrl: 'https://home.example/2024/harbour-news.html',
      mail: 'letter',
      slug: 'harbour-news',
      identities: [
        { kind: 'id', value: 'a-1' },
        { kind: 'url', value: 'https://home.example/2024/harbour-news.html' },
      ],
      body: {
        html: '<p><strong>Bold</strong> <a href="https://home.example/2024/map.html">map</a></p>',
        text: 'Bold map [1]\n\n[1] https://home.example/2024/map.html',
      },
      datedBy: 'front matter',
    })
  })

  it('needs a title and content only, and is then of the instant of receipt', () => {
    expect(json({ title: 'A', content: 'b' })).toMatchObject({
      published: '2026-03-02T08:00:00Z',
      datedBy: 'receipt',
      slug: 'a',
      categories: [],
      identities: [],
    })
  })

  it('may be HTML, and is Markdown otherwise', () => {
    expect(json({ title: 'A', content: '*b*', contentType: 'text/html' }).body.html).toBe('*b*')
    expect(json({ title: 'A', content: '*b*' }).body.html).toBe('<p><em>b</em></p>')
  })

  it('is not Jekyll’s, whose tags are text here', () => {
    expect(json({ title: 'A', content: '{% raw %}x{% endraw %}' }).body.text).toBe(
      '{% raw %}x{% endraw %}',
    )
    expect(json({ title: 'A', content: '---\ntitle: B\n---\nx' }).title).toBe('A')
  })

  it('may come under any name', () => {
    const source = JSON.stringify({ title: 'A', content: 'b', published: '2020-01-01' })
    const options = { contentType: 'application/json', path: 'posts/_index.json' } as const
    expect(parsed(source, options, { way: 'import' }).identities).toEqual([
      { kind: 'path', value: 'posts/_index.json' },
    ])
  })

  it('is hidden as a draft', () => {
    expect(json({ title: 'A', content: 'b', draft: true }).hidden).toBe('draft: true')
    expect(json({ title: 'A', content: 'b', draft: false }).hidden).toBeUndefined()
  })

  it('has no other home than our page when its address is our page', () => {
    const post = json({ title: 'A', content: 'b', url: 'https://news.example/posts/a/' })
    expect(post.canonicalUrl).toBeUndefined()
    expect(post.slug).toBe('a')
  })

  it.each([
    [{ title: 'A', contnet: 'b' }, 'post.input', 'did you mean `content`'],
    [{ title: 'A', content: 'b', category: 'x' }, 'post.input', 'did you mean `categories`'],
    [{ title: 'A', content: 'b', zzzzzzzz: 1 }, 'post.input', 'unknown field'],
    [{ title: 'A' }, 'post.input', '`content`: it is missing'],
    [{ content: 'A' }, 'post.input', '`title`: it is missing'],
    [{ title: 7, content: 'b' }, 'post.input', '`title`: must be text'],
    [
      { title: 'A', content: 'b', mail: 'often' },
      'post.input',
      '`mail`: must be one of `digest`, `letter`, `none`',
    ],
    [{ title: 'A', content: 'b', categories: [1] }, 'post.input', '`categories'],
    [[], 'post.input', ''],
    [null, 'post.input', ''],
    [{ title: 'A', content: 'b', published: 'soon' }, 'post.date', '`soon`'],
    [{ title: 'A', content: 'b', published: '2024-02-31' }, 'post.date', '2024-02-31'],
    [{ title: 'A', content: 'b', updated: '1' }, 'post.date', 'updated'],
    [{ title: 'A', content: 'b', url: '/x' }, 'post.url', 'absolute'],
    [{ title: 'A', content: 'b', url: 'javascript:x' }, 'post.url', 'absolute'],
    [{ title: '', content: '' }, 'post.title', 'title'],
    [
      { title: 'A', content: 'b', categories: Array.from({ length: 51 }, (_, i) => `c${i}`) },
      'post.categories',
      '50',
    ],
    [{ title: 'A', content: '<b>'.repeat(1001) }, 'post.nesting', '1,000'],
  ])('%j is refused', (value, code, hint) => {
    const refusal = refused(value)
    expect(refusal.code).toBe(code)
    expect(refusal.message).toContain(hint)
    expect(refusal.status).toBe(422)
  })

  it('is refused when it is no JSON, naming every fault of the shape otherwise', () => {
    expect(refusalOf(() => outcomeOf('{', { contentType: 'application/json' }))).toMatchObject({
      status: 400,
      code: 'malformed-json',
    })
    expect(
      refused({ titel: 'A', contnet: 'b' })
        .errors.map(({ path }) => path)
        .sort(),
    ).toEqual(['content', 'contnet', 'titel', 'title'])
  })

  it('is refused in an import when it has no date', () => {
    expect(refusalOf(() => json({ title: 'A', content: 'b' }, { way: 'import' })).code).toBe(
      'post.date-missing',
    )
  })
})
