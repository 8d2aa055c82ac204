import { allRecords } from '../all-records.ts'
import { everything, recordKeys } from '../keys.ts'
import type { Platform, RecordStore } from '../platform.ts'
import { dirtyCount } from '../posts/dirty.ts'
import { renderDocuments } from './documents.ts'
import { closeRendering, isBehind, lookOf, openRendering, type RenderNote } from './render-note.ts'
import { type FeedSnapshot, readSnapshot } from './snapshot.ts'
import { writeDocument } from './write-document.ts'

type Parts = Pick<Platform, 'records' | 'objects' | 'settings' | 'now' | 'log' | 'jobs' | 'version'>

/** Rounds of one call: with a few dozen milliseconds each, well within what a job may take. */
const mostRounds = 100

/**
 * Renders the documents of a feed (a category's slug, or `*`) while it is behind its changes; then
 * `onRendered` writes its pages from the same snapshot. Repeating it writes nothing. Any number may
 * run at once, anywhere: a newer document is never replaced by an older one.
 *
 * In one process the calls for a feed follow each other, so that a burst of changes is rendered a
 * handful of times and each call ends only when its change is visible.
 */
export async function regenerateFeed(
  platform: Parts,
  feed: string,
  onRendered?: (snapshot: FeedSnapshot) => Promise<void>,
): Promise<void> {
  return inTurn(platform.records, feed, () => renderWhileBehind(platform, feed, onRendered))
}

async function renderWhileBehind(
  platform: Parts,
  feed: string,
  onRendered?: (snapshot: FeedSnapshot) => Promise<void>,
): Promise<void> {
  const look = lookOf(platform)
  let token: string | undefined
  for (let round = 0; round < mostRounds; round++) {
    // The count comes first: a change that is missed below then has a count that is missed too.
    const count = await dirtyCount(platform, feed)
    const note = (await platform.records.get<RenderNote>(recordKeys.rendered(feed)))?.value
    if (token === undefined && !isBehind(note, count, look, platform.now())) return

    const mine = await openRendering(platform, feed, count, token)
    const snapshot = await readSnapshot(platform, feed, count)
    await writeDocuments(platform, snapshot)
    await onRendered?.(snapshot)
    const outcome = await closeRendering(platform, feed, mine, count, look)
    token = outcome === 'again' ? mine : undefined
  }
  await platform.jobs.enqueue([{ kind: 'regenerate', feed }])
}

/** A document that fails its check is left as it was last good, and the others go on. */
async function writeDocuments(platform: Parts, snapshot: FeedSnapshot): Promise<void> {
  const { feed, dirty } = snapshot
  const { documents, faults, refused } = renderDocuments(snapshot, platform.settings)
  for (const { document, fault } of faults) {
    platform.log.error('feed.document-refused', fault, { feed, document })
  }
  for (const { postId, code, reason } of refused) {
    platform.log.warn('feed.entry-refused', { feed, postId, code, reason })
  }
  await Promise.all(
    documents.map((document) =>
      writeDocument(platform, feed, document, dirty, () => dirtyCount(platform, feed)),
    ),
  )
}

/**
 * Feeds whose documents and pages are behind their changes or behind the configuration; those of
 * everything and of configured categories also before they have any post.
 */
export async function feedsBehind(
  platform: Pick<Platform, 'records' | 'settings' | 'now' | 'version'>,
): Promise<string[]> {
  const look = lookOf(platform)
  const [dirty, notes] = await Promise.all([
    readAll<{ count: number }>(platform, recordKeys.dirtyFeeds),
    readAll<RenderNote>(platform, recordKeys.renderedFeeds),
  ])
  const configured = Object.keys(platform.settings.categories)
  const feeds = new Set([everything, ...configured, ...dirty.keys(), ...notes.keys()])
  return [...feeds].filter((feed) =>
    isBehind(notes.get(feed), dirty.get(feed)?.count ?? 0, look, platform.now()),
  )
}

async function readAll<T>(
  platform: Pick<Platform, 'records'>,
  partition: string,
): Promise<Map<string, T>> {
  const rows = await Array.fromAsync(allRecords<T>(platform, partition))
  return new Map(rows.map(({ sort, value }) => [sort, value]))
}

const turns = new WeakMap<RecordStore, Map<string, Promise<void>>>()

/** Runs after whatever runs for the same feed in this process, however that ended. */
function inTurn(records: RecordStore, feed: string, work: () => Promise<void>): Promise<void> {
  const feeds = turns.get(records) ?? new Map<string, Promise<void>>()
  turns.set(records, feeds)
  const turn = (feeds.get(feed) ?? Promise.resolve()).then(work, work)
  feeds.set(feed, turn)
  const end = () => {
    if (feeds.get(feed) === turn) feeds.delete(feed)
  }
  turn.then(end, end)
  return turn
}
