import type { FeedEntry } from '../../functions/feeds/entry.ts'
import type { FeedSnapshot } from '../../functions/feeds/snapshot.ts'
import type { Post } from '../../functions/posts/post.ts'
import { defaultSettings, type Settings } from '../../functions/settings/settings.ts'

/** Settings of a small site at `https://news.example`. */
export function someSettings(feeds: Partial<Settings['feeds']> = {}): Settings {
  return {
    ...defaultSettings,
    site: {
      ...defaultSettings.site,
      title: 'The Gazette',
      description: 'News of the town.',
      baseUrl: 'https://news.example',
    },
    feeds: { ...defaultSettings.feeds, ...feeds },
  }
}

/** A visible post. Its id, slug and entry id are made of `id` unless given. */
export function aPost(over: Partial<Post> = {}): Post {
  const { id = 'post-1' } = over
  return {
    id,
    entryId: `tag:news.example,2026:${id}`,
    slug: id,
    title: 'A bridge opens',
    published: '2026-03-01T08:00:00Z',
    updated: over.published ?? '2026-03-01T08:00:00Z',
    categories: ['town'],
    tags: [],
    authors: ['Ada Lane'],
    summary: 'After two years the bridge is open.',
    enclosures: [],
    state: 'visible',
    again: 0,
    mailed: true,
    firstSeen: '2026-03-01T08:00:00Z',
    revision: `revision-of-${id}`,
    sourceHash: 'source',
    sourceType: 'text/markdown',
    ...over,
  }
}

export function anEntry(over: Partial<Post> = {}, html = '<p>After two years.</p>'): FeedEntry {
  return { post: aPost(over), html }
}

/** A snapshot of the category `town` with these entries. */
export function aSnapshot(entries: FeedEntry[], over: Partial<FeedSnapshot> = {}): FeedSnapshot {
  return {
    feed: 'town',
    category: { slug: 'town', title: 'Town hall', posts: entries.length },
    entries,
    categoryTitles: new Map([['town', 'Town hall']]),
    withdrawn: [],
    hasMore: false,
    dirty: 1,
    updated: entries
      .map(({ post }) => post.updated)
      .reduce((a, b) => (a > b ? a : b), '1970-01-01T00:00:00.000Z'),
    ...over,
  }
}
