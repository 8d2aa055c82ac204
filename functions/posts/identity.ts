import { createHash, randomBytes } from 'node:crypto'
import { recordKeys } from '../keys.ts'
import type { Platform, StoredRecord } from '../platform.ts'

/** One way of naming a post. `path` is below the root it was published from. */
export interface Identity {
  kind: 'id' | 'path' | 'url'
  value: string
}

/** What an identity's record holds. */
interface IdentityTarget {
  postId: string
}

/** The name under which an identity is stored: 32 hex digits, whatever the length or script of its value. */
export function identityHash({ kind, value }: Identity): string {
  return sha256(`${kind}\n${value}`).slice(0, 32)
}

/**
 * A post's id: 16 hex digits of the hash of the first key that it was known by, so that a repeat
 * after a crash makes the same post. `collisions` counts other posts met under that id.
 */
export function postIdOf(firstIdentity: string, collisions = 0): string {
  return sha256(`post\n${firstIdentity}\n${collisions}`).slice(0, 16)
}

/** The id of a post that has no key at all: always a new one. */
export function randomPostId(): string {
  return randomBytes(8).toString('hex')
}

/**
 * The entry's id in every feed (RFC 4151), fixed at first ingest: a later change of the domain, the
 * date or the address leaves it. `baseUrl` may have any host; what the grammar of an authority does
 * not take (ports, `_`, the brackets and colons of an IPv6 address) is left out or becomes `-`.
 */
export function entryIdOf(baseUrl: string, published: string, postId: string): string {
  const labels = new URL(baseUrl).hostname
    .toLowerCase()
    .replace(/[^a-z0-9.]/g, '-')
    .split('.')
    .map((label) => label.replace(/^-+|-+$/g, ''))
    .filter((label) => label !== '')
  return `tag:${labels.join('.') || 'localhost'},${published.slice(0, 10)}:${postId}`
}

/** Which post each of the hashes leads to, `undefined` where none; in their order. */
export async function findIdentities(
  { records }: Pick<Platform, 'records'>,
  hashes: readonly string[],
): Promise<(string | undefined)[]> {
  if (hashes.length === 0) return []
  const found = await records.getMany<IdentityTarget>(hashes.map(recordKeys.identity))
  return found.map((record) => record?.value.postId)
}

/**
 * Makes each hash lead to the post unless it leads to another one that exists; gives back those that
 * do. A record that leads nowhere (its post was given up before it was finished) is taken over at its
 * version. Repeatable.
 */
export async function claimIdentities(
  { records }: Pick<Platform, 'records'>,
  postId: string,
  hashes: readonly string[],
): Promise<string[]> {
  const lost = await Promise.all(
    hashes.map(async (hash) => {
      const record = { ...recordKeys.identity(hash), value: { postId } satisfies IdentityTarget }
      for (;;) {
        const outcome = await records.put(record, { ifAbsent: true })
        if (outcome.status === 'stored') return undefined
        const holder: StoredRecord<IdentityTarget> | undefined = await records.get(record)
        if (!holder) continue
        const isOwn = holder.value.postId === postId
        if (!isOwn && (await records.get(recordKeys.post(holder.value.postId)))) return hash
        // Its own is written anew too, as somebody may be about to release it.
        const taken = await records.put(record, { ifVersion: holder.version })
        if (taken.status === 'stored') return undefined
      }
    }),
  )
  return lost.filter((hash) => hash !== undefined)
}

/**
 * Takes back what `claimIdentities` made for a post that is gone. Others' records stay, and so do all
 * when the post was made again meanwhile.
 */
export async function releaseIdentities(
  { records }: Pick<Platform, 'records'>,
  postId: string,
  hashes: readonly string[],
): Promise<void> {
  await Promise.all(
    hashes.map(async (hash) => {
      const holder = await records.get<IdentityTarget>(recordKeys.identity(hash))
      if (holder?.value.postId !== postId) return
      if (await records.get(recordKeys.post(postId))) return
      await records.delete(recordKeys.identity(hash), { ifVersion: holder.version })
    }),
  )
}

function sha256(text: string) {
  return createHash('sha256').update(text).digest('hex')
}
