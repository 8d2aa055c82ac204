import { urlPaths } from '../../keys.ts'
import { deliveryHeader, messageIdOf, parseMailbox, senderOf } from '../../mail/headers.ts'
import { type ComposedMessage, personalise } from '../../mail/message.ts'
import type { Platform } from '../../platform.ts'
import { listCategories } from '../../posts/categories.ts'
import { getPost } from '../../posts/post.ts'
import { signLink } from '../../subscribers/links.ts'
import type { Subscriber } from '../../subscribers/subscriber.ts'
import type { Parcel, Parcels } from '../delivery/ledger.ts'
import { writeLetter } from '../letters/compose-letter.ts'
import { periodStart, scheduleOfRun } from '../runs/period.ts'
import type { Run } from '../runs/run.ts'
import { composeBulk, type Frame, writeDigest } from './compose-digest.ts'
import { type Edition, editionName, editionOf } from './edition.ts'
import { isMailable, type Listed, type Listing, openListing } from './listing.ts'
import { choiceFor, floorOf, type OwedPost, owedPosts } from './owed.ts'

type Source = Pick<Platform, 'records' | 'objects' | 'settings' | 'secrets' | 'now'>

/** Messages kept ready. Readers are visited in the order of their ids, so editions alternate. */
const mostMessages = 200

/** Different choices remembered: past that they begin anew. */
const mostShares = 5000

/** Keeps what was composed while it is in use; the least used go first. */
export interface Messages {
  get(
    key: string,
    compose: () => ComposedMessage | Promise<ComposedMessage>,
  ): Promise<ComposedMessage>
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
    const listed = await listingUpTo(window.to).above(floor)
    let known = knownShares.get(listed)
    if (!known || known.size > mostShares) {
      known = new Map()
      knownShares.set(listed, known)
    }
    const choice = `${run.id} ${window.to} ${choiceName(reader, listed, window.from)}`
    let share = known.get(choice)
    if (share === undefined) {
      const owed = owedPosts(reader, listed, window, settings)
      const edition = editionOf(owed, window.to, reader.locale)
      const key = `${run.id} ${editionName(edition)} ${revisionsOf(owed)}`
      share = owed.length === 0 ? 'nothing' : { owed, edition, key }
      known.set(choice, share)
    }
    if (share === 'nothing') return undefined
    const { owed, edition, key } = share
    const frame = await frameOf(run)
    return messages.get(key, () =>
      composeBulk(settings, run, writeDigest(platform, frame, edition, owed, titles)),
    )
  }

  async function letterFor(
    run: Run,
    reader: Subscriber,
    titles: ReadonlyMap<string, string>,
  ): Promise<ComposedMessage | undefined> {
    const post = run.postId && (await getPost(platform, run.postId))?.value
    if (!post || !isMailable(post)) return undefined
    if (choiceFor(reader, post, run.to, settings) === undefined) return undefined
    return messages.get(`${run.id} ${reader.locale} ${post.revision}`, async () =>
      composeBulk(settings, run, await writeLetter(platform, post, reader.locale, titles)),
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
type Share = 'nothing' | { owed: OwedPost[]; edition: Edition; key: string }

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
function revisionsOf(owed: readonly OwedPost[]): string {
  return owed.map(({ post }) => `${post.id}.${post.revision.slice(0, 12)}`).join()
}

/** By slug. */
export async function categoryTitles(
  platform: Pick<Platform, 'records' | 'settings'>,
): Promise<ReadonlyMap<string, string>> {
  const categories = await listCategories(platform)
  return new Map(categories.map(({ slug, title }) => [slug, title]))
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
export function openMessages(most = mostMessages): Messages {
  const kept = new Map<string, Promise<ComposedMessage>>()
  return {
    get(key, compose) {
      let message = kept.get(key)
      if (!message) {
        // A promise at once: readers visited together wait for one composition.
        message = Promise.resolve().then(compose)
        message.catch(() => kept.delete(key))
      } else kept.delete(key)
      kept.set(key, message)
      const oldest = kept.size > most ? kept.keys().next().value : undefined
      if (oldest !== undefined) kept.delete(oldest)
      return message
    },
  }
}
