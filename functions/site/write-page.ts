import { favicon, stylesheet } from '../../templates/assets/stylesheet.ts'
import { documentVersion } from '../feeds/write-document.ts'
import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { assetCacheControl, pageCacheControl } from './cache-control.ts'

const html = 'text/html; charset=utf-8'

/**
 * Stores a page made from a feed, unless the stored one has the same bytes or comes from a later
 * count of the feed's changes.
 *
 * @param newestCount asked when the stored one claims a later count: one above even this was
 * restored from elsewhere, and is replaced.
 */
export async function writeFeedPage(
  { objects, now }: Pick<Platform, 'objects' | 'now'>,
  path: string,
  page: string,
  count: number,
  newestCount: () => Promise<number>,
): Promise<void> {
  const key = objectKeys.page(path)
  const body = Buffer.from(page)
  for (let attempt = 0; attempt < 10; attempt++) {
    const stored = await objects.get(key)
    const version = stored && documentVersion(stored)
    if (version && version.count > count && version.count <= (await newestCount())) return
    if (stored && version && Buffer.compare(stored.body, body) === 0) return
    const changed = Math.max(Math.floor(now().getTime() / 1000), (version?.changed ?? 0) + 1)
    const outcome = await objects.put(key, body, {
      contentType: html,
      cacheControl: pageCacheControl,
      version: `${count} ${changed}`,
      ...(stored ? { ifMatch: stored.etag } : { ifAbsent: true }),
    })
    if (outcome.status === 'stored') return
  }
  throw new Error('a page is changed by others all the time')
}

/** Stores a page that carries no count, if its bytes are new. */
export async function writePage(
  { objects }: Pick<Platform, 'objects'>,
  path: string,
  page: string,
): Promise<void> {
  const key = objectKeys.page(path)
  const body = Buffer.from(page)
  const stored = await objects.get(key)
  if (stored && Buffer.compare(stored.body, body) === 0) return
  await objects.put(key, body, { contentType: html, cacheControl: pageCacheControl })
}

const written = new WeakMap<object, string>()

/** Stores the stylesheet and the icon beside the pages, so that any web server can show them whole. */
export async function writeAssets({
  objects,
  settings,
}: Pick<Platform, 'objects' | 'settings'>): Promise<void> {
  const { css, path } = stylesheet(settings.site.accent)
  if (written.get(objects) === path) return
  await Promise.all([
    objects.put(objectKeys.publicPath(path), Buffer.from(css), {
      contentType: 'text/css; charset=utf-8',
      cacheControl: assetCacheControl,
    }),
    objects.put(objectKeys.publicPath(favicon.path), Buffer.from(favicon.svg), {
      contentType: 'image/svg+xml',
    }),
  ])
  written.set(objects, path)
}
