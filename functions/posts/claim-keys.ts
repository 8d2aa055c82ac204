import { recordKeys } from '../keys.ts'
import type { Platform, StoredRecord } from '../platform.ts'
import { claimAddress, releaseAddress } from './addresses.ts'
import { claimIdentities, releaseIdentities } from './identity.ts'
import { getStoredPost, type StoredPost } from './stored-post.ts'

export type ClaimOutcome =
  /**
   * The record as it now stands, perhaps at another address than it asked for and without the keys
   * that another post has (`lost`).
   */
  | { status: 'claimed'; record: StoredRecord<StoredPost>; lost: string[] }
  /** The post was changed meanwhile: read it again. */
  | { status: 'overtaken' }

/**
 * Makes every key and the address of a stored post lead to it. The post's record comes first, so a
 * key that leads nowhere belongs to nobody. Repeatable.
 */
export async function claimKeys(
  { records }: Pick<Platform, 'records'>,
  record: StoredRecord<StoredPost>,
): Promise<ClaimOutcome> {
  const { id, identities = [], wantedSlug, slug: noted } = record.value
  const [lost, slug] = await Promise.all([
    claimIdentities({ records }, id, identities),
    claimAddress({ records }, id, wantedSlug ?? noted),
  ])
  if (lost.length === 0 && slug === noted) return { status: 'claimed', record, lost }
  const own = identities.filter((hash) => !lost.includes(hash))
  const value = { ...record.value, slug, identities: own }
  const outcome = await records.put({ ...record, value }, { ifVersion: record.version })
  return outcome.status === 'stored'
    ? { status: 'claimed', record: { ...record, value, version: outcome.version }, lost }
    : { status: 'overtaken' }
}

/**
 * Removes a post that lost a race for one of its keys before anybody saw it; `false` when a third
 * writer has found and changed it meanwhile. Then it stays, beside the one that has the key: what
 * follows from a post is only ever taken back from one that is there.
 */
export async function giveUpPost(
  { records }: Pick<Platform, 'records'>,
  { value, version }: StoredRecord<StoredPost>,
): Promise<boolean> {
  const outcome = await records.delete(recordKeys.post(value.id), { ifVersion: version })
  if (outcome.status === 'conflict')
    return (await getStoredPost({ records }, value.id)) === undefined
  await Promise.all([
    releaseIdentities({ records }, value.id, value.identities ?? []),
    releaseAddress({ records }, value.id, value.wantedSlug ?? value.slug),
    releaseAddress({ records }, value.id, value.slug),
  ])
  return true
}
