import { renderDocuments } from '../../functions/feeds/documents.ts'
import { readSnapshot } from '../../functions/feeds/snapshot.ts'
import {
  everything,
  type FeedDocument,
  feedDocuments,
  objectKeys,
  recordKeys,
} from '../../functions/keys.ts'
import type { Platform } from '../../functions/platform.ts'
import { noteCategoryUse } from '../../functions/posts/categories.ts'
import { datedRecord } from '../../functions/posts/date-index.ts'
import { raiseDirty } from '../../functions/posts/dirty.ts'
import type { Post } from '../../functions/posts/post.ts'
import { storePostObjects } from '../../functions/posts/post-body.ts'
import { aPost } from './entries.ts'

/**
 * Stores a visible post as publishing does, in the same order: body, record, rows by date, then the
 * count of each feed that it is in. Without a job: the test renders when it wants to.
 */
export async function storePost(
  platform: Pick<Platform, 'objects' | 'records'>,
  over: Partial<Post> = {},
  html = '<p>After two years.</p>',
): Promise<Post> {
  const post = aPost(over)
  const feeds = [everything, ...post.categories]
  await storePostObjects(platform, post, {
    source: new TextEncoder().encode(html),
    body: { html, text: html },
  })
  await platform.records.put({ ...recordKeys.post(post.id), value: post as never })
  await noteCategoryUse(platform, [post])
  for (const feed of feeds) await platform.records.put(datedRecord(feed, post) as never)
  await raiseDirty(platform, feeds)
  return post
}

/** Hides a stored post: the record first, then its rows, then the counts. */
export async function hidePost({ records }: Pick<Platform, 'records'>, post: Post): Promise<void> {
  const feeds = [everything, ...post.categories]
  await records.put({ ...recordKeys.post(post.id), value: { ...post, state: 'hidden' } as never })
  for (const feed of feeds) await records.delete(datedRecord(feed, post))
  await raiseDirty({ records }, feeds)
}

/** The three documents as they are stored. */
export async function storedDocuments(
  { objects }: Pick<Platform, 'objects'>,
  feed: string,
): Promise<Partial<Record<FeedDocument, string>>> {
  const found = await Promise.all(
    feedDocuments.map(async (document) => {
      const stored = await objects.get(objectKeys.feed(feed, document))
      return stored ? [[document, new TextDecoder().decode(stored.body)] as const] : []
    }),
  )
  return Object.fromEntries(found.flat())
}

/** The three documents as they would be rendered from what is stored now. */
export async function freshDocuments(
  platform: Pick<Platform, 'records' | 'objects' | 'settings' | 'now' | 'log'>,
  feed: string,
): Promise<Partial<Record<FeedDocument, string>>> {
  const { documents } = renderDocuments(await readSnapshot(platform, feed, 0), platform.settings)
  return Object.fromEntries(
    documents.map(({ document, body }) => [document, new TextDecoder().decode(body)]),
  )
}
