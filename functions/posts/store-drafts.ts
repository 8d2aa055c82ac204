import { changedMeanwhile, ServiceError } from '../errors.ts'
import { recordKeys } from '../keys.ts'
import type { Platform, RecordKey, StoredRecord } from '../platform.ts'
import { releaseAddress } from './addresses.ts'
import { resolveCategories } from './categories.ts'
import { claimKeys, giveUpPost } from './claim-keys.ts'
import { composePost, markUnfinished, type PostParts, saysTheSame } from './compose-post.ts'
import { type Draft, type Found, findDrafts } from './find-drafts.ts'
import { finishPosts } from './finish-posts.ts'
import { formatInstant } from './format-instant.ts'
import { wishedMode } from './mail-mode.ts'
import { storePostObjects } from './post-body.ts'
import { outcomeOf, type PublishOutcome } from './publish-outcome.ts'
import type { StoredPost } from './stored-post.ts'
import { isUnfinished, noteUnfinished } from './unfinished.ts'

export type PublishPlatform = Pick<Platform, 'objects' | 'records' | 'jobs' | 'settings' | 'now'>

export interface StoreOptions {
  way: 'publish' | 'import'
  /** Imports only: mail them too. */
  mail?: boolean
  /** An edit goes to readers of mail once more. */
  mailAgain?: boolean
  /** Says what would become of each, and writes nothing. */
  dryRun?: boolean
  /** The post that the draft replaces, and what it must still be (an `If-Match`). */
  as?: { id: string; isExpected: (post: StoredPost) => boolean }
  /** Names the request, so that its repeat is answered as it was. */
  receipt?: string
  /** What one import has met: two of its files that lead to one post are not merged. */
  met?: Met
  /** Without it the caller enqueues the rendering of `feeds`. @default true */
  regenerate?: boolean
}

export interface Met {
  /** Post → the order of the source that it came from. */
  posts: Map<string, number>
  /** Keys of posts that a dry run would have made. */
  identities: Map<string, string>
}

export interface Stored {
  outcomes: Map<Draft, PublishOutcome>
  /** Lost a race, or lead to a post of this round: once more, as edits. */
  again: Draft[]
  feeds: string[]
  jobIds: string[]
  /** To be ended (`endNote`) once no later round has left any of its posts. */
  note?: { key: RecordKey; postIds: string[]; left: string[] }
}

interface Change {
  draft: Draft
  found: Found
  post: StoredPost
}

/**
 * One round of a batch: stores the posts that no other draft of the round leads to, then all that
 * follows from them. Sources and bodies come first, then records, then the keys that lead to them,
 * so nothing ever leads to what is not there. Repeatable at every step.
 */
export async function storeDrafts(
  platform: PublishPlatform,
  drafts: readonly Draft[],
  options: StoreOptions,
): Promise<Stored> {
  const outcomes = new Map<Draft, PublishOutcome>()
  const again: Draft[] = []
  const asked = { ...options, present: formatInstant(platform.now()) }
  const found = await findDrafts(platform, drafts, {
    ...(options.as ? { as: options.as.id } : {}),
    ...(options.met ? { known: options.met.identities } : {}),
  })
  const slugs = await resolveCategories(
    platform,
    drafts.flatMap(({ parsed }) => parsed.categories),
    { make: !options.dryRun },
  )

  const changes: Change[] = []
  const taken = new Set<string>()
  for (const [i, draft] of drafts.entries()) {
    const of = found[i] as Found
    const refusal = refuse(draft, of, options) ?? refuseMailTime(platform, draft, slugs, options)
    if (refusal) {
      outcomes.set(draft, refusal)
      continue
    }
    if (mustWait(draft, of, taken)) {
      again.push(draft)
      continue
    }
    const post = compose(platform, draft, of, slugs, options)
    const isSame = of.previous !== undefined && saysTheSame(post, of.previous.value)
    if (options.dryRun || (isSame && !isUnfinished(of.previous?.value as StoredPost))) {
      outcomes.set(draft, outcomeOf(post, of.previous?.value, asked))
    } else {
      changes.push({ draft, found: of, post })
    }
  }
  if (changes.length === 0) return { outcomes, again, feeds: [], jobIds: [] }

  const [note] = await Promise.all([
    noteUnfinished(
      platform,
      changes.map(({ post }) => post.id),
    ),
    ...changes
      .filter(hasNewBytes)
      .map(({ draft, post }) =>
        storePostObjects(platform, post, { source: draft.source.bytes, body: draft.parsed.body }),
      ),
  ])
  const written = await Promise.all(changes.map((change) => writeChange(platform, change, asked)))
  const finished = await finishPosts(
    platform,
    written.flatMap((change) => (change.status === 'written' ? [change.record] : [])),
    { regenerate: options.regenerate ?? true },
  )
  const left: string[] = []
  for (const [i, { draft, found, post }] of changes.entries()) {
    const change = written[i] as Written
    if (change.status === 'left') left.push(post.id)
    if (change.status !== 'written') {
      again.push(draft)
      continue
    }
    const { id } = change.record.value
    const stands = finished.posts.get(id) ?? change.record.value
    const outcome = outcomeOf(stands, found.previous?.value, asked)
    const isNew = outcome.isNew || draft.madeId === id
    outcomes.set(draft, { ...outcome, isNew, jobIds: finished.jobIds })
  }
  return {
    outcomes,
    again,
    feeds: finished.feeds,
    jobIds: finished.jobIds,
    note: { key: note, postIds: changes.map(({ post }) => post.id), left },
  }
}

/**
 * Whether a draft comes in the next round, because an earlier one of this round has its post, one of
 * its keys, or the address that it asks for: who comes first in a batch gets it.
 */
function mustWait(draft: Draft, found: Found, taken: Set<string>): boolean {
  const marks = [`id ${found.id}`, ...draft.identities.map((hash) => `key ${hash}`)]
  // Once is enough: by then the address is known to be another's.
  if (!found.previous && !draft.hasWaited) marks.push(`address ${draft.parsed.slug}`)
  const isTaken = marks.some((mark) => taken.has(mark))
  if (isTaken) draft.hasWaited = true
  else for (const mark of marks) taken.add(mark)
  return isTaken
}

type Written =
  | { status: 'written'; record: StoredRecord<StoredPost> }
  /** Written, and to be gone on with in another round. */
  | { status: 'left' }
  /** Another writer was first, or the post was given up for another one. */
  | { status: 'nothing' }

/** Writes the record and claims what leads to it. */
async function writeChange(
  platform: PublishPlatform,
  { draft, found: { previous }, post }: Change,
  options: StoreOptions & { present: string },
): Promise<Written> {
  const { records } = platform
  const known = new Set(previous?.value.identities)
  const claims =
    !previous ||
    previous.value.slug !== post.slug ||
    (post.identities ?? []).some((hash) => !known.has(hash))
  const value = markUnfinished(platform, post, previous?.value, { claims })
  if (options.receipt !== undefined) value.receipt = receiptOf(value, previous?.value, options)
  const key = recordKeys.post(post.id)
  const outcome = await records.put(
    { ...key, value },
    previous ? { ifVersion: previous.version } : { ifAbsent: true },
  )
  if (outcome.status === 'conflict') return { status: 'nothing' }
  const record = { ...key, value, version: outcome.version }
  if (!value.unfinished?.claims) return { status: 'written', record }

  const claimed = await claimKeys({ records }, record)
  if (claimed.status === 'overtaken') return { status: 'left' }
  // Another post took one of its keys in the same moment: then this is an edit of that one.
  if (!previous && claimed.lost.length > 0 && (await giveUpPost({ records }, claimed.record))) {
    return { status: 'nothing' }
  }
  if (!previous) draft.madeId = post.id
  // Another post has the address it asked for: once more, read as it stands at its own.
  if (claimed.record.value.slug !== post.slug) return { status: 'left' }
  if (previous && previous.value.slug !== post.slug) {
    await releaseAddress({ records }, post.id, previous.value.slug)
  }
  return { status: 'written', record: claimed.record }
}

function refuse(draft: Draft, found: Found, options: StoreOptions): PublishOutcome | undefined {
  const { as, met, way } = options
  const post = found.previous?.value
  if (as) {
    if (!post) throw new ServiceError(404, 'not-found', `The post \`${as.id}\` does not exist.`)
    if (!as.isExpected(post)) throw changedMeanwhile('The post')
    if (found.identities.length < draft.identities.length) {
      throw new ServiceError(
        409,
        'post.identity-taken',
        'The id, path or URL in it leads to another post. Take it out, or change that post.',
      )
    }
  }
  if (met) {
    const first = met.posts.get(found.id)
    if (first !== undefined && first !== draft.order) {
      return {
        status: 'refused',
        code: 'post.duplicate',
        reason: `It leads to the same post (${found.id}) as an earlier one of this import: they share an id, a path or a URL. Give it its own, or leave one of them out.`,
      }
    }
    met.posts.set(found.id, draft.order)
    if (options.dryRun) for (const hash of found.identities) met.identities.set(hash, found.id)
  }
  if (way === 'import' && post?.state === 'withdrawn') {
    return {
      status: 'ignored',
      code: 'post.withdrawn',
      reason: `The post was withdrawn on ${(post.withdrawnAt ?? post.updated).slice(0, 10)}. An import leaves it so; publish it to bring it back.`,
    }
  }
  return undefined
}

/** Whoever sets a time means a letter: what goes into digests goes when each reader wants it. */
function refuseMailTime(
  { settings }: PublishPlatform,
  { parsed }: Draft,
  slugs: ReadonlyMap<string, string>,
  { way, mail }: StoreOptions,
): PublishOutcome | undefined {
  if (parsed.mailAt === undefined || (way === 'import' && !mail)) return undefined
  const categories = slugsOf(parsed, slugs)
  if (wishedMode(settings, { ...parsed, categories }) !== 'digest') return undefined
  return {
    status: 'refused',
    code: 'post.mail-at',
    reason:
      '`mail_at` is when a letter goes, and this post goes into digests. Add `mail: letter`, or leave `mail_at` out.',
  }
}

/** The post as it should be, read at the address that it has or gets. */
function compose(
  platform: PublishPlatform,
  draft: Draft,
  found: Found,
  slugs: ReadonlyMap<string, string>,
  options: StoreOptions,
): StoredPost {
  const parts = partsOf(draft, found, slugs, options)
  const post = composePost(platform, parts, found.previous?.value)
  if (post.slug === draft.parsed.slug) return post
  draft.parsed = draft.parsedAt(post.slug)
  return composePost(platform, { ...parts, parsed: draft.parsed }, found.previous?.value)
}

function partsOf(
  { parsed, source }: Draft,
  found: Found,
  slugs: ReadonlyMap<string, string>,
  options: StoreOptions,
): PostParts {
  const isRepeat =
    options.receipt !== undefined && found.previous?.value.receipt?.hash === options.receipt
  const path = source.path ?? found.previous?.value.path
  return {
    id: found.id,
    parsed,
    categories: slugsOf(parsed, slugs),
    identities: found.identities,
    sourceHash: source.hash,
    sourceType: source.type,
    ...(path === undefined ? {} : { path }),
    way: options.way === 'import' && !options.mail ? 'import' : 'publish',
    mailAgain: (options.mailAgain ?? false) && !isRepeat,
  }
}

function slugsOf({ categories }: Draft['parsed'], slugs: ReadonlyMap<string, string>): string[] {
  return [...new Set(categories.map((name) => slugs.get(name) as string))]
}

function hasNewBytes({ found: { previous }, post }: Change): boolean {
  return previous?.value.revision !== post.revision || previous.value.sourceHash !== post.sourceHash
}

function receiptOf(
  post: StoredPost,
  previous: StoredPost | undefined,
  options: StoreOptions & { present: string },
): NonNullable<StoredPost['receipt']> {
  const { status, isNew, mailed, reason } = outcomeOf(post, previous, options)
  return {
    hash: options.receipt as string,
    status,
    isNew,
    mailed,
    ...(reason === undefined ? {} : { reason }),
  }
}
