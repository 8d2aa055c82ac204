import type { Platform, StoredObject } from '../platform.ts'

/**
 * What a document or page of a feed carries as its `version`: the count of changes that its
 * rendering read first, and the second in which its bytes last changed. The second is kept here and
 * not by the store, so that it moves by one at least with every change, and never without one:
 * readers that compare only whole seconds would otherwise keep a stale copy.
 */
export interface DocumentVersion {
  count: number
  /** Seconds since 1970. */
  changed: number
}

/** `undefined` for an object whose version was lost with a crash: its bytes may be broken too. */
export function documentVersion({ version }: StoredObject): DocumentVersion | undefined {
  const match = /^(\d{1,15}) (\d{1,12})$/.exec(version ?? '')
  return match ? { count: Number(match[1]), changed: Number(match[2]) } : undefined
}

/**
 * Stores what was rendered from a feed unless the stored one has the same bytes or comes from a
 * later count. Gives back the version of what then lies there with these bytes; `undefined` when a
 * later one does.
 *
 * @param newestCount asked when the stored one claims a later count. A count never falls, so a
 * stored one above even this was restored from elsewhere, and is replaced.
 */
export async function writeVersioned(
  { objects, now }: Pick<Platform, 'objects' | 'now'>,
  key: string,
  { body, ...options }: Pick<StoredObject, 'body' | 'contentType' | 'cacheControl'>,
  count: number,
  newestCount: () => Promise<number>,
): Promise<string | undefined> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const stored = await objects.get(key)
    const known = stored && documentVersion(stored)
    if (known && known.count > count && known.count <= (await newestCount())) return undefined
    if (stored && known && Buffer.compare(stored.body, body) === 0) return stored.version
    const changed = Math.max(Math.floor(now().getTime() / 1000), (known?.changed ?? 0) + 1)
    const version = `${count} ${changed}`
    const outcome = await objects.put(key, body, {
      ...options,
      version,
      ...(stored ? { ifMatch: stored.etag } : { ifAbsent: true }),
    })
    if (outcome.status === 'stored') return version
  }
  throw new Error('a document or page of a feed is changed by others all the time')
}
