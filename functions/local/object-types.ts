import { assetCacheControl, pageCacheControl } from '../cache-control.ts'
import { feedDocuments, feedType } from '../keys.ts'

/** What is known of an object by its key alone, so that a folder needs no second file for it. */
export interface DerivedType {
  contentType: string
  cacheControl?: string
}

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
  json: 'application/json',
  opml: 'text/x-opml; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  md: 'text/markdown',
  eml: 'message/rfc822',
}

/** The type and cache rule that an object has unless its own were kept beside it. */
export function typeOfKey(key: string): DerivedType {
  const name = key.slice(key.lastIndexOf('/') + 1)
  if (key.startsWith('public/feeds/')) {
    const document = feedDocuments.find((one) => one === name)
    if (document) return { contentType: feedType(document) }
  }
  const dot = name.lastIndexOf('.')
  const ending = dot < 0 ? '' : name.slice(dot + 1).toLowerCase()
  const contentType = (Object.hasOwn(types, ending) && types[ending]) || 'application/octet-stream'
  if (key.startsWith('public/')) {
    if (ending === 'html') return { contentType, cacheControl: pageCacheControl }
    if (ending === 'css') return { contentType, cacheControl: assetCacheControl }
  }
  return { contentType }
}
