import { describe, expect, it } from 'vitest'
import { fixture, outcomeOf, parsed } from '../parsed.ts'

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
