import { everything, type FeedDocument, feedDocuments, urlPaths } from '../keys.ts'
import { currentSlug } from '../posts/categories.ts'
import type { Settings } from '../settings/settings.ts'

/** Where other programs keep the feed of a whole site, each in its own format. */
const usual: Record<string, FeedDocument> = {
  // jekyll-feed's is Atom, Hugo's `index.xml` and WordPress's `feed/` are RSS.
  '/feed.xml': 'atom.xml',
  '/feed/': 'rss.xml',
  '/feed': 'rss.xml',
  '/rss.xml': 'rss.xml',
  '/index.xml': 'rss.xml',
  '/atom.xml': 'atom.xml',
  '/feed.json': 'feed.json',
}

/**
 * Old paths of feeds (decoded, composed) and the paths that they lead to for ever: those of
 * `feeds.redirects`, and where they leave one free the usual ones of other programs.
 */
export function oldAddresses(settings: Settings): ReadonlyMap<string, string> {
  const addresses = new Map(
    Object.entries(usual).map(([path, document]) => [path, urlPaths.feed(everything, document)]),
  )
  for (const [from, to] of Object.entries(settings.feeds.redirects)) {
    const path = decodePath(from) ?? from
    addresses.set(path, feedPath(to, path, settings))
  }
  return addresses
}

/** A path as people write it: percent-encoding undone, composed; `undefined` when it is malformed. */
export function decodePath(path: string): string | undefined {
  try {
    return decodeURI(path).normalize('NFC')
  } catch {
    return undefined
  }
}

/** The path of a feed named as `*`, `slug` or `slug/atom.xml`; without a document, one like the old. */
function feedPath(to: string, from: string, settings: Settings) {
  const at = to.lastIndexOf('/')
  const named = feedDocuments.find((document) => to.slice(at + 1) === document)
  const feed = (named ? to.slice(0, at) : to).normalize('NFC')
  const alike = from.endsWith('.json') ? 'feed.json' : /atom/i.test(from) ? 'atom.xml' : 'rss.xml'
  return urlPaths.feed(feed === everything ? feed : currentSlug(settings, feed), named ?? alike)
}
