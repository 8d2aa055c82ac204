import { type FeedDocument, feedType } from '../keys.ts'
import type { Settings } from '../settings/settings.ts'
import { renderAtom } from './atom.ts'
import { type Channel, cleanChannel } from './channel.ts'
import { type CleanEntry, cleanEntry } from './entry.ts'
import { renderJsonFeed } from './json-feed.ts'
import { renderRss } from './rss.ts'
import type { FeedSnapshot } from './snapshot.ts'
import { findXmlFault } from './well-formed.ts'

export interface RenderedDocument {
  document: FeedDocument
  contentType: string
  body: Uint8Array
}

export interface Rendering {
  /** Those that passed the check: at best all three. */
  documents: RenderedDocument[]
  /** Documents that failed it and must not replace the last good ones. */
  faults: { document: FeedDocument; fault: unknown }[]
  /** Entries that no format can carry and that all three leave out. */
  refused: { postId: string; code: string; reason: string }[]
}

type Renderer = (
  channel: Channel,
  entries: readonly CleanEntry[],
  content: 'full' | 'summary',
) => string

const renderers: Record<FeedDocument, Renderer> = {
  'rss.xml': renderRss,
  'atom.xml': renderAtom,
  'feed.json': renderJsonFeed,
}

/**
 * The three documents of a feed, a pure function of what it is given: the same posts and settings
 * give the same bytes. Each is checked, so that a fault here or in a library costs at most one
 * change and never a feed.
 */
export function renderDocuments(snapshot: FeedSnapshot, settings: Settings): Rendering {
  const refused: Rendering['refused'] = []
  const entries: CleanEntry[] = []
  const seen = new Set<string>()
  for (const feedEntry of snapshot.entries) {
    const outcome = cleanEntry(feedEntry, settings, snapshot.categoryTitles)
    if (outcome.status === 'refused') {
      refused.push({ postId: feedEntry.post.id, code: outcome.code, reason: outcome.reason })
    } else if (seen.has(outcome.entry.id)) {
      refused.push({
        postId: feedEntry.post.id,
        code: 'entry.double',
        reason: 'Another entry of this feed has the same id.',
      })
    } else {
      seen.add(outcome.entry.id)
      entries.push(outcome.entry)
    }
  }

  const channel = cleanChannel(snapshot, settings, entries)
  const ids = entries.map(({ id }) => id)
  const rendering: Rendering = { documents: [], faults: [], refused }
  for (const [name, render] of Object.entries(renderers)) {
    const document = name as FeedDocument
    try {
      const text = render(channel, entries, settings.feeds.content)
      const fault = document === 'feed.json' ? findJsonFault(text, ids) : findFault(text, ids)
      if (fault) throw new Error(fault)
      rendering.documents.push({
        document,
        contentType: feedType(document),
        body: new TextEncoder().encode(text),
      })
    } catch (fault) {
      rendering.faults.push({ document, fault })
    }
  }
  return rendering
}

const xmlId =
  /<guid isPermaLink="false">([^<]*)<\/guid>|<entry[^>]*>\s*<title[^>]*>[^<]*<\/title>\s*<id>([^<]*)<\/id>/g

/** Bodies are escaped, so a tag found in the text is an element of the feed. */
function findFault(xml: string, ids: readonly string[]) {
  const found = [...xml.matchAll(xmlId)].map(([, guid, id]) => decode(guid ?? id ?? ''))
  return findXmlFault(xml) ?? findIdFault(found, ids)
}

function decode(text: string) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

function findJsonFault(text: string, ids: readonly string[]) {
  const { items } = JSON.parse(text) as { items: { id: string }[] }
  return findIdFault(
    items.map(({ id }) => id),
    ids,
  )
}

function findIdFault(found: readonly string[], expected: readonly string[]) {
  return found.length === expected.length && found.every((id, index) => id === expected[index])
    ? undefined
    : 'its entries are not the ones that it was rendered from'
}
