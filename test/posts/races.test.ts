import { describe, expect, it } from 'vitest'
import type { ObjectStore, Platform, RecordStore, StoredObject } from '../../functions/platform.ts'
import { publishDuePosts } from '../../functions/posts/due.ts'
import { readLogHead } from '../../functions/posts/log.ts'
import { publishPost } from '../../functions/posts/publish.ts'
import type { PostSource } from '../../functions/posts/source/parse-post.ts'
import { withdrawPost } from '../../functions/posts/withdraw.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { publishPosts } from '../support/publish-posts.ts'
import { type Actor, type Choice, runStepped } from '../support/stepped-record-store.ts'
import { allPosts, faultsOf } from './consistency.ts'
import { markdown, stored } from './sources.ts'

const publish = { way: 'publish' } as const

/** Objects in a `Map`: enough for what is only ever put, got and listed. */
function mapObjectStore(): ObjectStore {
  const objects = new Map<string, StoredObject>()
  return {
    get: async (key) => objects.get(key),
    put: async (key, body, { contentType }) => {
      objects.set(key, { body, contentType, etag: 'e', lastModified: new Date(0) })
      return { status: 'stored', etag: 'e' }
    },
    delete: async (key) => void objects.delete(key),
    list: async (prefix) => ({
      objects: [...objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .sort()
        .map((key) => ({ key, etag: 'e', size: 0, lastModified: new Date(0) })),
      more: false,
    }),
  }
}

function platformOn(records: RecordStore, objects: ObjectStore, now = '2026-03-02T08:00:00Z') {
  const settings = {
    ...defaultSettings,
    site: { ...defaultSettings.site, baseUrl: 'https://news.example' },
  }
  const jobs = { enqueue: async (all: readonly unknown[]) => all.map((_, i) => `${i}`) }
  return { records, objects, jobs, settings, now: () => new Date(now) } as unknown as Platform
}

const version = (front: object, path = 'a.md') => markdown({ title: 'A', ...front }, { path })
const first = version({ categories: ['a', 'b'], date: '2026-02-01' })

/** Walks many random interleavings of the actors, some of which die and start over; the end must fit together. */
async function walk(
  actorsOf: (objects: ObjectStore) => Actor[],
  check: (platform: Platform) => Promise<void>,
  { walks = 60, kills = 0, seed = 7 } = {},
) {
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  for (let i = 0; i < walks; i++) {
    const objects = mapObjectStore()
    const { store } = await runStepped(
      async (records) => {
        await publishPost(platformOn(records, objects), first, publish)
      },
      actorsOf(objects),
      (choices: Choice[]) => {
        const steps = choices.filter(({ kind }) => kind === 'step')
        const deaths = choices.filter(({ kind }) => kind === 'kill')
        const from = deaths.length > 0 && random() < 0.03 ? deaths : steps
        return from[Math.floor(random() * from.length)]
      },
      { kills },
    )
    const later = platformOn(store, objects, '2026-03-02T08:10:00Z')
    await publishDuePosts(later)
    expect(await faultsOf(later), `walk ${i}`).toEqual([])
    await check(later)
  }
}

const edit =
  (objects: ObjectStore, ...sources: PostSource[]): Actor =>
  async (records) => {
    for (const source of sources) await publishPost(platformOn(records, objects), source, publish)
  }
const withdrawal =
  (objects: ObjectStore): Actor =>
  async (records) => {
    const [post] = (await allPosts({ objects, records })).values()
    await withdrawPost(platformOn(records, objects), post?.id as string)
  }

const everyChange = (objects: ObjectStore) => [
  edit(objects, version({ categories: ['b', 'c'], date: '2026-02-02' })),
  edit(
    objects,
    version({ categories: ['a', 'c'], date: '2026-02-03' }),
    version({ draft: true, categories: ['b'], date: '2026-02-04' }),
  ),
  edit(objects, version({ categories: ['b', 'c'], date: '2026-03-02T08:05:00Z' })),
  withdrawal(objects),
]

describe('writers of one post', () => {
  it('leave rows, counts and the log as the last of them wants it', async () => {
    await walk(everyChange, async (platform) => {
      expect((await allPosts(platform)).size).toBe(1)
      expect((await readLogHead(platform)).last).toBe(1)
    })
  }, 60_000)

  it('do so when they die at any step and repeat', async () => {
    await walk(everyChange, async () => {}, { kills: 3, seed: 11 })
  }, 60_000)

  it('make one post of a path, and one of a shared id, when all are new', async () => {
    const both = (objects: ObjectStore): Actor[] => [
      edit(objects, version({ id: 'x' }, 'p.md')),
      edit(objects, version({ id: 'x', categories: ['c'] }, 'q.md')),
      edit(objects, version({ categories: ['c'] }, 'p.md')),
      async (records) => {
        const two = [version({}, 'p.md'), version({ id: 'x' }, 'r.md')]
        for (const outcome of await publishPosts(platformOn(records, objects), two, publish))
          stored(outcome)
      },
    ]
    await walk(
      both,
      async (platform) => {
        const posts = [...(await allPosts(platform)).values()].filter(({ path }) => path !== 'a.md')
        // `p.md` and the id `x` may have become two posts; a third writer in the same moment may have
        // kept the one that was about to give way.
        expect(posts.length).toBeLessThanOrEqual(3)
      },
      { seed: 3 },
    )
  }, 60_000)
})
