import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { feedsBehind, regenerateFeed } from '../../functions/feeds/regenerate.ts'
import type { FeedSnapshot } from '../../functions/feeds/snapshot.ts'
import { documentVersion } from '../../functions/feeds/write-versioned.ts'
import { everything, feedDocuments, objectKeys } from '../../functions/keys.ts'
import type { ObjectStore } from '../../functions/platform.ts'
import { raiseDirty } from '../../functions/posts/dirty.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { freshDocuments, hidePost, storedDocuments, storePost } from './stored-posts.ts'

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
})
afterEach(() => platform.close())

async function stored(feed = 'town', document: (typeof feedDocuments)[number] = 'rss.xml') {
  const found = await platform.objects.get(objectKeys.feed(feed, document))
  if (!found) throw new Error(`no ${document}`)
  return { text: new TextDecoder().decode(found.body), version: documentVersion(found), found }
}

/** The store with every put counted and, if asked, refused. */
function watched(objects: ObjectStore, refuse: (key: string) => boolean = () => false) {
  const puts: string[] = []
  const put: ObjectStore['put'] = async (key, body, options) => {
    if (refuse(key)) throw new Error('disk full')
    puts.push(key)
    return objects.put(key, body, options)
  }
  return { objects: { ...objects, put }, puts }
}

describe('regenerateFeed', () => {
  it('writes the three documents of a category and of everything', async () => {
    await storePost(platform)
    await regenerateFeed(platform, 'town')
    await regenerateFeed(platform, everything)
    for (const feed of ['town', everything]) {
      for (const document of feedDocuments) {
        expect((await stored(feed, document)).text).toContain('A bridge opens')
      }
    }
    expect((await stored('town')).found.contentType).toBe('application/rss+xml; charset=utf-8')
  })

  it('hands one snapshot to the writer of pages, after the documents', async () => {
    await storePost(platform)
    const seen: FeedSnapshot[] = []
    await regenerateFeed(platform, 'town', async (snapshot) => {
      expect(await storedDocuments(platform, 'town')).toHaveProperty('feed\u002ejson')
      seen.push(snapshot)
    })
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({ feed: 'town', dirty: 1, category: { posts: 0 } })
  })

  it('writes nothing when nothing changed, also after a restart and without its cache', async () => {
    await storePost(platform)
    await regenerateFeed(platform, 'town')
    const before = await stored()
    platform.advance(3_600_000)
    await raiseDirty(platform, ['town'])
    await platform.objects.delete(objectKeys.manifest('town'))
    const { objects, puts } = watched(platform.objects)
    await regenerateFeed({ ...platform, objects, records: { ...platform.records } }, 'town')
    expect(puts).toEqual([objectKeys.manifest('town')])
    expect(await stored()).toEqual(before)
    expect(await feedsBehind(platform)).toEqual([everything])
  })

  it('gives the same bytes in an empty folder as in the first one', async () => {
    for (const id of ['a', 'b', 'c']) await storePost(platform, { id, tags: ['x'] })
    await regenerateFeed(platform, 'town')
    const first = await storedDocuments(platform, 'town')
    const other = await scratchPlatform({ now: '2031-01-01T00:00:00Z' })
    for (const id of ['c', 'a', 'b']) await storePost(other, { id, tags: ['x'] })
    await regenerateFeed(other, 'town')
    expect(await storedDocuments(other, 'town')).toEqual(first)
    await other.close()
  })

  it('moves Last-Modified by a second at least with every change of bytes, and never without', async () => {
    await storePost(platform, { id: 'a' })
    await regenerateFeed(platform, 'town')
    const first = await stored()
    // The clock stands still.
    await storePost(platform, { id: 'b' })
    await regenerateFeed(platform, 'town')
    const second = await stored()
    expect(second.version?.changed).toBe((first.version?.changed ?? 0) + 1)
    await raiseDirty(platform, ['town'])
    await regenerateFeed(platform, 'town')
    expect((await stored()).version).toEqual(second.version)
  })

  it('renders a burst of 1,000 changes a handful of times', async () => {
    let renderings = 0
    const count = async () => void renderings++
    const burst = Array.from({ length: 1000 }, async (_, i) => {
      await storePost(platform, { id: `post-${i}`, slug: `post-${i}` })
      await regenerateFeed(platform, 'town', count)
    })
    await Promise.all(burst)
    expect(renderings).toBeLessThanOrEqual(6)
    expect(await storedDocuments(platform, 'town')).toEqual(await freshDocuments(platform, 'town'))
  })

  it('leaves a valid empty feed when the last post has gone', async () => {
    const post = await storePost(platform)
    await regenerateFeed(platform, 'town')
    await hidePost(platform, post)
    await regenerateFeed(platform, 'town')
    const documents = await storedDocuments(platform, 'town')
    expect(documents['rss.xml']).not.toContain('<item>')
    expect(documents['atom.xml']).toContain('<updated>1970-01-01T00:00:00.000Z</updated>')
    expect(JSON.parse(documents['feed.json'] ?? '').items).toEqual([])
  })

  it('fetches only the bodies that it has not kept', async () => {
    for (const id of ['a', 'b', 'c']) await storePost(platform, { id })
    await regenerateFeed(platform, 'town')
    await storePost(platform, { id: 'd' })
    const gets: string[] = []
    const get: ObjectStore['get'] = (key) => {
      gets.push(key)
      return platform.objects.get(key)
    }
    await regenerateFeed({ ...platform, objects: { ...platform.objects, get } }, 'town')
    expect(gets.filter((key) => key.startsWith('posts/'))).toEqual([
      objectKeys.postBody('d', 'revision-of-d'),
    ])
  })

  it.each([
    ['no JSON', 'nonsense{'],
    ['cut off', '{"format":1,"bodies":{"a/revision-of-a":"<p>x'],
    ['another shape', '{"format":1,"bodies":{"a/revision-of-a":7}}'],
    ['another format', '{"format":99,"bodies":{"a/revision-of-a":"<p>WRONG</p>"}}'],
    ['null', 'null'],
    ['an array', '{"format":1,"bodies":["<p>WRONG</p>"]}'],
  ])('makes a manifest anew that is %s', async (_, text) => {
    await storePost(platform, { id: 'a' })
    await platform.objects.put(objectKeys.manifest('town'), new TextEncoder().encode(text), {
      contentType: 'application/json',
    })
    await regenerateFeed(platform, 'town')
    expect((await stored()).text).toContain('After two years.')
    const manifest = await platform.objects.get(objectKeys.manifest('town'))
    expect(JSON.parse(new TextDecoder().decode(manifest?.body)).bodies).toEqual({
      'a/revision-of-a': '<p>After two years.</p>',
    })
  })

  it('leaves out a post that no format can carry, and says so', async () => {
    await storePost(platform, { id: 'good' })
    await storePost(platform, { id: 'bad', entryId: 'no uri at all' })
    await regenerateFeed(platform, 'town')
    const { text } = await stored()
    expect(text).toContain('2026:good')
    expect(text.match(/<item>/g)).toHaveLength(1)
    expect(platform.logged.join()).toContain('entry.id')
  })

  it('is behind until its documents and pages are written', async () => {
    await storePost(platform)
    const { objects } = watched(platform.objects, (key) => key.endsWith('atom.xml'))
    const failing = { ...platform, objects, records: { ...platform.records } }
    await expect(regenerateFeed(failing, 'town')).rejects.toThrow('disk full')
    expect(await feedsBehind(platform)).toContain('town')
    const noPages = regenerateFeed(platform, 'town', async () => {
      throw new Error('no pages')
    })
    await expect(noPages).rejects.toThrow('no pages')
    expect(await feedsBehind(platform)).toContain('town')
    await regenerateFeed(platform, 'town')
    expect(await feedsBehind(platform)).not.toContain('town')
  })

  it('does not let failing attempts pile up in its note', async () => {
    await storePost(platform)
    for (let attempt = 0; attempt < 30; attempt++) {
      platform.advance(180_000)
      await regenerateFeed(platform, 'town', async () => {
        throw new Error('no pages')
      }).catch(() => undefined)
    }
    const note = await platform.records.get({ partition: 'feeds-rendered', sort: 'town' })
    expect(JSON.stringify(note?.value).length).toBeLessThan(300)
  })

  it('replaces documents of a later count than any there is: they were restored from elsewhere', async () => {
    await storePost(platform)
    await platform.objects.put(objectKeys.feed('town', 'rss.xml'), new Uint8Array([60]), {
      contentType: 'application/rss+xml; charset=utf-8',
      version: '900 1800000000',
    })
    await regenerateFeed(platform, 'town')
    const { text, version } = await stored()
    expect(text).toContain('A bridge opens')
    expect(version).toEqual({ count: 1, changed: 1800000001 })
  })
})

describe('feedsBehind', () => {
  it('names the feeds of everything and of configured categories before any post', async () => {
    const fresh = await scratchPlatform({ settings: { categories: { sport: { title: 'Sport' } } } })
    expect(await feedsBehind(fresh)).toEqual([everything, 'sport'])
    for (const feed of await feedsBehind(fresh)) await regenerateFeed(fresh, feed)
    expect(await feedsBehind(fresh)).toEqual([])
    expect((await storedDocuments(fresh, 'sport'))['rss.xml']).toContain('<title>Sport · ')
    await fresh.close()
  })

  it('names all feeds once the configuration says something else of them', async () => {
    await storePost(platform)
    for (const feed of await feedsBehind(platform)) await regenerateFeed(platform, feed)
    expect(await feedsBehind(platform)).toEqual([])
    const site = { ...platform.settings.site, title: 'Another title' }
    const renamed = { ...platform, settings: { ...platform.settings, site } }
    expect(await feedsBehind(renamed)).toEqual([everything, 'town'])
    await regenerateFeed(renamed, 'town')
    expect((await stored()).text).toContain('Another title')
    expect(await feedsBehind(renamed)).toEqual([everything])
  })
})
