import { XMLValidator } from 'fast-xml-parser'
import { parseAtomFeed, parseJsonFeed, parseRssFeed } from 'feedsmith'
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5'
import { expect } from 'vitest'
import type { Rendering } from '../../functions/feeds/documents.ts'
import type { FeedDocument } from '../../functions/keys.ts'

/** A feed as an independent parser reads it. */
export interface ReadFeed {
  title: string
  entries: ReadEntry[]
}

export interface ReadEntry {
  id: string
  title: string
  link: string
  published: number
  updated: number
  /** The text of summary and content, as a browser shows it. */
  summary: string
  content: string
  categories: string[]
  authors: string[]
  enclosures: string[]
}

/** The three documents as feedsmith reads them; each must be well-formed to fast-xml-parser too. */
export function readRendered(rendering: Rendering): Record<FeedDocument, ReadFeed> {
  expect(rendering.faults).toEqual([])
  const texts = new Map(
    rendering.documents.map(({ document, body }) => [
      document,
      new TextDecoder('utf-8', { fatal: true }).decode(body),
    ]),
  )
  const rss = texts.get('rss.xml') ?? ''
  const atom = texts.get('atom.xml') ?? ''
  for (const xml of [rss, atom]) expect(XMLValidator.validate(xml)).toBe(true)
  return {
    'rss.xml': readRss(parseRssFeed(rss) as Rss),
    'atom.xml': readAtom(parseAtomFeed(atom)),
    'feed.json': readJson(parseJsonFeed(texts.get('feed.json') ?? '')),
  }
}

/** The same ids, titles, dates and texts, in the same order, in all three. */
export function expectEqualFeeds(feeds: Record<FeedDocument, ReadFeed>) {
  const { entries, title } = feeds['feed.json']
  expect(feeds['atom.xml']).toEqual({ title, entries })
  // RSS holds one enclosure; further ones are media content.
  const asRss = entries.map((entry) => ({ ...entry, enclosures: entry.enclosures.slice(0, 1) }))
  expect(feeds['rss.xml']).toEqual({ title, entries: asRss })
}

/** The members of feedsmith's result that are looked at. */
interface Rss {
  title?: string
  items?: {
    guid?: { value?: string }
    title?: string
    link?: string
    pubDate?: string
    description?: string
    categories?: { name?: string }[]
    enclosures?: { url?: string }[]
    atom?: { updated?: string }
    content?: { encoded?: string }
    dc?: { creators?: string[] }
  }[]
}

function readRss(feed: Rss): ReadFeed {
  return {
    title: feed.title ?? '',
    entries: (feed.items ?? []).map((item) => ({
      id: item.guid?.value ?? '',
      title: item.title ?? '',
      link: item.link ?? '',
      published: dateOf(item.pubDate),
      updated: dateOf(item.atom?.updated ?? item.pubDate),
      summary: textOf(item.description),
      content: item.content?.encoded ?? '',
      categories: (item.categories ?? []).map(({ name }) => name ?? ''),
      authors: item.dc?.creators ?? [],
      enclosures: (item.enclosures ?? []).map(({ url }) => url ?? ''),
    })),
  }
}

function readAtom(feed: ReturnType<typeof parseAtomFeed>): ReadFeed {
  const hrefs = (links: { rel?: string; href?: string }[] | undefined, rel?: string) =>
    (links ?? []).filter((link) => link.rel === rel).map(({ href }) => href ?? '')
  return {
    title: feed.title?.value ?? '',
    entries: (feed.entries ?? []).map((entry) => ({
      id: entry.id ?? '',
      title: textOf(entry.title?.value),
      link: hrefs(entry.links)[0] ?? '',
      published: dateOf(entry.published),
      updated: dateOf(entry.updated),
      summary: textOf(entry.summary?.value),
      content: entry.content?.value ?? '',
      categories: (entry.categories ?? []).map(({ label }) => label ?? ''),
      authors: (entry.authors ?? []).map(({ name }) => name ?? ''),
      enclosures: hrefs(entry.links, 'enclosure'),
    })),
  }
}

function readJson(feed: ReturnType<typeof parseJsonFeed>): ReadFeed {
  return {
    title: feed.title ?? '',
    entries: (feed.items ?? []).map((item) => ({
      id: item.id ?? '',
      title: item.title ?? '',
      link: item.url ?? '',
      published: dateOf(item.date_published),
      updated: dateOf(item.date_modified),
      summary: item.summary ?? '',
      content: item.content_html ?? '',
      categories: item.tags ?? [],
      authors: (item.authors ?? []).map(({ name }) => name ?? ''),
      enclosures: (item.attachments ?? []).map(({ url }) => url ?? ''),
    })),
  }
}

function dateOf(date: unknown): number {
  return Date.parse(String(date))
}

/** What a browser shows of HTML. */
function textOf(html = ''): string {
  const text = (node: DefaultTreeAdapterTypes.Node): string =>
    'value' in node ? node.value : 'childNodes' in node ? node.childNodes.map(text).join('') : ''
  return text(parseFragment(html))
}
