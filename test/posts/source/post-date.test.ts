import { describe, expect, it } from 'vitest'
import { parsed, refusalOf } from '../parsed.ts'

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
