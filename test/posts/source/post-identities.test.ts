import { describe, expect, it } from 'vitest'
import { parsed, siteSettings } from '../parsed.ts'

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
