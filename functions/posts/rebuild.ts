import { objectKeys, recordKeys } from '../keys.ts'
import type { Platform, RecordKey, StoredRecord } from '../platform.ts'
import { claimKeys } from './claim-keys.ts'
import { markUnfinished } from './compose-post.ts'
import { countDated } from './date-index.ts'
import { finishPosts } from './finish-posts.ts'
import { deleteRows } from './place-rows.ts'
import { isSameRow, rowsOf, type StoredPost } from './stored-post.ts'
import { endNote, noteUnfinished } from './unfinished.ts'

/** Posts that are worked on together. */
const windowPosts = 256

type RebuildPlatform = Pick<Platform, 'objects' | 'records' | 'jobs' | 'settings' | 'now'>

export interface Rebuilt {
  posts: number
  /** Rows that stood for nothing. */
  removedRows: number
}

/**
 * Makes everything that leads to posts again from the posts themselves, which the archive names: keys,
 * addresses, rows by date, due rows, places in the log that are missing, and the counts. Pages and feeds
 * are marked to be rendered. Safe beside writers, but for the counts: recount in a quiet moment.
 */
export async function rebuildPosts(platform: RebuildPlatform): Promise<Rebuilt> {
  let posts = 0
  for await (const ids of postIds(platform)) {
    posts += await rebuildWindow(platform, ids)
  }
  const removedRows = await removeStrayRows(platform)
  return { posts, removedRows }
}

/** Every post of the archive, in windows: nothing but its objects lists them all. */
async function* postIds({ objects }: Pick<Platform, 'objects'>): AsyncGenerator<string[]> {
  let ids = new Set<string>()
  let after: string | undefined
  let more = true
  while (more) {
    const page = await objects.list(objectKeys.posts, after === undefined ? {} : { after })
    for (const { key } of page.objects) {
      const id = key.slice(objectKeys.posts.length).split('.')[0]
      if (id) ids.add(id)
      after = key
      // A post has several objects, side by side: only the last one may go on.
      if (ids.size > windowPosts) {
        const last = id as string
        ids.delete(last)
        yield [...ids]
        ids = new Set([last])
      }
    }
    more = page.more && page.objects.length > 0
  }
  if (ids.size > 0) yield [...ids]
}

async function rebuildWindow(platform: RebuildPlatform, ids: readonly string[]): Promise<number> {
  const { records } = platform
  const found = await records.getMany<StoredPost>(ids.map(recordKeys.post))
  const note = await noteUnfinished(platform, ids)
  const marked = await Promise.all(
    found.map(async (record) => {
      if (!record) return undefined
      const value = markUnfinished(platform, record.value, record.value, { claims: true })
      const outcome = await records.put({ ...record, value }, { ifVersion: record.version })
      // A writer that was first does all of this itself.
      if (outcome.status === 'conflict') return undefined
      const claimed = await claimKeys({ records }, { ...record, value, version: outcome.version })
      return claimed.status === 'claimed' ? claimed.record : undefined
    }),
  )
  await finishPosts(
    platform,
    marked.filter((record) => record !== undefined),
  )
  await endNote({ records }, note)
  return found.filter((record) => record !== undefined).length
}

/** Deletes rows by date that stand for no post, and counts the others. */
async function removeStrayRows(platform: RebuildPlatform): Promise<number> {
  const { records, settings } = platform
  const feeds = [...(await countDated({ records })).keys()]
  let removed = 0
  for (const feed of feeds) {
    const partition = recordKeys.dateIndex(feed)
    const counter = recordKeys.categoryCount(feed)
    let rows = 0
    let cursor: string | undefined
    do {
      const page = await records.query<{ id: string }>(partition, {
        limit: windowPosts,
        ...(cursor === undefined ? {} : { cursor }),
      })
      const posts = await records.getMany<StoredPost>(
        page.records.map(({ value }) => recordKeys.post(value.id)),
      )
      const stray = page.records.filter((row, i) => !stands(row, posts[i], settings.keep))
      await deleteRows({ records }, stray)
      removed += stray.length
      rows += page.records.length - stray.length
      cursor = page.cursor
    } while (cursor !== undefined)
    const count = (await records.get<{ count: number }>(counter))?.value.count ?? 0
    if (count !== rows) await records.add(counter, rows - count)
  }
  return removed
}

function stands(
  row: RecordKey,
  post: StoredRecord<StoredPost> | undefined,
  keep: { tombstonesDays: number },
): boolean {
  return post !== undefined && rowsOf(post.value, keep).some((own) => isSameRow(own, row))
}
