import type { FeedDocument } from '../keys.ts'

/** The media type of each document. */
export const contentTypes: Record<FeedDocument, string> = {
  'rss.xml': 'application/rss+xml; charset=utf-8',
  'atom.xml': 'application/atom+xml; charset=utf-8',
  'feed.json': 'application/feed+json; charset=utf-8',
}
