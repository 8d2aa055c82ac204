import { everything, recordKeys } from '../keys.ts'
import type { NewRecord, Platform, RecordKey, StoredRecord } from '../platform.ts'
import { type DatedRow, datedRecord } from './date-index.ts'
import type { MailMode, Post } from './post.ts'

/** A post's record as this folder writes it: beside the post, what makes every step repeatable. */
export interface StoredPost extends Post {
  /** Hashes of all keys that lead to it, the first one first. */
  identities?: string[]
  /** The address it asked for, which it gets unless another post has it. */
  wantedSlug?: string
  /** The last way it came in before it was listed: what is only imported is not mailed. */
  way?: 'publish' | 'import'
  /** How it enters the log, decided when it first becomes visible. */
  listAs?: MailMode
  /** Of a letter: when it goes, where that was still to come when it was last decided. */
  letterAt?: string
  /** Of a letter that needs approval: the end of the time that it was given when it was listed. */
  approveBy?: string
  /** The wish (`again`) that the log holds; with `number`, what tells that nothing is left to list. */
  listedAgain?: number
  /** The request that last changed it, so that its repeat is answered alike. */
  receipt?: {
    hash: string
    status: 'published' | 'updated' | 'unchanged' | 'hidden'
    isNew: boolean
    mailed: boolean
    reason?: string
  }
  /** Present from the write that changed the post until all that follows from it is done. */
  unfinished?: Unfinished
}

export interface Unfinished {
  /** Tells one change from the next: who finishes only ever ends its own. */
  token: string
  /** Rows that may stand from before. */
  left: RecordKey[]
  /** Keys and address are still to be claimed. */
  claims: boolean
  /** It took the place of a change that was not done: what was counted of that, nobody knows. */
  resumes?: boolean
}

/** What a feed is told of a post that was taken back (RFC 6721). */
export interface WithdrawnRow {
  id: string
  entryId: string
  slug: string
  withdrawnAt: string
}

/** As `getPost`, with the bookkeeping. */
export function getStoredPost(
  { records }: Pick<Platform, 'records'>,
  id: string,
): Promise<StoredRecord<StoredPost> | undefined> {
  return records.get<StoredPost>(recordKeys.post(id))
}

/**
 * Every row that should stand for a post as it is: in the indexes by date when visible, among the
 * due ones when scheduled, as tombstones when withdrawn, none when hidden.
 */
export function rowsOf(
  post: StoredPost,
  keep: { tombstonesDays: number },
): (NewRecord & { value: DatedRow | WithdrawnRow })[] {
  const feeds = [everything, ...post.categories]
  switch (post.state) {
    case 'visible':
      return feeds.map((feed) => datedRecord(feed, post)) as (NewRecord & { value: DatedRow })[]
    case 'scheduled':
      return [
        {
          partition: recordKeys.due,
          sort: recordKeys.dateIndexSort(post.published, post.id),
          value: { id: post.id, revision: post.revision, published: post.published },
        },
      ] as (NewRecord & { value: DatedRow })[]
    case 'withdrawn': {
      const withdrawnAt = post.withdrawnAt ?? post.updated
      const expiresAt = new Date(Date.parse(withdrawnAt) + keep.tombstonesDays * 86_400_000)
      const value = { id: post.id, entryId: post.entryId, slug: post.slug, withdrawnAt }
      return feeds.map((feed) => ({
        partition: recordKeys.withdrawn(feed),
        sort: recordKeys.dateIndexSort(withdrawnAt, post.id),
        value,
        expiresAt,
      })) as unknown as (NewRecord & { value: WithdrawnRow })[]
    }
    case 'hidden':
      return []
  }
}

/** The feeds (slugs, or `*`) that rows of a post stand in. */
export function feedsOfRows(rows: readonly RecordKey[]): string[] {
  const feeds = rows.flatMap(({ partition }) => {
    const feed = /^(?:dated|withdrawn):(.*)$/s.exec(partition)?.[1]
    return feed === undefined ? [] : [feed]
  })
  return [...new Set(feeds)]
}

/** The feeds in which rows of a post stand or may stand from before. */
export function feedsOfPost(post: StoredPost, keep: { tombstonesDays: number }): string[] {
  return feedsOfRows([...rowsOf(post, keep), ...(post.unfinished?.left ?? [])])
}

/** The slug whose index by date a row belongs to; `undefined` for rows of other kinds. */
export function datedFeedOf({ partition }: RecordKey): string | undefined {
  return partition.startsWith('dated:') ? partition.slice('dated:'.length) : undefined
}

/** Whether two keys name one row. */
export function isSameRow(a: RecordKey, b: RecordKey): boolean {
  return a.partition === b.partition && a.sort === b.sort
}
