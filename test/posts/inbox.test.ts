import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keepRejected, publishInboxFile, reasonText } from '../../functions/posts/inbox.ts'
import { publishPost } from '../../functions/posts/publish.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { titlesIn } from './consistency.ts'
import { stored } from './sources.ts'

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
})
afterEach(() => platform.close())

const bytes = (text: string) => new TextEncoder().encode(text)

describe('publishInboxFile', () => {
  it('publishes a post, and finds it again by its path after a crash', async () => {
    const file = { path: 'notes/a.md', bytes: bytes('# Hello\n\nTwo words.') }
    const first = stored(await publishInboxFile(platform, file))
    expect(first).toMatchObject({ status: 'published', mailed: true })
    platform.advance(60_000)
    expect(stored(await publishInboxFile(platform, file))).toMatchObject({
      status: 'unchanged',
      post: { id: first.post.id },
    })
    expect(await titlesIn(platform, '*')).toEqual(['Hello'])
  })

  it.each([
    ['a picture', 'cat.jpg', 'x', 'post.not-a-post'],
    ['a file without an ending', 'README', 'x', 'post.not-a-post'],
    ['a date that cannot be read', 'a.md', '---\ntitle: A\ndate: +0800\n---\n\nText.', 'post.date'],
    [
      'front matter that cannot be read',
      'a.md',
      '---\ntitle: [A\n---\n\nText.',
      'post.front-matter',
    ],
    ['a path that leads out', '../a.md', '# A', 'post.path'],
  ])('refuses %s with a reason', async (_, path, text, code) => {
    const outcome = await publishInboxFile(platform, { path, bytes: bytes(text) })
    expect(outcome).toMatchObject({ status: 'refused', code })
    if (outcome.status !== 'refused') return
    expect(outcome.reason.length).toBeGreaterThan(20)
    expect(reasonText(outcome)).toContain(outcome.reason)
    expect(await titlesIn(platform, '*')).toEqual([])
  })

  it('says of every other kind of file what posts are, and of each the same', async () => {
    const reasonOf = async (path: string) => {
      const outcome = await publishInboxFile(platform, { path, bytes: bytes('x') })
      return outcome.status === 'refused' && outcome.reason
    }
    const reason = await reasonOf('notes.txt')
    expect(reason).toMatch(/Markdown, HTML and JSON files/)
    expect(await reasonOf('map.png')).toBe(reason)
    const published = await publishPost(
      platform,
      { bytes: bytes('x'), contentType: 'text/markdown', path: 'notes.txt' },
      { way: 'publish' },
    )
    expect(published).toMatchObject({ status: 'ignored', reason })
  })

  it('keeps a section file, too: it was dropped to be published', async () => {
    const file = { path: 'news/_index.md', bytes: bytes('+++\ntitle = "News"\n+++\n') }
    expect((await publishInboxFile(platform, file)).status).toBe('refused')
  })
})

describe('keepRejected', () => {
  it('says the reason alone, once, of a file that stays where it is', async () => {
    const file = { path: 'huge.md', code: 'too-large', reason: 'Too large.' }
    expect(await keepRejected(platform, file)).toBe(true)
    expect(await keepRejected(platform, file)).toBe(false)
    const { objects } = await platform.objects.list('inbox/rejected/')
    expect(objects.map(({ key }) => key)).toEqual(['inbox/rejected/huge.md.reason.txt'])
  })

  it('keeps the bytes with the reason beside them, whatever the name', async () => {
    const names = [
      'a/b.md',
      'a/b.md/c.md',
      '../../x.md',
      'ü\u0308.md',
      `${'長'.repeat(300)}.md`,
      'tab\t.md',
      '/',
    ]
    for (const path of names) {
      await keepRejected(platform, {
        path,
        bytes: bytes(path),
        code: 'post.date',
        reason: 'No date.',
      })
    }
    const { objects } = await platform.objects.list('inbox/rejected/')
    expect(objects.filter(({ key }) => !key.endsWith('.reason.txt'))).toHaveLength(names.length)
    expect(objects.filter(({ key }) => key.endsWith('.reason.txt'))).toHaveLength(names.length)
    const kept = await platform.objects.get('inbox/rejected/a/b.md')
    expect(new TextDecoder().decode(kept?.body)).toBe('a/b.md')
    const reason = await platform.objects.get('inbox/rejected/a/b.md.reason.txt')
    expect(new TextDecoder().decode(reason?.body)).toContain('No date.\n(post.date)')
    const texts = await Promise.all(objects.map(({ key }) => platform.objects.get(key)))
    // Whose name cannot stand in a key is named in the text.
    expect(texts.map((text) => new TextDecoder().decode(text?.body)).join()).toContain(
      'It was named "tab\\t.md".',
    )
  })
})
