import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { twinned, writeTwin } from './compressed-twin.ts'
import type { RenderedDocument } from './documents.ts'
import { writeVersioned } from './write-versioned.ts'

/** For web servers and edges; readers ask again after five minutes. */
export const feedCacheControl = 'public, max-age=300, stale-while-revalidate=3600'

/** Stores a document of a feed (`writeVersioned`), and its compressed twin where it has one. */
export async function writeDocument(
  platform: Pick<Platform, 'objects' | 'now'>,
  feed: string,
  { document, contentType, body }: RenderedDocument,
  count: number,
  newestCount: () => Promise<number>,
): Promise<void> {
  const key = objectKeys.feed(feed, document)
  const written = { body, contentType, cacheControl: feedCacheControl }
  const version = await writeVersioned(platform, key, written, count, newestCount)
  if (version === undefined || !twinned.includes(document)) return
  await writeTwin(platform, key, { ...written, version })
}
