import { digestEmail } from '../../../templates/emails/digest-email.tsx'
import { everything, urlPaths } from '../../keys.ts'
import { bulkHeaders, senderOf } from '../../mail/headers.ts'
import { type ComposedMessage, composeMessage, linkPlaceholders } from '../../mail/message.ts'
import type { Platform } from '../../platform.ts'
import type { Settings } from '../../settings/settings.ts'
import { linkLength } from '../../subscribers/links.ts'
import type { Cadence } from '../../subscribers/subscriber.ts'
import type { Run } from '../runs/run.ts'
import { type Edition, editionId, groupPosts } from './edition.ts'
import type { ShownPost } from './owed.ts'

/** What all mails of a run have in common beside the posts. */
export interface Frame {
  run: Pick<Run, 'id' | 'kind'>
  cadence: Cadence
  timeZone: string
  /** RFC 3339: the period that the run closes. */
  from?: string
  until: string
}

/** A digest before it is put into a message. */
export interface DigestText {
  subject: string
  html: string
  text: string
}

type Source = Pick<Platform, 'settings' | 'secrets'>

/** What a digest is about. */
export interface DigestContent {
  /** Those that it may show, newest first. */
  posts: readonly ShownPost[]
  /** How many there are in all. */
  count: number
}

/**
 * The digest of an edition, links as placeholders. The newest posts are in it: those given, or fewer
 * when the page would be cut; the others stand behind the edition's link.
 */
export function writeDigest(
  { settings, secrets }: Source,
  frame: Frame,
  edition: Edition,
  { posts, count: all }: DigestContent,
  titles: ReadonlyMap<string, string>,
): DigestText {
  const chosen = Object.keys(edition.from)
  const id = chosen.length > 0 ? editionId({ secrets }, edition) : undefined
  for (let count = posts.length; ; ) {
    const email = digestEmail({
      settings,
      locale: edition.locale,
      groups: groupPosts(posts.slice(0, count), titles, { settings, locale: edition.locale }),
      more: Math.max(0, all - count),
      ...(id ? { editionUrl: `${settings.site.baseUrl}${urlPaths.edition(id)}` } : {}),
      ...(frame.from ? { from: frame.from } : {}),
      until: frame.until,
      cadence: frame.cadence,
      timeZone: frame.timeZone,
      categoryTitles: chosen.includes(everything)
        ? []
        : chosen.map((slug) => titles.get(slug) ?? slug).sort(),
      links: linkPlaceholders,
    })
    // It leaves out the last of its groups to stay short; what is left out should be the oldest.
    if (email.shown >= count || count <= 1) return email
    count = Math.max(1, email.shown)
  }
}

/** The message of a text, ready for each reader's links. */
export function composeBulk(
  settings: Settings,
  run: Pick<Run, 'id' | 'kind'>,
  text: DigestText,
): ComposedMessage {
  const { mail } = settings
  return composeMessage({
    from: senderOf(settings),
    ...(mail.replyTo ? { replyTo: mail.replyTo } : {}),
    ...text,
    headers: bulkHeaders(settings, run),
    linkLength: linkLengths(settings),
    ...(mail.unsubscribeMailto ? { unsubscribeMailto: mail.unsubscribeMailto } : {}),
  })
}

/** Bytes of a reader's links: the same for all. */
function linkLengths({ site }: Settings): { preferences: number; unsubscribe: number } {
  const token = 'x'.repeat(linkLength)
  return {
    preferences: `${site.baseUrl}${urlPaths.preferences(token)}`.length,
    unsubscribe: `${site.baseUrl}${urlPaths.unsubscribe(token)}`.length,
  }
}
