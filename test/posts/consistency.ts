import { recordKeys } from '../../functions/keys.ts'
import type { NewRecord, Platform } from '../../functions/platform.ts'
import { countDated, newestDated } from '../../functions/posts/date-index.ts'
import { readLog, readLogHead } from '../../functions/posts/log.ts'
import { getPostBody, sourceKey } from '../../functions/posts/post-body.ts'
import { rowsOf, type StoredPost } from '../../functions/posts/stored-post.ts'

/** Everything that does not fit together in what is stored of posts, in words; empty when all does. */
export async function faultsOf(platform: Platform): Promise<string[]> {
  const { records, objects, settings } = platform
  const faults: string[] = []
  const posts = await allPosts(platform)
  const standing = new Set<string>()
  for (const post of posts.values()) {
    if (post.unfinished) faults.push(`${post.id} is unfinished`)
    for (const row of rowsOf(post, settings.keep)) {
      standing.add(`${row.partition} ${row.sort}`)
      const found = await records.get(row)
      if (!found) faults.push(`${post.id} has no row in ${row.partition}`)
      else if (JSON.stringify(found.value) !== JSON.stringify(row.value)) {
        faults.push(`${post.id} has an old row in ${row.partition}`)
      }
    }
    for (const hash of post.identities ?? []) {
      const target = await records.get<{ postId: string }>(recordKeys.identity(hash))
      if (target?.value.postId !== post.id) faults.push(`a key of ${post.id} leads elsewhere`)
    }
    const slug = await records.get<{ postId: string }>(recordKeys.slug(post.slug))
    if (slug?.value.postId !== post.id) faults.push(`the address of ${post.id} leads elsewhere`)
    if (!(await getPostBody(platform, post))) faults.push(`${post.id} has no body`)
    if (!(await objects.get(sourceKey(post)))) faults.push(`${post.id} has no source`)
    if (post.state === 'visible' && post.number === undefined)
      faults.push(`${post.id} has no number`)
  }

  const partitions = await partitionsOf(posts)
  const rowsIn = new Map<string, number>()
  for (const partition of partitions) {
    const { records: rows } = await records.query(partition)
    rowsIn.set(partition, rows.length)
    for (const row of rows) {
      if (!standing.has(`${partition} ${row.sort}`)) faults.push(`${partition} has a stray row`)
    }
  }
  const counted = await countDated({ records })
  for (const [partition, rows] of rowsIn) {
    if (!partition.startsWith('dated:')) continue
    const count = counted.get(partition.slice('dated:'.length)) ?? 0
    if (count !== rows) faults.push(`${partition} has ${rows} rows and counts ${count}`)
  }

  const { last } = await readLogHead({ records })
  const entries = await readLog({ records }, '*', { after: 0, to: last })
  if (entries.some(({ n }, i) => n !== i + 1)) faults.push('the log has a gap')
  const listed = entries.map(({ postId, again }) => `${postId} ${again}`)
  if (new Set(listed).size < listed.length) faults.push('the log lists a post twice')
  for (const { n, postId, again } of entries) {
    const post = posts.get(postId)
    if (again === 0 && post && post.number !== n) faults.push(`${postId} does not know its number`)
  }
  const notes = await records.query(recordKeys.unfinished)
  if (notes.records.length > 0) faults.push('a batch is noted as unfinished')
  return faults
}

/** All posts, found by their sources. */
export async function allPosts({
  objects,
  records,
}: Pick<Platform, 'objects' | 'records'>): Promise<Map<string, StoredPost>> {
  const { objects: found } = await objects.list('posts/')
  const ids = new Set(found.map(({ key }) => key.slice('posts/'.length).split('.')[0] as string))
  const posts = await records.getMany<StoredPost>([...ids].map(recordKeys.post))
  return new Map(posts.flatMap((post) => (post ? [[post.value.id, post.value] as const] : [])))
}

async function partitionsOf(posts: ReadonlyMap<string, StoredPost>): Promise<string[]> {
  const feeds = new Set(['*', 'a', 'b', 'c', 'news', 'old', 'new'])
  for (const post of posts.values()) for (const slug of post.categories) feeds.add(slug)
  return [
    recordKeys.due,
    ...[...feeds].flatMap((feed) => [recordKeys.dateIndex(feed), recordKeys.withdrawn(feed)]),
  ]
}

/** Titles of a feed's posts, newest first, as readers of it would see them. */
export async function titlesIn(platform: Platform, feed: string): Promise<string[]> {
  const { rows } = await newestDated(platform, feed, { limit: 1000 })
  const posts = await platform.records.getMany<StoredPost>(
    rows.map(({ id }) => recordKeys.post(id)),
  )
  return posts.map((post) => post?.value.title ?? '?')
}

/** Thrown by a process that is dead: nothing it does takes effect any more. */
export class Dead extends Error {}

/**
 * The platform as one process has it that dies before its n-th operation on a store or queue;
 * `operations` counts. With `n` left out it lives.
 */
export function mortal(platform: Platform, n = Number.POSITIVE_INFINITY) {
  const counter = { operations: 0, names: [] as string[] }
  const guard = <T extends object>(port: T, name: string): T =>
    new Proxy(port, {
      get(target, member) {
        const value = Reflect.get(target, member)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          counter.operations++
          counter.names.push(`${name}.${String(member)}`)
          // A batch is many operations, of which a dying process gets some done.
          if (counter.operations > n) return Promise.reject(new Dead())
          if (member === 'putMany' && counter.operations === n) {
            const [all] = args as [NewRecord[]]
            return Reflect.apply(value, target, [all.slice(0, all.length / 2)]).then(() => {
              throw new Dead()
            })
          }
          return Reflect.apply(value, target, args)
        }
      },
    })
  const mortalPlatform: Platform = {
    ...platform,
    objects: guard(platform.objects, 'objects'),
    records: guard(platform.records, 'records'),
    jobs: guard(platform.jobs, 'jobs'),
  }
  return { platform: mortalPlatform, counter }
}
