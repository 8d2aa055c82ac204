import { Feed } from 'feed'
import { elements, startAdditions, withAttributes } from './additions.ts'
import type { Channel } from './channel.ts'
import type { CleanEntry } from './entry.ts'
import { escapeText } from './escape.ts'

/**
 * Atom 1.0 (RFC 4287). `feed` knows no extensions in this format, and mangles categories and
 * enclosures: those are written here and stand where it would write `rights`. Withdrawn posts
 * follow RFC 6721, whose namespace is declared only when there are any, since validators warn of it.
 */
export function renderAtom(
  channel: Channel,
  entries: readonly CleanEntry[],
  content: 'full' | 'summary',
): string {
  const { mark, fill } = startAdditions()
  const self = channel.self['atom.xml']
  const more = feedElements(channel)
  const feed = new Feed({
    id: mark(escapeText(self)),
    title: mark(escapeText(channel.title)),
    description: mark(escapeText(channel.description)),
    link: channel.page,
    feedLinks: { atom: self },
    author: { name: mark(escapeText(channel.author)) },
    updated: channel.updated,
    generator: 'Broadsheet',
    ...(more ? { copyright: mark(more) } : {}),
  })

  for (const entry of entries) {
    const added = entryElements(entry, channel)
    feed.addItem({
      title: mark(escapeText(escapeText(entry.title))),
      id: entry.id,
      link: entry.link,
      date: entry.updated,
      published: entry.published,
      ...(entry.authors.length > 0
        ? { author: entry.authors.map((name) => ({ name: mark(escapeText(name)) })) }
        : {}),
      // HTML in text: escaped for the one and for the other.
      ...(entry.summary ? { description: mark(escapeText(escapeText(entry.summary))) } : {}),
      ...(content === 'full' ? { content: mark(entry.escapedHtml) } : {}),
      ...(added ? { copyright: mark(added) } : {}),
    })
  }
  // The skeleton holds marks where text belongs, so each `<entry>` in it is one of ours, in order.
  let index = 0
  const skeleton = feed
    .atom1()
    .replace(/<feed [^>]*>/, root(channel))
    .replace(/<entry>/g, (start) => {
      const language = entries[index++]?.language
      return language ? `<entry xml:lang="${language}">` : start
    })
  return fill(skeleton)
}

function root({ language, withdrawn }: Channel) {
  return [
    '<feed xmlns="http://www.w3.org/2005/Atom"',
    ' xmlns:media="http://search.yahoo.com/mrss/"',
    withdrawn.length > 0 ? ' xmlns:at="http://purl.org/atompub/tombstones/1.0"' : '',
    language ? ` xml:lang="${language}"` : '',
    '>',
  ].join('')
}

function feedElements({ hubs, withdrawn }: Channel) {
  return elements(
    {
      link: hubs.map((href) => withAttributes({ rel: 'hub', href })),
      'at:deleted-entry': withdrawn.map(({ id, at }) =>
        withAttributes({ ref: id, when: at.toISOString() }),
      ),
    },
    1,
  )
}

function entryElements(entry: CleanEntry, { scheme }: Channel) {
  return elements(
    {
      category: entry.categories.map(({ slug, name }) =>
        withAttributes(
          slug === undefined ? { term: name, label: name } : { term: slug, scheme, label: name },
        ),
      ),
      link: entry.enclosures.map(({ url, type, length }) =>
        withAttributes({ rel: 'enclosure', href: url, type, ...(length > 0 ? { length } : {}) }),
      ),
      'media:thumbnail': entry.image ? [withAttributes(entry.image)] : [],
    },
    2,
  )
}
