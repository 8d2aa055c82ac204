import { recordKeys } from '../keys.ts'
import type { Platform, StoredRecord } from '../platform.ts'
import { findIdentities, postIdOf } from './identity.ts'
import type { ParsedPost } from './source/parse-post.ts'
import type { StoredPost } from './stored-post.ts'

/** A source that was read and can become a post. */
export interface Draft {
  /** Its place among all sources of the call. */
  order: number
  parsed: ParsedPost
  /** As it reads at another address than the one it asks for: links within it lead there. */
  parsedAt: (slug: string) => ParsedPost
  source: { bytes: Uint8Array; hash: string; type: string; path?: string }
  /** Hashes of its keys, in the order in which they are looked up. */
  identities: string[]
  /** Its id when it has no key at all. */
  keylessId: string
  /** It has given way to earlier ones of its batch. */
  hasWaited?: boolean
  /** The post that an earlier round made of it. */
  madeId?: string
}

/** Which post a draft is. */
export interface Found {
  id: string
  /** The post as it stands; absent when the draft makes a new one. */
  previous?: StoredRecord<StoredPost>
  /** Those of its keys that lead to this post or to none. The others stay where they lead. */
  identities: string[]
}

/**
 * Finds each draft's post: the first of its keys that leads to an existing post decides, else it is
 * new under the id that its first key gives. With `as`, it is that post whatever its keys say.
 */
export async function findDrafts(
  { records }: Pick<Platform, 'records'>,
  drafts: readonly Draft[],
  {
    as,
    known,
  }: {
    as?: string /** Keys met before that are not stored (dry runs). */
    known?: ReadonlyMap<string, string>
  } = {},
): Promise<Found[]> {
  const hashes = [...new Set(drafts.flatMap((draft) => draft.identities))]
  const targets = await findIdentities({ records }, hashes)
  const leadsTo = new Map(hashes.map((hash, i) => [hash, targets[i] ?? known?.get(hash)]))

  const newIds = drafts.map((draft) => newIdOf(draft))
  const candidates = [...new Set([...leadsTo.values(), ...newIds, as])].filter(
    (id) => id !== undefined,
  )
  const posts = new Map<string, StoredRecord<StoredPost>>()
  const found = await records.getMany<StoredPost>(candidates.map(recordKeys.post))
  for (const record of found) if (record) posts.set(record.value.id, record)
  const planned = new Set(known?.values())
  const exists = (id: string | undefined): id is string =>
    id !== undefined && (posts.has(id) || planned.has(id))

  return Promise.all(
    drafts.map(async (draft, i) => {
      const targetOf = (hash: string) => leadsTo.get(hash)
      let id = as ?? draft.identities.map(targetOf).find(exists)
      let previous = posts.get(id ?? newIds[i] ?? '')
      for (let collisions = 1; id === undefined && isOther(previous, draft); collisions++) {
        newIds[i] = newIdOf(draft, collisions)
        previous = await records.get<StoredPost>(recordKeys.post(newIds[i]))
      }
      id ??= newIds[i] as string
      const identities = draft.identities.filter((hash) => {
        const target = targetOf(hash)
        return target === id || !exists(target)
      })
      return previous ? { id, previous, identities } : { id, identities }
    }),
  )
}

function newIdOf(draft: Draft, collisions = 0): string {
  const [first] = draft.identities
  return first === undefined ? draft.keylessId : postIdOf(first, collisions)
}

/** Another post under the id that the draft's first key gives: 64 bits of a hash can meet. */
function isOther(record: StoredRecord<StoredPost> | undefined, draft: Draft): boolean {
  const [first] = draft.identities
  const own = record?.value.identities
  return first !== undefined && own !== undefined && own.length > 0 && !own.includes(first)
}
