import { urlPaths } from '../../keys.ts'
import { deliveryHeader, messageIdOf, parseMailbox, senderOf } from '../../mail/headers.ts'
import { type ComposedMessage, personalise } from '../../mail/message.ts'
import type { Platform } from '../../platform.ts'
import { categoryTitles } from '../../posts/categories.ts'
import { getPost } from '../../posts/post.ts'
import { signLink } from '../../subscribers/links.ts'
import type { Subscriber } from '../../subscribers/subscriber.ts'
import type { Parcel, Parcels } from '../delivery/ledger.ts'
import { writeLetter } from '../letters/compose-letter.ts'
import { periodStart, scheduleOfRun } from '../runs/period.ts'
import type { Run } from '../runs/run.ts'
import { composeBulk, type Frame, writeDigest } from './compose-digest.ts'
import { type Edition, editionName, editionOf, newestFirst } from './edition.ts'
import { isMailable, type Listed, type Listing, openListing, readListed } from './listing.ts'
import { choiceFor, floorOf, type OwedPost, owedPosts } from './owed.ts'

type Source = Pick<Platform, 'records' | 'objects' | 'settings' | 'secrets' | 'now'>

/** Messages kept ready. Readers are visited in the order of their ids, so editions alternate. */
const mostMessages = 200

/** Different choices remembered: past that they begin anew. */
const mostShares = 5000

/** Keeps what was composed while it is in use; the least used go first. */
export interface Messages {
  get<Composed extends ComposedMessage | undefined>(
    key: string,
    compose: () => Promise<Composed>,
  ): Promise<Composed>
}

/** Composes mails for the readers of runs, each edition once. Made anew for each job. */
export function openParcels(
  platform: Source,
  messages: Messages = openMessages(),
): Parcels & { refresh(): Promise<void> } {
  const { settings } = platform
  const listings = new Map<number, Listing>()
  const frames = new Map<string, Promise<Frame>>()
  let titles: Promise<ReadonlyMap<string, string>> | undefined
  // By the listing as it was read: another reading forgets them.
  const knownShares = new WeakMap<readonly Listed[], Map<string, Share>>()
  const sender = parseMailbox(senderOf(settings)).address

  function listingUpTo(to: number): Listing {
    let listing = listings.get(to)
    if (!listing) {
      listing = openListing(platform, to)
      listings.set(to, listing)
    }
    return listing
  }

  function frameOf(run: Run): Promise<Frame> {
    let frame = frames.get(run.id)
    if (!frame) {
      frame = readFrame(platform, run)
      frames.set(run.id, frame)
    }
    return frame
  }

  async function find(
    run: Run,
    reader: Subscriber,
    { from, to }: { from?: number | undefined; to: number },
  ): Promise<Parcel | undefined> {
    titles ??= categoryTitles(platform)
    const message =
      run.kind === 'letter'
        ? await letterFor(run, reader, await titles)
        : await digestFor(run, reader, { from: from ?? 0, to }, await titles)
    return message && ((deliveryId) => addressed(message, reader, deliveryId))
  }

  async function digestFor(
    run: Run,
    reader: Subscriber,
    window: { from: number; to: number },
    titles: ReadonlyMap<string, string>,
  ): Promise<ComposedMessage | undefined> {
    const floor = floorOf(reader, window.from)
    if (floor >= window.to) return undefined
    const listing = listingUpTo(window.to)
    const frame = await frameOf(run)
    for (;;) {
      const share = shareOf(run, reader, await listing.above(floor), window)
      if (share === 'nothing') return undefined
      const message = await messages.get(share.key, async () => {
        const posts = await readListed(platform, share.shown)
        if (!isAsListed(posts, share.shown)) return undefined
        const digest = writeDigest(platform, frame, share.edition, { ...share, posts }, titles)
        return composeBulk(settings, run, digest)
      })
      if (message) return message
      // A post was changed since the listing read it: what is owed is found out anew.
      await listing.forget()
    }
  }

  function shareOf(
    run: Run,
    reader: Subscriber,
    listed: readonly Listed[],
    window: { from: number; to: number },
  ): Share {
    let known = knownShares.get(listed)
    if (!known || known.size > mostShares) {
      known = new Map()
      knownShares.set(listed, known)
    }
    const choice = `${run.id} ${window.to} ${choiceName(reader, listed, window.from)}`
    let share = known.get(choice)
    if (share === undefined) {
      const owed = owedPosts(reader, listed, window, settings)
      const count = owed.length
      const shown = newestFirst(owed).slice(0, settings.digests.maxPosts)
      const edition = editionOf(owed, window.to, reader.locale)
      const key = `${run.id} ${editionName(edition)} ${count} ${revisionsOf(shown)}`
      share = count === 0 ? 'nothing' : { shown, count, edition, key }
      known.set(choice, share)
    }
    return share
  }

  async function letterFor(
    run: Run,
    reader: Subscriber,
    titles: ReadonlyMap<string, string>,
  ): Promise<ComposedMessage | undefined> {
    const post = run.postId && (await getPost(platform, run.postId))?.value
    if (!post || !isMailable(post)) return undefined
    const { approved: shown = post } = run
    if (choiceFor(reader, shown, run.to, settings) === undefined) return undefined
    return messages.get(`${run.id} ${reader.locale} ${shown.revision}`, async () =>
      composeBulk(settings, run, await writeLetter(platform, shown, reader.locale, titles)),
    )
  }

  function addressed(message: ComposedMessage, reader: Subscriber, deliveryId: string) {
    const link = (path: string) => `${settings.site.baseUrl}${path}`
    const to = reader.email ?? ''
    const raw = personalise(message, {
      to,
      messageId: messageIdOf(deliveryId, settings),
      date: platform.now(),
      headers: deliveryHeader(deliveryId),
      links: {
        preferences: link(urlPaths.preferences(signLink(platform, 'preferences', reader.id))),
        unsubscribe: link(urlPaths.unsubscribe(signLink(platform, 'unsubscribe', reader.id))),
      },
    })
    return { deliveryId, from: sender, to, raw, kind: 'bulk' as const }
  }

  return {
    find,
    refresh: async () => {
      for (const listing of listings.values()) await listing.refresh()
    },
  }
}

/** What readers with equal choices are owed. */
type Share = 'nothing' | { shown: OwedPost[]; count: number; edition: Edition; key: string }

function isAsListed(posts: readonly OwedPost[], listed: readonly OwedPost[]): boolean {
  return (
    posts.length === listed.length &&
    posts.every(({ post }, i) => post.revision === listed[i]?.post.revision)
  )
}

/**
 * Equal for readers who are owed the same by the same listing, and quicker to find out than what
 * that is: of each `since` only its place among the listed posts counts.
 */
function choiceName(reader: Subscriber, listed: readonly Listed[], from: number): string {
  let name = `${reader.locale} ${placeOf(listed, from)}`
  for (const slug in reader.categories) {
    name += ` ${slug}:${placeOf(listed, reader.categories[slug] ?? 0)}`
  }
  return name
}

/** How many are numbered up to `n`. */
function placeOf(listed: readonly Listed[], n: number): number {
  let low = 0
  let high = listed.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((listed[middle] as Listed).n <= n) low = middle + 1
    else high = middle
  }
  return low
}

/** Tells an edition from the same one after an edit. */
function revisionsOf(shown: readonly OwedPost[]): string {
  return shown.map(({ post }) => `${post.id}.${post.revision.slice(0, 12)}`).join()
}

async function readFrame(platform: Source, run: Run): Promise<Frame> {
  const schedule = await scheduleOfRun(platform, run)
  const from = await periodStart(platform, run)
  return {
    run,
    cadence: schedule?.cadence ?? 'instant',
    timeZone: schedule?.timeZone ?? platform.settings.site.timeZone,
    ...(from ? { from } : {}),
    until: run.dueAt,
  }
}

/** An empty store of composed messages. */
export function openMessages(): Messages {
  const kept = new Map<string, Promise<ComposedMessage | undefined>>()
  return {
    get<Composed extends ComposedMessage | undefined>(
      key: string,
      compose: () => Promise<Composed>,
    ) {
      let message = kept.get(key) as Promise<Composed> | undefined
      if (!message) {
        // A promise at once: readers visited together wait for one composition.
        message = Promise.resolve().then(compose)
        const forget = () => kept.delete(key)
        message.then((composed) => composed ?? forget(), forget)
      } else kept.delete(key)
      kept.set(key, message)
      const oldest = kept.size > mostMessages ? kept.keys().next().value : undefined
      if (oldest !== undefined) kept.delete(oldest)
      return message
    },
  }
}
