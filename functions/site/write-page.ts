import { favicon, stylesheet } from '../../templates/assets/stylesheet.ts'
import { assetCacheControl, pageCacheControl } from '../cache-control.ts'
import { writeVersioned } from '../feeds/write-versioned.ts'
import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'

const html = 'text/html; charset=utf-8'

/** Stores a page made from a feed (`writeVersioned`). */
export async function writeFeedPage(
  platform: Pick<Platform, 'objects' | 'now'>,
  path: string,
  page: string,
  count: number,
  newestCount: () => Promise<number>,
): Promise<void> {
  const written = { body: Buffer.from(page), contentType: html, cacheControl: pageCacheControl }
  await writeVersioned(platform, objectKeys.page(path), written, count, newestCount)
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
