import { recordKeys } from '../keys.ts'
import type { Platform, StoredRecord } from '../platform.ts'

/** How a post reaches mail readers: as a card in their digests, whole as a letter, or not at all. */
export const mailModes = ['digest', 'letter', 'none'] as const
export type MailMode = (typeof mailModes)[number]

/** What is known of a post beside its body. One small record; the body and source are objects. */
export interface Post {
  /** 16 hex digits, a hash of the first key it was known by. */
  id: string
  /** The entry's id in every feed: a `tag:` URI fixed at first ingest (RFC 4151). */
  entryId: string
  slug: string
  title: string
  /** RFC 3339, UTC, whole seconds. */
  published: string
  /** Moves when what readers see changes; never before `published`. */
  updated: string
  /** Slugs, in the order written. */
  categories: string[]
  tags: string[]
  /** Names, without addresses. */
  authors: string[]
  /** BCP 47; absent when it is the site's. */
  language?: string
  /** Plain text, at most 280 graphemes. Empty when the post has no text. */
  summary: string
  image?: PostImage
  enclosures: Enclosure[]
  /** Where the post lives when not with us; absent when our page is its home. */
  canonicalUrl?: string
  /** The post's own wish; its categories' rules are applied when it is listed. */
  mail?: MailMode
  /** When its letter is to go, RFC 3339, UTC, whole seconds; absent: as soon as it is visible. */
  mailAt?: string
  state: PostState
  /** Why it is hidden, for people. */
  hiddenReason?: string
  /** Its place in the log, once listed. */
  number?: number
  /** Counts wishes to mail it once more; 0 when never. */
  again: number
  /** Whether the log's entry may be mailed, and why not. Decided when first listed. */
  mailed: boolean
  notMailedReason?: string
  /** When it first came in. RFC 3339. */
  firstSeen: string
  withdrawnAt?: string
  /** Hash of everything that readers see: equal means that nothing changed. */
  revision: string
  /** Hash of the source bytes. */
  sourceHash: string
  sourceType: string
  /** Below the root it was published from, if from a file. */
  path?: string
}

/** `scheduled` is dated in the future; `hidden` was published as a draft or unpublished. */
export type PostState = 'visible' | 'scheduled' | 'hidden' | 'withdrawn'

export interface PostImage {
  /** Absolute; where it is stored, addresses of this site are under `ownOrigin`. */
  url: string
  alt?: string
  width?: number
  height?: number
}

export interface Enclosure {
  /** As an image's. */
  url: string
  /** MIME type. */
  type: string
  /** Bytes; 0 when not known. */
  length: number
}

/** What one parse of a source yields; kept as an object beside the source. */
export interface PostBody {
  /** Sanitised: safe to serve and to mail, every URL absolute; stored under `ownOrigin`. */
  html: string
  /** The same as plain text, blocks separated by blank lines, not wrapped. */
  text: string
}

/** The post with the version that a conditional write needs; `undefined` when there is none. */
export function getPost(
  { records }: Pick<Platform, 'records'>,
  id: string,
): Promise<StoredRecord<Post> | undefined> {
  return records.get<Post>(recordKeys.post(id))
}

/** In the order of the ids, `undefined` where there is none. */
export async function getPosts(
  { records }: Pick<Platform, 'records'>,
  ids: readonly string[],
): Promise<(Post | undefined)[]> {
  const found = await records.getMany<Post>(ids.map((id) => recordKeys.post(id)))
  return found.map((record) => record?.value)
}
