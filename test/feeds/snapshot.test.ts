import { afterEach, describe, expect, it } from 'vitest'
import { readSnapshot } from '../../functions/feeds/snapshot.ts'
import { everything, recordKeys } from '../../functions/keys.ts'
import { datedRecord } from '../../functions/posts/date-index.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { aPost } from './entries.ts'
import { hidePost, storePost } from './stored-posts.ts'

let platform: ScratchPlatform
afterEach(() => platform.close())

async function open(entries = 20) {
  platform = await scratchPlatform({ settings: { feeds: { entries } } })
}

const hour = 3_600_000
const newest = Date.parse('2026-03-01T08:00:00Z')

/** Posts as many hours older than the newest, named for them; stored oldest first. */
async function storeAges(...hours: number[]) {
  await Promise.all(
    hours.map((age) =>
      storePost(platform, {
        id: `age-${age}`,
        published: new Date(newest - age * hour).toISOString().replace('.000Z', 'Z'),
      }),
    ),
  )
}

async function ids(feed = 'town') {
  return (await readSnapshot(platform, feed, 0)).entries.map(({ post }) => post.id)
}

const ages = (...hours: number[]) => hours.map((age) => `age-${age}`)
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

describe('the window of a feed', () => {
  it('has the newest entries, in order, however old they are', async () => {
    await open(3)
    await storeAges(9000, 100, 0, 500, 2000)
    expect(await ids()).toEqual(ages(0, 100, 500))
  })

  it('has everything within 48 hours of the newest, whatever the hour is now', async () => {
    await open(3)
    await storeAges(...range(50), 100)
    platform.setNow('2030-01-01T00:00:00Z')
    expect(await ids()).toEqual(ages(...range(49)))
  })

  it('has at most 200 entries', async () => {
    await open(3)
    await storeAges(...range(230).map((n) => n / 10))
    expect(await ids()).toHaveLength(200)
  })

  it('has at most 1 MB of HTML, and one entry in any case', async () => {
    await open()
    const html = `<p>${'字'.repeat(120_000)}</p>`
    for (const age of [0, 1, 2, 3]) {
      const published = new Date(newest - age * hour).toISOString().replace('.000Z', 'Z')
      await storePost(platform, { id: `age-${age}`, published }, html)
    }
    expect(await ids()).toEqual(ages(0, 1))
    await storePost(platform, { id: 'huge', published: '2026-03-01T09:00:00Z' }, html.repeat(4))
    expect(await ids()).toEqual(['huge'])
  })

  it('looks past rows that no longer stand for their post', async () => {
    await open(2)
    await storeAges(0, 100, 200, 300)
    const hidden = await storePost(platform, { id: 'hidden', published: '2026-03-01T08:30:00Z' })
    await platform.records.put({
      ...recordKeys.post('hidden'),
      value: { ...hidden, state: 'hidden' } as never,
    })
    // It has moved to another day and another category; its old rows are still there.
    await storePost(platform, {
      id: 'age-100',
      categories: ['sport'],
      published: '2026-01-01T00:00:00Z',
    })
    await platform.records.put(datedRecord('town', aPost({ id: 'never-stored' })) as never)
    expect(await ids()).toEqual(ages(0, 200))
    expect(await ids(everything)).toEqual(ages(0, 200))
    expect(await ids('sport')).toEqual(['age-100'])
  })

  it('looks past hundreds of such rows', async () => {
    await open(2)
    for (const i of range(260)) {
      const row = datedRecord('town', aPost({ id: `gone-${i}`, published: '2026-03-01T09:00:00Z' }))
      await platform.records.put(row as never)
    }
    await storeAges(0, 100, 200)
    expect(await ids()).toEqual(ages(0, 100))
  })

  it('does not read the records of an archive', async () => {
    await open(20)
    await storeAges(...range(300).map((n) => n * 50))
    const read: string[] = []
    const records = {
      ...platform.records,
      getMany: (async (keys) => {
        read.push(...keys.map(({ partition }) => partition))
        return platform.records.getMany(keys)
      }) as typeof platform.records.getMany,
    }
    await readSnapshot({ ...platform, records }, 'town', 0)
    expect(read.filter((partition) => partition.startsWith('post:')).length).toBeLessThanOrEqual(25)
  })
})

describe('withdrawn posts', () => {
  async function withdraw(id: string, at: string) {
    const post = await storePost(platform, { id })
    await hidePost(platform, post)
    await platform.records.put({
      ...recordKeys.post(id),
      value: { ...post, state: 'withdrawn', withdrawnAt: at } as never,
    })
    await platform.records.put({
      partition: recordKeys.withdrawn('town'),
      sort: recordKeys.dateIndexSort(at, id),
      value: { id, entryId: post.entryId, slug: post.slug, withdrawnAt: at },
    })
    return post
  }

  it('are named for as long as the settings say, and move the date of the feed', async () => {
    await open()
    await storePost(platform, { id: 'here' })
    await withdraw('gone', '2026-03-02T07:00:00Z')
    await withdraw('long-gone', '2026-01-02T07:00:00Z')
    const snapshot = await readSnapshot(platform, 'town', 0)
    expect(snapshot.withdrawn).toEqual([
      { entryId: 'tag:news.example,2026:gone', at: '2026-03-02T07:00:00Z' },
    ])
    expect(snapshot.updated).toBe('2026-03-02T07:00:00Z')
    platform.setNow('2026-04-02T08:00:00Z')
    expect(await readSnapshot(platform, 'town', 0)).toMatchObject({
      withdrawn: [],
      updated: '2026-03-01T08:00:00Z',
    })
  })

  it('are not named once they are back', async () => {
    await open()
    const post = await withdraw('back', '2026-03-02T07:00:00Z')
    await storePost(platform, post)
    const snapshot = await readSnapshot(platform, 'town', 0)
    expect(snapshot.withdrawn).toEqual([])
    expect(snapshot.entries).toHaveLength(1)
  })
})
