import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import type { RecordStore } from '../../functions/platform.ts'
import { type HeadLimits, type LogEntry, readLog, readLogHead } from '../../functions/posts/log.ts'
import type { StoredPost } from '../../functions/posts/stored-post.ts'
import { listInLog } from '../support/list-in-log.ts'
import {
  type Actor,
  type Choice,
  modelRecordStore,
  runStepped,
  searchInterleavings,
  type World,
} from '../support/stepped-record-store.ts'

const item = (postId: string, again = 0) => ({
  postId,
  categories: [postId < 'b' ? 'tech' : 'life'],
  mail: 'digest' as const,
  again,
})

/** Posts as far as the log reads them. */
async function withPosts(store: RecordStore, ids: readonly string[]) {
  for (const id of ids) {
    await store.put({ ...recordKeys.post(id), value: { id, again: 0, categories: [] } })
  }
}

async function numbersOf(store: RecordStore, ids: readonly string[]) {
  const posts = await store.getMany<StoredPost>(ids.map(recordKeys.post))
  return posts.map((post) => post?.value.number)
}

/** Short enough that every listing of a small instance trims. */
const short: HeadLimits = { most: 1, keep: 1, bytes: 100_000 }

describe('the log', () => {
  it('gives numbers in the order of listing, once, and notes them on the posts', async () => {
    const records = modelRecordStore()
    await withPosts(records, ['a', 'b', 'c'])
    await listInLog({ records }, [item('a'), item('b')])
    const numbers = await listInLog({ records }, [item('b'), item('c'), item('a')])
    expect(Object.fromEntries(numbers)).toEqual({ a: 1, b: 2, c: 3 })
    expect(await numbersOf(records, ['a', 'b', 'c'])).toEqual([1, 2, 3])
    expect((await readLogHead({ records })).last).toBe(3)
  })

  it('keeps the head short and every entry readable, by category and all together', async () => {
    const records = modelRecordStore()
    const ids = Array.from({ length: 1300 }, (_, i) => `${i % 2 ? 'a' : 'b'}${i}`)
    await withPosts(records, ids)
    for (let i = 0; i < 300; i++) await listInLog({ records }, [item(ids[i] as string)])
    await listInLog(
      { records },
      ids.slice(300).map((id) => item(id)),
    )
    await listInLog({ records }, [item('b0')])
    const { last, entries } = await readLogHead({ records })
    expect(last).toBe(1300)
    expect(entries.length).toBeLessThanOrEqual(600)
    const all = await readLog({ records }, '*', { after: 0, to: last })
    expect(all.map((entry) => entry.n)).toEqual(ids.map((_, i) => i + 1))
    const tech = await readLog({ records }, 'tech', { after: 10, to: 1299 })
    expect(tech.map((entry) => entry.postId)).toEqual(ids.slice(10, 1299).filter((id) => id < 'b'))
    const some = await readLog({ records }, '*', { after: 5, to: last, limit: 700 })
    expect(some.map((entry) => entry.n)).toEqual(Array.from({ length: 700 }, (_, i) => i + 6))
  })

  it('keeps the head under its bytes when posts have many categories', async () => {
    const records = modelRecordStore()
    const ids = Array.from({ length: 400 }, (_, i) => `p${i}`)
    await withPosts(records, ids)
    const categories = Array.from({ length: 50 }, (_, i) => `${'長'.repeat(30)}-${i}`)
    await listInLog(
      { records },
      ids.map((id) => ({ ...item(id), categories })),
    )
    await listInLog({ records }, [item('p1')])
    const head = await records.get(recordKeys.logHead)
    expect(Buffer.byteLength(JSON.stringify(head))).toBeLessThan(220_000)
    expect((await readLog({ records }, '*', { after: 0, to: 400 })).length).toBe(400)
  })

  it('lists a wish to mail again once, in the rows of everything only', async () => {
    const records = modelRecordStore()
    await withPosts(records, ['a', 'b', 'c'])
    await listInLog({ records }, [item('a'), item('b')])
    await listInLog({ records }, [item('a', 1)])
    await listInLog({ records }, [item('a', 1), item('c')], short)
    await listInLog({ records }, [item('a', 1)], short)
    const all = await readLog({ records }, '*', { after: 0, to: 9 })
    expect(all.map(({ n, postId, again }) => [n, postId, again])).toEqual([
      [1, 'a', 0],
      [2, 'b', 0],
      [3, 'a', 1],
      [4, 'c', 0],
    ])
    expect((await readLog({ records }, 'tech', { after: 0, to: 9 })).map(({ n }) => n)).toEqual([1])
    expect(await numbersOf(records, ['a'])).toEqual([1])
  })

  it('leaves out what has no post', async () => {
    const records = modelRecordStore()
    await withPosts(records, ['a'])
    expect([...(await listInLog({ records }, [item('x'), item('a')]))]).toEqual([['a', 1]])
  })
})

/** Lists posts one batch after the other, each trimming what the others left. */
const writer =
  (...batches: string[][]): Actor =>
  async (records) => {
    const numbers: [string, number][] = []
    for (const batch of batches) {
      const listed = await listInLog(
        { records },
        batch.map((id) => item(id)),
        short,
      )
      numbers.push(...listed)
    }
    return numbers
  }

/** Reads the head, then everything up to it: what a run does that freezes the log's number. */
const reader: Actor = async (records) => {
  const { last } = await readLogHead({ records })
  const entries = await readLog({ records }, '*', { after: 0, to: last })
  const life = await readLog({ records }, 'life', { after: 0, to: last })
  return { last, entries, life }
}

/** What must hold when everything has come to its end, crashed actors repeated. */
async function checkLog({ store, results }: World, ids: readonly string[], writers: number) {
  const { last } = await readLogHead({ records: store })
  expect(last).toBe(ids.length)
  const entries = await readLog({ records: store }, '*', { after: 0, to: last })
  expect(entries.map(({ n }) => n)).toEqual(ids.map((_, i) => i + 1))
  expect(entries.map(({ postId }) => postId).sort()).toEqual([...ids].sort())
  const numberOf = new Map(entries.map(({ postId, n }) => [postId, n]))
  const noted = await numbersOf(store, ids)
  expect(noted).toEqual(ids.map((id) => numberOf.get(id)))
  for (let i = 0; i < writers; i++) {
    for (const [id, n] of results.get(i) as [string, number][]) expect(n).toBe(numberOf.get(id))
  }
  for (const [i, result] of results) {
    if (i < writers) continue
    const seen = result as { last: number; entries: LogEntry[]; life: LogEntry[] }
    expect(seen.entries.map(({ n }) => n)).toEqual(
      Array.from({ length: seen.last }, (_, k) => k + 1),
    )
    expect(seen.life).toEqual(seen.entries.filter(({ categories }) => categories.includes('life')))
    for (const { postId, n } of seen.entries) expect(n).toBe(numberOf.get(postId))
  }
}

describe('the log, at every step', () => {
  it('gives each post one number when two writers list the same posts', async () => {
    const ids = ['a', 'b', 'c']
    const runs = await searchInterleavings(
      (store) => withPosts(store, ids),
      [writer(['a', 'b']), writer(['b', 'c'])],
      (world) => checkLog(world, ids, 2),
      { kills: 1 },
    )
    expect(runs).toBeGreaterThan(100)
  })

  it('gives each post one number when a writer repeats after its entries were trimmed', async () => {
    const ids = ['a', 'b', 'c']
    await searchInterleavings(
      (store) => withPosts(store, ids),
      [writer(['a']), writer(['b'], ['c'])],
      (world) => checkLog(world, ids, 2),
      { kills: 1 },
    )
  })

  it('shows a reader no gap while entries move from the head to rows', async () => {
    const ids = ['a', 'b', 'c']
    await searchInterleavings(
      (store) => withPosts(store, ids),
      [writer(['a'], ['b']), writer(['c']), reader],
      (world) => checkLog(world, ids, 2),
    )
  })

  it('shows a reader no gap when a writer dies at any step and repeats', async () => {
    const ids = ['a', 'b', 'c']
    await searchInterleavings(
      (store) => withPosts(store, ids),
      [writer(['a'], ['b'], ['c']), reader],
      (world) => checkLog(world, ids, 1),
      { kills: 2 },
    )
  })

  it('holds on long random walks of many writers and readers', async () => {
    let seed = 20_260_302
    const random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed / 2 ** 32
    }
    const ids = [...'abcdefghijkl']
    for (let walk = 0; walk < 150; walk++) {
      const some = () => ids.filter(() => random() < 0.5)
      const rest = ids.filter((_, i) => i % 3 === walk % 3)
      const actors = [
        writer(
          some(),
          some(),
          ids.filter((id) => id < 'g'),
        ),
        writer(
          some(),
          rest,
          ids.filter((id) => id >= 'g'),
        ),
        writer(ids),
        reader,
        reader,
      ]
      const world = await runStepped(
        (store) => withPosts(store, ids),
        actors,
        (choices: Choice[]) => {
          const steps = choices.filter(({ kind }) => kind === 'step')
          const kills = choices.filter(({ kind }) => kind === 'kill')
          const from = kills.length > 0 && random() < 0.04 ? kills : steps
          return from[Math.floor(random() * from.length)]
        },
        { kills: 4 },
      )
      await checkLog(world, ids, 3)
    }
  })
})
