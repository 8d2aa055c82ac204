import { createHash, randomBytes } from 'node:crypto'
import type { Platform, RecordKey } from '../platform.ts'
import { formatInstant } from './format-instant.ts'
import { entryIdOf } from './identity.ts'
import { isListed } from './log.ts'
import { decideMail, decideMailAgain, setReason } from './mail-mode.ts'
import { moveLetter, planLetter } from './plan-letter.ts'
import type { PostState } from './post.ts'
import type { ParsedPost } from './source/parse-post.ts'
import { rowsOf, type StoredPost } from './stored-post.ts'

/** What a post's new record is made of, beside the record it replaces. */
export interface PostParts {
  id: string
  parsed: ParsedPost
  /** Slugs of the parsed categories, in their order. */
  categories: string[]
  /** Hashes of the keys that lead to it or shall. */
  identities: string[]
  sourceHash: string
  sourceType: string
  path?: string
  /** How it came in. An import that is to be mailed counts as `publish`. */
  way: 'publish' | 'import'
  mailAgain: boolean
}

/**
 * The record of a post as it should be after a publish. A pure function of what came in, what was
 * there and the clock; `unfinished` is set in `markUnfinished`.
 */
export function composePost(
  { settings, now }: Pick<Platform, 'settings' | 'now'>,
  parts: PostParts,
  previous: StoredPost | undefined,
): StoredPost {
  const present = formatInstant(now())
  const parsed = { ...parts.parsed, published: publishedOf(parts.parsed, previous) }
  const state = stateOf(parsed, present)
  const isSeen = previous !== undefined && previous.number !== undefined
  const revision = revisionOf(parsed, parts.categories)
  const wantedSlug = parsed.slug || parts.id
  const keepsSlug = previous && (isSeen || (previous.wantedSlug ?? previous.slug) === wantedSlug)
  const way = previous?.way === 'publish' || parts.way === 'publish' ? 'publish' : 'import'
  const post: StoredPost = {
    id: parts.id,
    entryId: previous?.entryId ?? entryIdOf(settings.site.baseUrl, parsed.published, parts.id),
    slug: keepsSlug ? previous.slug : wantedSlug,
    wantedSlug: keepsSlug ? (previous.wantedSlug ?? previous.slug) : wantedSlug,
    title: parsed.title,
    published: parsed.published,
    updated: updatedOf(parsed, revision, isSeen ? previous : undefined, present),
    categories: parts.categories,
    tags: parsed.tags,
    authors: parsed.authors,
    summary: parsed.summary,
    enclosures: parsed.enclosures,
    state,
    again: previous?.again ?? 0,
    mailed: previous?.mailed ?? false,
    firstSeen: previous?.firstSeen ?? present,
    revision,
    sourceHash: parts.sourceHash,
    sourceType: parts.sourceType,
    identities: [...new Set([...(previous?.identities ?? []), ...parts.identities])],
    way,
  }
  if (parsed.language !== undefined) post.language = parsed.language
  if (parsed.image !== undefined) post.image = parsed.image
  if (parsed.canonicalUrl !== undefined) post.canonicalUrl = parsed.canonicalUrl
  if (parsed.mail !== undefined) post.mail = parsed.mail
  if (parsed.mailAt !== undefined) post.mailAt = parsed.mailAt
  if (parsed.hidden !== undefined) post.hiddenReason = parsed.hidden
  if (parts.path !== undefined) post.path = parts.path
  if (isSeen) keepListing(post, previous)
  if (isSeen && parts.mailAgain && state === 'visible') {
    const { listAs, reason } = decideMailAgain(settings, post)
    if (listAs !== 'none') {
      Object.assign(post, { again: post.again + 1, listAs, mailed: true })
      planLetter(settings, post, present)
    }
    setReason(post, listAs === 'none' ? reason : undefined)
  } else if (isSeen) moveLetter(settings, post, previous, present)
  else decideListing(settings, post, present)
  return post
}

/** The record of a scheduled post once its date has come. */
export function composeDue(
  { settings, now }: Pick<Platform, 'settings' | 'now'>,
  due: StoredPost,
): StoredPost {
  const post: StoredPost = { ...due, state: 'visible' }
  if (!isListed(post)) decideListing(settings, post, formatInstant(now()))
  return post
}

/** The same post, to be finished: what may stand of the one before is named, so that it can go. */
export function markUnfinished(
  { settings }: Pick<Platform, 'settings'>,
  post: StoredPost,
  previous: StoredPost | undefined,
  { claims = false }: { claims?: boolean } = {},
): StoredPost {
  const left: RecordKey[] = [
    ...(previous ? rowsOf(previous, settings.keep) : []),
    ...(previous?.unfinished?.left ?? []),
  ].map(({ partition, sort }) => ({ partition, sort }))
  return {
    ...post,
    unfinished: {
      token: randomBytes(6).toString('hex'),
      left: [...new Map(left.map((row) => [`${row.partition}\n${row.sort}`, row])).values()],
      claims: claims || (previous?.unfinished?.claims ?? false),
      ...(previous?.unfinished ? { resumes: true } : {}),
    },
  }
}

/** Whether the record in place already says all that a new one would. */
export function saysTheSame(a: StoredPost, b: StoredPost): boolean {
  const of = ({
    updated,
    number,
    mailed,
    notMailedReason,
    listAs,
    letterAt,
    approveBy,
    listedAgain,
    receipt,
    unfinished,
    ...rest
  }: StoredPost) => JSON.stringify(Object.entries(rest).sort(([x], [y]) => (x < y ? -1 : 1)))
  return of(a) === of(b)
}

/** Whether readers see the same post in the same feeds. */
export function looksTheSame(a: StoredPost, b: StoredPost): boolean {
  return a.revision === b.revision && a.state === b.state && a.slug === b.slug
}

function stateOf(parsed: ParsedPost, present: string): PostState {
  if (parsed.hidden !== undefined) return 'hidden'
  return parsed.published > present ? 'scheduled' : 'visible'
}

/** What readers see, hashed: equal means that nothing changed for them. */
function revisionOf(parsed: ParsedPost, categories: readonly string[]): string {
  const seen = [
    parsed.title,
    parsed.published,
    parsed.updated,
    categories,
    parsed.tags,
    parsed.authors,
    parsed.language,
    parsed.summary,
    parsed.image,
    parsed.enclosures,
    parsed.canonicalUrl,
    parsed.body.html,
    parsed.body.text,
  ]
  return createHash('sha256').update(JSON.stringify(seen)).digest('hex').slice(0, 32)
}

/** A post without a date of its own keeps the one it got when it came in; a draft gets it anew when it comes out. */
function publishedOf(parsed: ParsedPost, previous: StoredPost | undefined): string {
  if (parsed.datedBy !== 'receipt' || !previous) return parsed.published
  const comesOut = previous.number === undefined && parsed.hidden === undefined
  return comesOut && previous.state === 'hidden' ? parsed.published : previous.published
}

/**
 * `updated` as readers of feeds need it: the author's when it is later than the last one, else now;
 * strictly forward whenever what they see has changed, never before `published`.
 */
function updatedOf(
  parsed: ParsedPost,
  revision: string,
  seen: StoredPost | undefined,
  present: string,
): string {
  const written = parsed.updated !== undefined && parsed.updated <= present ? parsed.updated : ''
  const floor = written > parsed.published ? written : parsed.published
  if (!seen) return floor
  if (seen.revision === revision && seen.state !== 'withdrawn') {
    return seen.updated > parsed.published ? seen.updated : parsed.published
  }
  const wish = floor > seen.updated && written === floor ? floor : latest(present, parsed.published)
  return wish > seen.updated ? wish : formatInstant(new Date(Date.parse(seen.updated) + 1000))
}

function latest(a: string, b: string) {
  return a > b ? a : b
}

function keepListing(post: StoredPost, previous: StoredPost) {
  const members = ['number', 'listAs', 'letterAt', 'approveBy', 'listedAgain'] as const
  for (const member of [...members, 'notMailedReason'] as const) {
    if (previous[member] !== undefined) Object.assign(post, { [member]: previous[member] })
  }
}

function decideListing(settings: Platform['settings'], post: StoredPost, present: string) {
  if (post.state === 'hidden') {
    post.mailed = false
    setReason(post, post.hiddenReason)
    return
  }
  const { listAs, reason } = decideMail(settings, post)
  if (post.state === 'scheduled') {
    post.mailed = false
    const when = `It is dated in the future and comes out on ${post.published}`
    setReason(post, reason ? `${when}, without a mail. ${reason}` : `${when}; it is mailed then.`)
    return
  }
  post.listAs = listAs
  post.mailed = listAs !== 'none'
  planLetter(settings, post, present)
  setReason(post, reason)
}
