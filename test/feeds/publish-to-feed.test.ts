import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { renderDocuments } from '../../functions/feeds/documents.ts'
import { regenerateFeed } from '../../functions/feeds/regenerate.ts'
import { readSnapshot } from '../../functions/feeds/snapshot.ts'
import { everything } from '../../functions/keys.ts'
import { listCategories } from '../../functions/posts/categories.ts'
import { publishPost } from '../../functions/posts/publish.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { publishPosts } from '../support/publish-posts.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { expectEqualFeeds, readRendered } from './read-feeds.ts'
import { storedDocuments } from './stored-posts.ts'

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
})
afterEach(() => platform.close())

function markdown(text: string, path: string) {
  return { bytes: new TextEncoder().encode(text), contentType: 'text/markdown' as const, path }
}

async function publish(text: string, path = 'bridge.md') {
  const outcome = await publishPost(platform, markdown(text, path), { way: 'publish' })
  if (!('post' in outcome)) throw new Error(outcome.reason)
  for (const feed of [everything, 'town', 'sport']) await regenerateFeed(platform, feed)
  return outcome.post
}

const head = '---\ntitle: A bridge opens\ndate: 2026-03-01 08:00:00\ncategories: [Town]\n---\n'

async function readFeed(feed: string) {
  const snapshot = await readSnapshot(platform, feed, 0)
  const feeds = readRendered(renderDocuments(snapshot, platform.settings))
  expectEqualFeeds(feeds)
  return feeds['feed.json'].entries
}

describe('a post that is published', () => {
  it('stands in the feeds of its category and of everything', async () => {
    await publish(`${head}Two *years*.\n`)
    for (const feed of ['town', everything]) {
      const documents = await storedDocuments(platform, feed)
      for (const text of Object.values(documents)) {
        expect(text).toContain('A bridge opens')
        expect(text).toMatch(/(<|&lt;)em(>|&gt;)years/)
      }
    }
    expect(await storedDocuments(platform, 'sport')).toMatchObject({
      'rss.xml': expect.not.stringContaining('<item>'),
    })
  })

  it('may be older than 1970, and stands behind the younger ones', async () => {
    const of = (day: string) => head.replace('2026-03-01 08:00:00', day).replace('bridge', day)
    await publish(of('1965-05-01'), '1965.md')
    const alone = await storedDocuments(platform, 'town')
    expect(alone['rss.xml']).toContain('<lastBuildDate>Sat, 01 May 1965 00:00:00 GMT<')
    expect(alone['rss.xml']).toContain('<pubDate>Sat, 01 May 1965 00:00:00 GMT<')
    await publish(of('1971-02-03'), '1971.md')
    await publish(of('1901-02-03'), '1901.md')
    expect((await readFeed('town')).map(({ title }) => title)).toEqual([
      'A 1971-02-03 opens',
      'A 1965-05-01 opens',
      'A 1901-02-03 opens',
    ])
  })

  it('keeps its id when it is edited, with a new date of the edit', async () => {
    await publish(`${head}Two years.\n`)
    const [before] = await readFeed('town')
    platform.advance(3_600_000)
    await publish(`${head}Three years.\n`)
    const [after] = await readFeed('town')
    expect(after).toMatchObject({ id: before?.id, published: before?.published })
    expect(after?.content).toContain('Three')
    expect(after?.updated).toBe(platform.now().getTime())
  })

  it('leaves a feed that it no longer belongs to', async () => {
    await publish(`${head}Two years.\n`)
    await publish(`${head.replace('Town', 'Sport')}Two years.\n`)
    expect(await readFeed('town')).toEqual([])
    expect(await readFeed('sport')).toHaveLength(1)
    expect((await storedDocuments(platform, 'town'))['rss.xml']).not.toContain('<item>')
  })

  it('leaves a tombstone in Atom when it is withdrawn', async () => {
    const { id, entryId } = await publish(`${head}Two years.\n`)
    platform.advance(60_000)
    await withdrawPost(platform, id)
    for (const feed of [everything, 'town']) await regenerateFeed(platform, feed)
    for (const feed of [everything, 'town']) {
      const { 'atom.xml': atom, 'rss.xml': rss } = await storedDocuments(platform, feed)
      expect(atom).toContain(`<at:deleted-entry ref="${entryId}" when="2026-03-02T08:01:00.000Z"/>`)
      expect(atom).toContain('<updated>2026-03-02T08:01:00.000Z</updated>')
      expect(rss).not.toContain(entryId)
    }
  })
})

const corpus = fileURLToPath(new URL('../../../shared/corpus', import.meta.url))

describe.skipIf(!existsSync(corpus))('real posts', { timeout: 90_000 }, () => {
  it.each(['finews', 'jekyll', 'rust-blog'])('of %s give equal valid feeds', async (name) => {
    const root = join(corpus, name)
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
      (file) => file.isFile() && /\.(md|markdown|html)$/.test(file.name),
    )
    const outcomes = await publishPosts(
      platform,
      files.map((file) => {
        const path = join(file.parentPath, file.name)
        return { ...markdown('', relative(root, path)), bytes: readFileSync(path) }
      }),
      { way: 'import' },
    )
    const shown = outcomes.filter(({ status }) => status === 'published').length
    expect(shown).toBeGreaterThan(10)
    let entries = 0
    for (const { slug } of [{ slug: everything }, ...(await listCategories(platform))]) {
      const found = await readFeed(slug)
      expect(found.length).toBeGreaterThan(0)
      for (const { link } of found) expect(link).toMatch(/^https?:\/\//)
      entries += found.length
    }
    expect(entries).toBeGreaterThanOrEqual(Math.min(shown, 20))
  })
})
