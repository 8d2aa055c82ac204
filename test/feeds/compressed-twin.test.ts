import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { twinned } from '../../functions/feeds/compressed-twin.ts'
import { regenerateFeed } from '../../functions/feeds/regenerate.ts'
import { writeDocument } from '../../functions/feeds/write-document.ts'
import { feedDocuments, objectKeys } from '../../functions/keys.ts'
import type { ObjectStore } from '../../functions/platform.ts'
import { raiseDirty } from '../../functions/posts/dirty.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { storePost } from './stored-posts.ts'

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
})
afterEach(() => platform.close())

const keyOf = (document: (typeof feedDocuments)[number]) => objectKeys.feed('town', document)

async function expectTwins() {
  for (const document of twinned) {
    const plain = await platform.objects.get(keyOf(document))
    const twin = await platform.objects.get(objectKeys.compressed(keyOf(document)))
    expect(plain).toBeDefined()
    expect(gunzipSync(twin?.body ?? '').toString()).toBe(Buffer.from(plain?.body ?? '').toString())
    expect(twin).toMatchObject({
      contentType: plain?.contentType,
      cacheControl: plain?.cacheControl,
      version: plain?.version,
    })
  }
}

async function change(title: string, objects: ObjectStore = platform.objects) {
  await storePost(platform, { id: title, title })
  await regenerateFeed({ ...platform, objects }, 'town')
}

const write = (text: string, count: number, objects = platform.objects) =>
  writeDocument(
    { objects, now: platform.now },
    'town',
    {
      document: 'feed.json',
      contentType: 'application/feed+json',
      body: new TextEncoder().encode(text),
    },
    count,
    async () => 12,
  )

describe('the compressed twin of a document', () => {
  it('says what the document says, after every change', async () => {
    for (const title of ['One', 'Two', 'Three']) {
      await change(title)
      await expectTwins()
    }
    const others = feedDocuments.filter((document) => !twinned.includes(document))
    for (const document of others) {
      expect(await platform.objects.get(objectKeys.compressed(keyOf(document)))).toBeUndefined()
    }
  })

  it('follows when a crash came between the two, with the rendering that is done again', async () => {
    await change('One')
    let isCrashing = true
    const put: ObjectStore['put'] = async (key, body, options) => {
      if (isCrashing && key.endsWith('.gz')) throw new Error('power cut')
      return platform.objects.put(key, body, options)
    }
    const objects = { ...platform.objects, put }
    await expect(change('Two', objects)).rejects.toThrow('power cut')
    isCrashing = false
    await regenerateFeed({ ...platform, objects }, 'town')
    await expectTwins()
  })

  it('is made again when it is lost', async () => {
    await change('One')
    for (const document of twinned) {
      await platform.objects.delete(objectKeys.compressed(keyOf(document)))
    }
    await raiseDirty(platform, ['town'])
    await regenerateFeed(platform, 'town')
    await expectTwins()
  })

  it('is not written by one whom a newer writer overtook', async () => {
    await change('One')
    // Between the slow writer's document and its twin, another one does both.
    let isFirst = true
    const put: ObjectStore['put'] = async (key, bytes, options) => {
      const outcome = await platform.objects.put(key, bytes, options)
      if (isFirst) {
        isFirst = false
        await write('newer', 12)
      }
      return outcome
    }
    await write('older', 11, { ...platform.objects, put })
    const twin = await platform.objects.get(objectKeys.compressed(keyOf('feed.json')))
    expect(gunzipSync(twin?.body ?? '').toString()).toBe('newer')
  })

  it('is overtaken also at its very last step', async () => {
    await change('One')
    let isFirst = true
    const put: ObjectStore['put'] = async (key, bytes, options) => {
      if (isFirst && key.endsWith('.gz')) {
        isFirst = false
        await write('newer', 12)
      }
      return platform.objects.put(key, bytes, options)
    }
    await write('older', 11, { ...platform.objects, put })
    const twin = await platform.objects.get(objectKeys.compressed(keyOf('feed.json')))
    expect(gunzipSync(twin?.body ?? '').toString()).toBe('newer')
  })
})
