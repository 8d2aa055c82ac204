import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type FeedDocument, objectKeys } from '../keys.ts'
import type { Platform, StoredObject } from '../platform.ts'

/**
 * Documents of media types that CloudFront does not compress (docs/decisions/0012); any web server
 * that looks for `.gz` files can use them, too.
 */
export const twinned: readonly FeedDocument[] = ['atom.xml', 'feed.json']

/**
 * Stores a document compressed beside itself, once for each `version` of it. To be called after every
 * write, and also when nothing had to be written: that mends a crash between the two.
 *
 * A twin is never older than its document for good: of writers that overtake each other, only the one
 * whose version the document carries writes it.
 */
export async function writeTwin(
  { objects }: Pick<Platform, 'objects'>,
  key: string,
  document: Pick<StoredObject, 'body' | 'contentType' | 'cacheControl' | 'version'>,
): Promise<void> {
  const { contentType, cacheControl, version } = document
  if (version === undefined) return
  const twin = objectKeys.compressed(key)
  for (let attempt = 0; attempt < 10; attempt++) {
    const stored = await objects.get(twin)
    if (stored?.version === version) return
    if ((await objects.get(key))?.version !== version) return
    const outcome = await objects.put(twin, await promisify(gzip)(document.body, { level: 6 }), {
      contentType,
      contentEncoding: 'gzip',
      version,
      ...(cacheControl === undefined ? {} : { cacheControl }),
      ...(stored ? { ifMatch: stored.etag } : { ifAbsent: true }),
    })
    if (outcome.status === 'stored') return
  }
  throw new Error('the compressed twin of a document is changed by others all the time')
}
