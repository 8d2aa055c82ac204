import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { publishInboxFile } from '../../../functions/posts/inbox.ts'
import { type ContentType, contentTypeOf } from '../../../functions/posts/source/content-type.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { outcomeOf } from '../parsed.ts'

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
})
afterEach(() => platform.close())

const post = '---\ntitle: Ferry\ndate: 2026-03-02\n---\n\nOn time.'

describe('a file is a post by its name', () => {
  it.each<[string, ContentType]>([
    ['md', 'text/markdown'],
    ['markdown', 'text/markdown'],
    ['mkd', 'text/markdown'],
    ['mkdn', 'text/markdown'],
    ['mkdown', 'text/markdown'],
    ['mdown', 'text/markdown'],
    ['mdx', 'text/markdown'],
    ['html', 'text/html'],
    ['htm', 'text/html'],
    ['xhtml', 'text/html'],
  ])('.%s: sent, read by an import, published from the inbox', async (ending, contentType) => {
    const path = `notes/ferry.${ending}`
    expect(contentTypeOf(path)).toBe(contentType)
    expect(outcomeOf(post, { path, contentType }, { way: 'import' }).status).toBe('post')
    const bytes = new TextEncoder().encode(post)
    expect((await publishInboxFile(platform, { path, bytes })).status).toBe('published')
  })

  it('whatever the case of its ending, and JSON too', () => {
    expect(contentTypeOf('a/B.MD')).toBe('text/markdown')
    expect(contentTypeOf('a.json')).toBe('application/json')
  })
})

it.each(['robots.txt', 'cat.jpg', 'x.constructor', 'LICENSE', 'a.md/LICENSE', '.md'])(
  '%s is none',
  (path) => {
    expect(contentTypeOf(path)).toBeUndefined()
    expect(outcomeOf(post, { path }, { way: 'import' })).toMatchObject({
      status: 'ignored',
      code: 'post.not-a-post',
    })
  },
)
