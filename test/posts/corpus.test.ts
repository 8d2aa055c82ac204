import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../functions/errors.ts'
import type { ParsedPost } from '../../functions/posts/source/parse-post.ts'
import { outcomeOf } from './parsed.ts'

// Real posts that are not ours to publish live beside the checkout, where they exist at all.
const corpus = join(import.meta.dirname, '../../../shared/corpus')

interface Outcome {
  what: string
  post?: ParsedPost
  message?: string
}

function importFolder(name: string): Map<string, Outcome> {
  const root = join(corpus, name)
  const outcomes = new Map<string, Outcome>()
  for (const file of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue
    const path = relative(root, join(file.parentPath, file.name))
    outcomes.set(path, importFile(join(root, path), path))
  }
  return outcomes
}

function importFile(file: string, path: string): Outcome {
  const contentType = /\.html?$/.test(path) ? 'text/html' : 'text/markdown'
  try {
    const outcome = outcomeOf(readFileSync(file), { path, contentType }, { way: 'import' })
    if (outcome.status === 'ignored')
      return { what: `ignored ${outcome.code}`, message: outcome.reason }
    const { post } = outcome
    return { what: post.hidden === undefined ? post.datedBy : 'hidden', post }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    return { what: `refused ${error.code}`, message: error.message }
  }
}

function counts(outcomes: Map<string, Outcome>): Record<string, number> {
  const result: Record<string, number> = {}
  for (const { what } of outcomes.values()) result[what] = (result[what] ?? 0) + 1
  return result
}

describe.skipIf(!existsSync(corpus))('real posts', () => {
  describe('of a Chinese mirror of news', () => {
    const outcomes = importFolder('finews')
    const post = (path: string) => outcomes.get(path)?.post

    it('are posts but for the one whose date cannot be read', () => {
      expect(counts(outcomes)).toEqual({
        'front matter': 22,
        'refused post.date': 1,
        'ignored document': 1,
      })
      expect(outcomes.get('-202205262391921712.md')?.message).toContain('`+0800`')
    })

    it('have categories, instant, source and text without navigation', () => {
      const seed = post('2022-02-23-202202232285944283.md')
      expect(seed).toMatchObject({
        title: '倾心倾情写好“乐居”民生答卷',
        published: '2022-02-23T04:08:51Z',
        categories: ['taizhouribao'],
        tags: ['泰州日报新闻'],
        canonicalUrl:
          'http://finews.zning.xyz/html_News/NewsShare.html?infoCode=NW202202232285944283',
        language: 'zh',
      })
      expect(seed?.summary).toMatch(/^2021年市住房公积金管理中心创新发展纪实 住有所居/)
      for (const made of [seed?.body.html, seed?.body.text]) {
        expect(made).toContain('文章来源：泰州日报')
        expect(made).not.toMatch(/返回|infoCode|withounder/)
      }
    })

    it('are the same with other line ends', () => {
      const [lf, crlf] = [
        '2022-02-23-202202232285944283.md',
        '2022-02-23-NW202202232285944283.md',
      ].map(post)
      expect(crlf?.body).toEqual(lf?.body)
    })

    it('all lose their way back and name their source', () => {
      for (const [path, { post }] of outcomes) {
        if (!post || path === '2021-12-01-init.md') continue
        expect(post.canonicalUrl, path).toMatch(
          /^http:\/\/(finews\.zning\.xyz|[a-z]+\.eastmoney\.com)\//,
        )
        expect(post.body.text, path).not.toMatch(/返回首页|withounder|finews\.zning/)
        expect(post.body.html, path).not.toMatch(/display:none|<span id|<!--/)
        expect(post.language, path).toBe('zh')
        expect(post.summary, path).not.toBe('')
      }
    })

    it('without a zone are in the zone of the settings', () => {
      expect(post('2021-12-01-init.md')?.published).toBe('2021-12-01T13:33:50Z')
    })
  })

  describe('of Jekyll', () => {
    const outcomes = importFolder('jekyll')
    const of = (path: string) => outcomes.get(`test/source/${path}`)

    it('each have an outcome', () => {
      expect(counts(outcomes)).toEqual({
        'front matter': 108,
        'file name': 54,
        hidden: 1,
        'refused post.date': 1,
        'refused post.date-missing': 51,
        'refused post.front-matter': 1,
        'ignored undated-draft': 2,
        'ignored document': 1,
      })
    })

    it('of its own news are all posts but one', () => {
      const news = [...outcomes].filter(([path]) => path.startsWith('docs/_posts/'))
      expect(news).toHaveLength(102)
      expect(news.filter(([, { post }]) => !post).map(([, { message }]) => message)).toEqual([
        expect.stringContaining('`2023-01-29 18:30:22 2023 -0800`'),
      ])
      for (const [path, { post }] of news) if (post) expect(post.canonicalUrl, path).toBeUndefined()
    })

    it.each([
      ['_posts/2009-01-27-categories.markdown', { categories: ['foo', 'bar', 'baz'] }],
      ['_posts/2009-01-27-array-categories.markdown', { categories: ['foo', 'bar', 'baz'] }],
      ['_posts/2009-01-27-empty-categories.markdown', { categories: [] }],
      ['_posts/2013-05-10-number-category.markdown', { categories: ['2013'] }],
      [
        '_posts/2010-01-16-override-data.markdown',
        { tags: ['A', 'string'], published: '2010-01-10T13:07:09Z' },
      ],
      ['_posts/2009-05-18-empty-tags.markdown', { tags: [] }],
      ['_posts/2009-03-12-hash-#1.markdown', { title: 'Hash', slug: 'hash-1' }],
      ['_posts/2010-01-08-triple-dash.markdown', { title: 'Foo --- Bar' }],
      ['_posts/2009-06-22-no-yaml.markdown', { title: 'No yaml' }],
      ['_posts/2008-02-02-not-published.markdown', { hidden: 'published: false' }],
      ['_posts/2017-2-5-i-dont-like-zeroes.md', { published: '2017-02-05T00:00:00Z' }],
      [
        '_posts/2018-10-12-trailing-dots...markdown',
        { title: 'Ellipsis Path', slug: 'trailing-dots' },
      ],
      ['_posts/2014-01-06-permalink-traversal.md', { slug: 'baddie' }],
      ['_posts/2013-04-11-custom-excerpt.markdown', { summary: 'I can set a custom excerpt' }],
      [
        '_posts/2015-01-08-post-excerpt-separator.markdown',
        { summary: 'First paragraph with link ref. Second paragraph' },
      ],
      ['_posts/2014-03-03-yaml-with-dots.md', { title: 'Test Post Where YAML Ends in Dots' }],
      ['_encodings/UTF8CRLFandBOM.md', { categories: ['bom'], published: '2017-04-06T00:16:01Z' }],
      [
        '_encodings/Unicode16LECRLFandBOM.md',
        { categories: ['bom'], published: '2017-04-06T00:08:01Z' },
      ],
      ['_dates/time_with_timezone.md', { published: '2015-09-30T17:00:00Z' }],
      [
        '_posts/2018-01-28-closed-liquid-block-excerpt.markdown',
        { summary: "So let's talk business." },
      ],
    ])('%s', (path, expected) => {
      expect(of(path)?.post).toMatchObject(expected)
    })
  })

  describe('of the Rust blog', () => {
    const outcomes = importFolder('rust-blog')

    it('are dated by their paths, and their sections are passed over', () => {
      expect(counts(outcomes)).toEqual({
        permalink: 99,
        'ignored section': 3,
        'ignored empty': 1,
        'ignored document': 1,
      })
    })

    it('have titles in every kind of TOML text, and authors', () => {
      expect(
        outcomes.get('content/Clippy-deprecating-feature-cargo-clippy.md')?.post,
      ).toMatchObject({
        title: 'Clippy: Deprecating `feature = "cargo-clippy"`',
        published: '2024-02-28T00:00:00Z',
        authors: ['The Clippy Team'],
      })
      expect(
        outcomes.get('content/inside-rust/AsyncAwait-Not-Send-Error-Improvements.md')?.post?.title,
      ).toBe('Improving async-await\'s "Future is not Send" diagnostic')
    })

    it('name no source, run no script and say something in their summaries', () => {
      for (const [path, { post }] of outcomes) {
        if (!post) continue
        expect(post.canonicalUrl, path).toBeUndefined()
        expect(post.body.html, path).not.toMatch(/<script|<iframe|<!--|\son[a-z]+=/i)
        expect(post.summary.length, path).toBeGreaterThan(20)
      }
    })
  })
})
