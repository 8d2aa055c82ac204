import { createHash } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import type { Draft } from './find-drafts.ts'
import { identityHash, postIdOf, randomPostId } from './identity.ts'
import type { PublishOutcome } from './publish-outcome.ts'
import {
  type ParsedPost,
  type ParseOutcome,
  type PostSource,
  parsePost,
} from './source/parse-post.ts'
import {
  type PublishPlatform,
  type Stored,
  type StoreOptions,
  storeDrafts,
} from './store-drafts.ts'
import { endNote } from './unfinished.ts'

export type { PostOutcome, PublishOutcome } from './publish-outcome.ts'

/** A source that loses so many races in a row meets something that is no race. */
const mostRounds = 100

/**
 * Publishes a source, or edits the post that its keys lead to (`identity.ts`).
 *
 * @example
 * const outcome = await publishPost(platform, { bytes, contentType: 'text/markdown', path }, { way: 'publish' })
 */
export async function publishPost(
  platform: PublishPlatform,
  source: PostSource,
  options: StoreOptions,
): Promise<PublishOutcome> {
  const { outcomes } = await publishWindow(platform, [source], options)
  return outcomes[0] as PublishOutcome
}

/**
 * Publishes sources that are few and small enough to be held and stored together; outcomes in their
 * order. Sources that lead to one post are edits of it, in their order. A crash at any step loses
 * nothing that was stored and is mended by a repeat or by the next ticks. A refused source stops no
 * other; a fault of the platform stops all. `feeds` are those marked dirty. Orders count on from
 * `firstOrder` over all windows.
 */
export async function publishWindow(
  platform: PublishPlatform,
  sources: readonly PostSource[],
  options: StoreOptions,
  firstOrder = 0,
): Promise<{ outcomes: PublishOutcome[]; feeds: string[]; jobIds: string[] }> {
  const { settings, now } = platform
  const present = now()
  const results: (PublishOutcome | Draft)[] = sources.map((source, i) => {
    try {
      const parse = (slug?: string) =>
        parsePost(source, { settings, now: present, way: options.way, ...(slug ? { slug } : {}) })
      const outcome = parse()
      if (outcome.status === 'ignored') return outcome
      return draftOf(source, outcome.post, parse, firstOrder + i, options.receipt)
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      return { status: 'refused', code: error.code, reason: error.message, error }
    }
  })
  const outcomes = new Map<PublishOutcome | Draft, PublishOutcome>()
  const feeds = new Set<string>()
  const jobIds = new Set<string>()
  const notes: NonNullable<Stored['note']>[] = []
  const open = new Set<string>()
  let drafts = results.filter((result): result is Draft => 'parsed' in result)
  for (let round = 0; drafts.length > 0; round++) {
    if (round === mostRounds) throw new Error('A post was changed by others again and again.')
    const stored = await storeDrafts(platform, drafts, options)
    drafts = stored.again.sort((a, b) => a.order - b.order)
    for (const [draft, outcome] of stored.outcomes) outcomes.set(draft, outcome)
    for (const feed of stored.feeds) feeds.add(feed)
    for (const id of stored.jobIds) jobIds.add(id)
    if (!stored.note) continue
    notes.push(stored.note)
    for (const id of stored.note.postIds) open.delete(id)
    for (const id of stored.note.left) open.add(id)
  }
  // What a round has left and no other has gone on with is for a tick.
  const ended = notes.filter(({ postIds }) => !postIds.some((id) => open.has(id)))
  await Promise.all(ended.map(({ key }) => endNote(platform, key)))
  return {
    outcomes: results.map((result) => outcomes.get(result) ?? (result as PublishOutcome)),
    feeds: [...feeds],
    jobIds: [...jobIds],
  }
}

function draftOf(
  { bytes, contentType, path }: PostSource,
  parsed: ParsedPost,
  parse: (slug: string) => ParseOutcome,
  order: number,
  receipt: string | undefined,
): Draft {
  return {
    order,
    parsed,
    parsedAt: (slug) => {
      const outcome = parse(slug)
      return outcome.status === 'post' ? outcome.post : parsed
    },
    source: {
      bytes,
      hash: createHash('sha256').update(bytes).digest('hex').slice(0, 32),
      type: contentType,
      ...(path === undefined ? {} : { path }),
    },
    identities: [...new Set(parsed.identities.map(identityHash))],
    // A request that can be repeated makes one post, however often it comes.
    keylessId: receipt === undefined ? randomPostId() : postIdOf(`receipt\n${receipt}`),
  }
}
