import { everything, type FeedDocument, feedDocuments, urlPaths } from '../keys.ts'
import type { Settings } from '../settings/settings.ts'
import type { CleanEntry } from './entry.ts'
import { clean, entryIdentifier, instant, languageTag, line, webAddress } from './guard.ts'
import type { FeedSnapshot } from './snapshot.ts'

/** What a feed says of itself, clean, in all three formats alike. */
export interface Channel {
  title: string
  description: string
  /** Absent when the setting is no language tag. */
  language?: string
  /** The page for people: the category's, or the front page for everything. */
  page: string
  /** The feed's own addresses. */
  self: Record<FeedDocument, string>
  /** WebSub hubs (W3C WebSub §4). */
  hubs: string[]
  author: string
  /** Names the taxonomy that categories are of; an identifier, not a link. */
  scheme: string
  updated: Date
  /** Minutes that a reader may wait between two looks: the usual gap between posts, 5 to 60. */
  minutesToLive: number
  withdrawn: { id: string; at: Date }[]
}

export function cleanChannel(
  snapshot: FeedSnapshot,
  settings: Settings,
  entries: readonly CleanEntry[],
): Channel {
  const { site, feeds } = settings
  const isEverything = snapshot.feed === everything
  const siteTitle = line(site.title) || new URL(site.baseUrl).host
  const name = line(snapshot.category?.title ?? snapshot.feed) || snapshot.feed
  const title = isEverything ? siteTitle : `${name} · ${siteTitle}`
  const language = languageTag(site.language)
  const path = isEverything ? urlPaths.home : urlPaths.category(clean(snapshot.feed))
  const self = Object.fromEntries(
    feedDocuments.map((document) => [document, feedAddress(snapshot.feed, document, settings)]),
  ) as Record<FeedDocument, string>
  return {
    title,
    description: line(snapshot.category?.description ?? site.description) || title,
    ...(language ? { language } : {}),
    page: site.baseUrl + path,
    self,
    hubs: feeds.hubs.flatMap((hub) => webAddress(hub) ?? []),
    author: line(site.author ?? '') || siteTitle,
    scheme: `${site.baseUrl}/categories/`,
    updated: instant(snapshot.updated) ?? new Date(0),
    minutesToLive: usualGap(entries),
    withdrawn: snapshot.withdrawn.flatMap(({ entryId, at }) => {
      const id = entryIdentifier(entryId)
      const when = instant(at)
      return id && when ? [{ id, at: when }] : []
    }),
  }
}

/** The public address of a document of a feed, also as its id in Atom. */
export function feedAddress(feed: string, document: FeedDocument, settings: Settings): string {
  return settings.site.baseUrl + urlPaths.feed(clean(feed), document)
}

/** The median, from the entries alone, so that the same posts give the same bytes. */
function usualGap(entries: readonly CleanEntry[]) {
  const gaps = entries
    .flatMap((entry, index) => {
      const next = entries[index + 1]
      return next ? [(entry.published.getTime() - next.published.getTime()) / 60_000] : []
    })
    .sort((a, b) => a - b)
  const median = gaps[Math.floor(gaps.length / 2)] ?? 60
  return Math.min(60, Math.max(5, Math.round(median)))
}
