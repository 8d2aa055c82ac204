import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeLetter } from '../../functions/digests/letters/compose-letter.ts'
import { renderDocuments } from '../../functions/feeds/documents.ts'
import { readSnapshot } from '../../functions/feeds/snapshot.ts'
import { everything, objectKeys, urlPaths } from '../../functions/keys.ts'
import type { Platform } from '../../functions/platform.ts'
import { getPost, type Post } from '../../functions/posts/post.ts'
import { postAnswer } from '../../functions/posts/post-answer.ts'
import { getPostBody, storePostObjects } from '../../functions/posts/post-body.ts'
import { publishPost } from '../../functions/posts/publish.ts'
import { feedPagesOf, writePostPages } from '../../functions/site/write-pages.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { stored } from './sources.ts'

const source = {
  path: '_posts/2026-03-01-quay.md',
  contentType: 'text/markdown' as const,
  bytes: new TextEncoder().encode(
    [
      '---\ntitle: The quay\ndate: 2026-03-01 08:00:00\ncategories: [town]\nimage: /quay.jpg\n---',
      'Read [on](/subscribe), [the crane]({% post_url 2026-02-01-the-crane %}) and the note[^1].',
      '![Crane](crane.jpg) As [they said](https://old.example/posts/quay/) elsewhere.',
      '',
      'Also at {% post_url 2026-02-01-the-crane %} in words.',
      '',
      '[^1]: A note.',
    ].join('\n'),
  ),
}

let platform: ScratchPlatform
let moved: Platform
beforeEach(async () => {
  platform = await scratchPlatform({ settings: { site: { baseUrl: 'http://127.0.0.1:8787' } } })
  const { settings } = platform
  moved = {
    ...platform,
    settings: { ...settings, site: { ...settings.site, baseUrl: 'https://new.example' } },
  }
})
afterEach(() => platform.close())

async function publish(at: Platform) {
  return stored(await publishPost(at, source, { way: 'import' }))
}

/** Whatever shows the post, as one text each. */
async function everythingShown(at: Platform, post: Post): Promise<Record<string, string>> {
  const snapshot = await readSnapshot(at, everything, 0)
  const texts: Record<string, string> = {}
  for (const { document, body } of renderDocuments(snapshot, at.settings).documents) {
    texts[document] = new TextDecoder().decode(body)
  }
  for (const { path, html } of await feedPagesOf(at, snapshot)) texts[path] = html
  await writePostPages(at, [post.id])
  const path = urlPaths.post(post.slug)
  const page = await at.objects.get(objectKeys.page(path))
  texts[path] = new TextDecoder().decode(page?.body)
  const letter = await writeLetter(at, post, 'en', new Map())
  Object.assign(texts, { 'letter.html': letter.html, 'letter.txt': letter.text })
  texts.answer = JSON.stringify(postAnswer(at.settings, post, await getPostBody(at, post)))
  return texts
}

describe('after the address of the site has changed', () => {
  it('every link of a post that leads to the site leads to the new one', async () => {
    const { post } = await publish(platform)
    const before = await everythingShown(platform, post)
    const after = await everythingShown(moved, post)
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort())
    for (const [name, text] of Object.entries(after)) {
      expect([name, text.match(/.{0,40}(?<!tag:)(127\.0\.0\.1|this-site).*/g)]).toEqual([
        name,
        null,
      ])
    }
    for (const name of ['rss.xml', 'atom.xml', 'feed.json', 'letter.html', 'letter.txt'] as const) {
      for (const path of ['/subscribe', '/posts/the-crane/']) {
        expect(before[name]).toContain(`http://127.0.0.1:8787${path}`)
        expect(after[name]).toContain(`https://new.example${path}`)
      }
    }
    expect(after[urlPaths.post(post.slug)]).toContain('https://new.example/posts/quay/#post-fn1')
    expect(after['feed.json']).toContain('https://new.example/quay.jpg')
    expect(after.answer).toContain('https://new.example/posts/quay/crane.jpg')
    // In words that are cut to a length stands the path alone, as Jekyll writes it.
    expect(post.summary).toContain('Also at /posts/the-crane/ in words.')
    // What the author wrote out stays.
    expect(after['rss.xml']).toContain('https://old.example/posts/quay/')
  })

  it('the same source is the same post, unchanged', async () => {
    const { post } = await publish(platform)
    const again = await publish(moved)
    expect(again.status).toBe('unchanged')
    expect((await getPost(moved, post.id))?.value).toEqual(post)
  })

  it('a body that was stored with whole addresses is shown as it is', async () => {
    const { post } = await publish(platform)
    const body = { html: '<p><a href="http://127.0.0.1:8787/x">x</a></p>', text: 'x' }
    await storePostObjects(platform, post, { source: source.bytes, body })
    expect(await getPostBody(moved, post)).toEqual(body)
  })
})
