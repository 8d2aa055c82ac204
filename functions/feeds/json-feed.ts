import { Feed } from 'feed'
import type { Channel } from './channel.ts'
import type { CleanEntry } from './entry.ts'

/**
 * JSON Feed 1.1. `feed` writes version 1.0 with one author an item; extensions replace those
 * members and add the others, so no mark is needed: JSON escapes any clean text.
 */
export function renderJsonFeed(
  channel: Channel,
  entries: readonly CleanEntry[],
  content: 'full' | 'summary',
): string {
  const feed = new Feed({
    title: channel.title,
    description: channel.description,
    link: channel.page,
    feedLinks: { json: channel.self['feed.json'] },
  })
  const add = (name: string, value: unknown) =>
    feed.addExtension({ name, objects: value as Record<string, unknown> })
  add('version', 'https://jsonfeed.org/version/1.1')
  if (channel.language) add('language', channel.language)
  add('authors', [{ name: channel.author }])
  if (channel.hubs.length > 0) {
    add(
      'hubs',
      channel.hubs.map((url) => ({ type: 'WebSub', url })),
    )
  }

  for (const entry of entries) {
    const members: [string, unknown][] = [
      ['summary', entry.summary || undefined],
      // An item must have one of the two contents.
      ['content_text', content === 'summary' ? entry.summary : undefined],
      ['authors', listed(entry.authors.map((name) => ({ name })))],
      ['tags', listed(entry.categories.map(({ name }) => name))],
      ['language', entry.language],
      [
        'attachments',
        listed(
          entry.enclosures.map(({ url, type, length }) => ({
            url,
            mime_type: type,
            ...(length > 0 ? { size_in_bytes: length } : {}),
          })),
        ),
      ],
    ]
    feed.addItem({
      title: entry.title,
      id: entry.id,
      link: entry.link,
      date: entry.updated,
      published: entry.published,
      ...(content === 'full' ? { content: entry.html } : {}),
      ...(entry.image ? { image: entry.image.url } : {}),
      extensions: members
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => ({ name, objects: value as Record<string, unknown> })),
    })
  }
  return feed.json1()
}

function listed<T>(values: T[]): T[] | undefined {
  return values.length > 0 ? values : undefined
}
