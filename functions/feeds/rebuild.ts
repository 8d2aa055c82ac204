import { everything, objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { newestDated } from '../posts/date-index.ts'
import { markDirty } from '../posts/dirty.ts'
import { enqueuePages, postsPerJob } from '../posts/due-pages.ts'
import { noteMiscounted, recountFeeds } from '../posts/recount.ts'
import { feedsBehind } from './regenerate.ts'

/**
 * Counts the posts of feeds (slugs, or `*`), and renders them and their posts' pages again from the
 * stored posts alone.
 * In one process it ends when they are written. Returns the feeds that are still behind: where
 * jobs run elsewhere, usually all; in one process, those whose rendering failed.
 */
export async function rebuildFeeds(
  platform: Platform,
  feeds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { objects } = platform
  await Promise.all(feeds.map((feed) => objects.delete(objectKeys.manifest(feed))))
  await noteMiscounted(platform, feeds)
  await recountFeeds(platform)
  const waiting = await markDirty(platform, feeds)
  // Every post is in the feed of everything: with it, the others hold no further page.
  for (const feed of feeds.includes(everything) ? [everything] : feeds) {
    let cursor: string | undefined
    do {
      const page = await newestDated(platform, feed, {
        limit: postsPerJob,
        ...(cursor === undefined ? {} : { cursor }),
      })
      const postIds = page.rows.map((row) => row.id)
      if (postIds.length > 0) {
        waiting.push(...(await enqueuePages(platform, postIds)))
      }
      cursor = page.cursor
    } while (cursor !== undefined)
  }
  await platform.settled(waiting)
  return new Set((await feedsBehind(platform)).filter((feed) => feeds.includes(feed)))
}
