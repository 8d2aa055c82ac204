import { objectKeys } from '../keys.ts'
import type { Platform, StoredObject } from '../platform.ts'
import { twinned, writeTwin } from './compressed-twin.ts'
import type { RenderedDocument } from './documents.ts'

/**
 * What a document carries as its `version`: the count of changes that its rendering read first, and
 * the second in which its bytes last changed. The second is kept here and not by the store, so that
 * it moves by one at least with every change, and never without one: readers that compare only
 * whole seconds would otherwise keep a stale copy.
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

/** For web servers and edges; readers ask again after five minutes. */
export const feedCacheControl = 'public, max-age=300, stale-while-revalidate=3600'

export type WriteOutcome = 'written' | 'unchanged' | 'older'

/**
 * Stores a document of a feed, and its compressed twin where it has one, unless the stored one has
 * the same bytes or comes from a later count.
 *
 * @param newestCount asked when the stored one claims a later count. A count never falls, so a
 * stored one above even this was restored from elsewhere, and is replaced.
 */
export async function writeDocument(
  { objects, now }: Pick<Platform, 'objects' | 'now'>,
  feed: string,
  { document, contentType, body }: RenderedDocument,
  count: number,
  newestCount: () => Promise<number>,
): Promise<WriteOutcome> {
  const key = objectKeys.feed(feed, document)
  const twin = async (version: string | undefined) => {
    if (!twinned.includes(document) || version === undefined) return
    await writeTwin({ objects }, key, {
      body,
      contentType,
      cacheControl: feedCacheControl,
      version,
    })
  }
  for (let attempt = 0; attempt < 10; attempt++) {
    const stored = await objects.get(key)
    const version = stored && documentVersion(stored)
    if (version && version.count > count && version.count <= (await newestCount())) return 'older'
    if (stored && version && Buffer.compare(stored.body, body) === 0) {
      await twin(stored.version)
      return 'unchanged'
    }
    const changed = Math.max(Math.floor(now().getTime() / 1000), (version?.changed ?? 0) + 1)
    const next = `${count} ${changed}`
    const outcome = await objects.put(key, body, {
      contentType,
      cacheControl: feedCacheControl,
      version: next,
      ...(stored ? { ifMatch: stored.etag } : { ifAbsent: true }),
    })
    if (outcome.status === 'stored') {
      await twin(next)
      return 'written'
    }
  }
  throw new Error(`document ${document} of a feed is changed by others all the time`)
}
