import { allRecords } from '../all-records.ts'
import { invalid } from '../errors.ts'
import { everything, recordKeys } from '../keys.ts'
import type { NewRecord, Platform, QueryOptions, StoredRecord } from '../platform.ts'
import { getPosts, type Post } from './post.ts'

/** A post's place among the posts of a feed, by date. */
export interface DatedRow {
  id: string
  revision: string
  /** RFC 3339. */
  published: string
}

/** The row that stands for a visible post in a feed (a category's slug, or `*`). */
export function datedRecord(
  feed: string,
  { id, revision, published }: DatedRow,
): NewRecord<DatedRow> {
  return {
    partition: recordKeys.dateIndex(feed),
    sort: recordKeys.dateIndexSort(published, id),
    value: { id, revision, published },
  }
}

interface Page {
  /** At least 1. */
  limit: number
  /** From the page before; it stays good while rows come and go. */
  cursor?: string
}

/**
 * The posts of a feed, newest first. A row can outlive a move or a withdrawal for as long as the
 * writer takes (or until a tick, if the writer died): whoever shows posts uses `newestPosts`, or
 * checks `standsIn` once it has the record.
 */
export async function newestDated(
  { records }: Pick<Platform, 'records'>,
  feed: string,
  { limit, cursor }: Page,
): Promise<{ rows: DatedRow[]; cursor?: string }> {
  const last = cursor === undefined ? undefined : decodeCursor(cursor)
  const found: StoredRecord<DatedRow>[] = []
  let next: string | undefined
  do {
    const options: QueryOptions = { reverse: true, limit: Math.min(limit + 2 - found.length, 1000) }
    if (last !== undefined) options.to = last
    if (next !== undefined) options.cursor = next
    const page = await records.query<DatedRow>(recordKeys.dateIndex(feed), options)
    found.push(...page.records.filter((record) => record.sort !== last))
    next = page.cursor
  } while (next !== undefined && found.length <= limit)
  const end = found.length > limit ? found[limit - 1] : undefined
  return {
    rows: found.slice(0, limit).map((record) => record.value),
    ...(end ? { cursor: placeAfter(end.value) } : {}),
  }
}

/**
 * The cursor that goes on after a post: it stays good when that post is gone, and means the same for
 * ever, so that an address may hold it.
 */
export function placeAfter({ published, id }: Pick<DatedRow, 'published' | 'id'>): string {
  return Buffer.from(recordKeys.dateIndexSort(published, id)).toString('base64url')
}

/** Whether a text can be a cursor of ours. */
export function isPlace(cursor: string): boolean {
  if (!/^[\w-]{1,200}$/.test(cursor)) return false
  return /^[\dTZ:.+-]{10,40}#[\w.-]{1,60}$/.test(Buffer.from(cursor, 'base64url').toString())
}

/** As `newestDated`, but the posts themselves, without those whose row no longer stands for them. */
export async function newestPosts(
  { records }: Pick<Platform, 'records'>,
  feed: string,
  page: Page,
): Promise<{ posts: Post[]; cursor?: string }> {
  const { rows, cursor } = await newestDated({ records }, feed, page)
  const posts = await getPosts(
    { records },
    rows.map((row) => row.id),
  )
  return {
    posts: posts.filter(
      (post, i): post is Post =>
        post !== undefined && post.published === rows[i]?.published && standsIn(post, feed),
    ),
    ...(cursor === undefined ? {} : { cursor }),
  }
}

/** Whether a post, as it stands, belongs in a feed. */
export function standsIn(post: Pick<Post, 'state' | 'categories'>, feed: string): boolean {
  return post.state === 'visible' && (feed === everything || post.categories.includes(feed))
}

/**
 * How many rows a feed has, per slug; absent means none. Each writer counts the rows that it put or
 * deleted itself, so it is exact but after a crash between a row and its count, until a tick has
 * finished the dead writer's work and `recountFeeds` has counted again.
 */
export async function countDated({
  records,
}: Pick<Platform, 'records'>): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const rows = allRecords<{ count: number }>({ records }, recordKeys.categoryCounts)
  for await (const { sort, value } of rows) counts.set(sort, Math.max(0, value.count))
  return counts
}

function decodeCursor(cursor: string): string {
  if (!isPlace(cursor)) {
    throw invalid(
      'cursor',
      'The `cursor` is none of ours. Take it from the page before, unchanged.',
    )
  }
  return Buffer.from(cursor, 'base64url').toString()
}
