import { Feed } from 'feed'
import { startAdditions, withAttributes } from './additions.ts'
import type { Channel } from './channel.ts'
import type { CleanEntry } from './entry.ts'
import { escapePlain, escapeText } from './escape.ts'

// All of them, always: which ones a document uses would otherwise depend on its entries.
const root =
  '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">'

/**
 * RSS 2.0 with the profile of the RSS Board: plain titles, the whole post in `content:encoded`
 * beside its summary, persons as `dc:creator` (RSS itself wants their addresses), the instant of an
 * edit as `atom:updated`.
 */
export function renderRss(
  channel: Channel,
  entries: readonly CleanEntry[],
  content: 'full' | 'summary',
): string {
  const { mark, fill } = startAdditions()
  const plain = (text: string) => ({ _text: mark(escapePlain(text)) })
  const self = channel.self['rss.xml']

  const feed = new Feed({
    title: mark(escapePlain(channel.title)),
    description: mark(escapePlain(channel.description)),
    link: channel.page,
    updated: channel.updated,
    generator: 'Broadsheet',
    docs: 'https://www.rssboard.org/rss-specification',
    ttl: channel.minutesToLive,
    // Gives `atom:link` its place before the items; the extension then replaces it.
    feedLinks: { rss: self },
    ...(channel.language ? { language: channel.language } : {}),
  })
  feed.addExtension({
    name: 'atom:link',
    objects: [
      withAttributes({ href: self, rel: 'self', type: 'application/rss+xml' }),
      ...channel.hubs.map((hub) => withAttributes({ href: hub, rel: 'hub' })),
    ] as never,
  })

  for (const entry of entries) {
    const [first, ...further] = entry.enclosures
    const extensions: [string, unknown][] = [
      ['dc:creator', entry.authors.map(plain)],
      [
        'category',
        entry.categories.map(({ slug, name }) => ({
          ...(slug === undefined ? {} : { _attributes: { domain: channel.scheme } }),
          ...plain(name),
        })),
      ],
      ['dc:language', entry.language],
      // One a post: what most readers play, and all that the RSS Board allows for.
      ['enclosure', first && withAttributes(first)],
      [
        'media:content',
        further.map(({ url, type, length }) =>
          withAttributes({ url, type, ...(length > 0 ? { fileSize: length } : {}) }),
        ),
      ],
      ['media:thumbnail', entry.image && withAttributes(entry.image)],
      ['atom:updated', entry.updated > entry.published ? entry.updated.toISOString() : undefined],
    ]
    feed.addItem({
      title: mark(escapePlain(entry.title)),
      // Text here, which xml-js would decode once; in Atom `feed` passes it through `URL`.
      id: mark(escapeText(entry.id)),
      link: entry.link,
      date: entry.updated,
      published: entry.published,
      // HTML in text: escaped for the one and for the other.
      ...(entry.summary ? { description: mark(escapeText(escapeText(entry.summary))) } : {}),
      ...(content === 'full' ? { content: mark(entry.escapedHtml) } : {}),
      extensions: extensions
        .filter(([, objects]) => objects !== undefined)
        .map(([name, objects]) => ({ name, objects: objects as Record<string, unknown> })),
    })
  }
  const skeleton = feed.rss2().replace(/<rss [^>]*>/, root)
  // A feed that never had a post has no newest change, which Atom must name and RSS need not.
  const isUntouched = channel.updated.getTime() === 0
  return fill(
    isUntouched ? skeleton.replace(/\n *<lastBuildDate>[^<]*<\/lastBuildDate>/, '') : skeleton,
  )
}
