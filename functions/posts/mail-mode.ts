import type { Settings } from '../settings/settings.ts'
import { ownSettings } from './categories.ts'
import type { MailMode } from './post.ts'
import type { StoredPost } from './stored-post.ts'

/** How a post enters the log, and in words why it is not mailed. */
export interface MailDecision {
  listAs: MailMode
  reason?: string
}

/**
 * Decides, when a post first becomes visible, how it reaches mail readers. The post's own `mail`
 * wins, else it is a letter if any of its categories says so. A category's `none` leaves out only
 * that category's readers, which is for the digests to see.
 */
export function decideMail(
  settings: Settings,
  post: Pick<StoredPost, 'mail' | 'mailAt' | 'categories' | 'way' | 'firstSeen' | 'published'>,
): MailDecision {
  if (post.way === 'import') {
    return { listAs: 'none', reason: 'It was imported, and imports are not mailed unless asked.' }
  }
  if (post.mail === 'none') return { listAs: 'none', reason: 'It says `mail: none`.' }
  // A letter is as new as the time that it was set for.
  const dated = letterTime(post) ?? post.published
  const days = (Date.parse(post.firstSeen) - Date.parse(dated)) / 86_400_000
  if (days > settings.digests.maxAgeDays) {
    return {
      listAs: 'none',
      reason: `It is dated ${post.published.slice(0, 10)}: what first comes in more than ${settings.digests.maxAgeDays} days after its date is not mailed.`,
    }
  }
  return { listAs: wishedMode(settings, post) }
}

/** As `decideMail` where the publisher asks for a mail: neither age nor import stands against it. */
export function decideMailAgain(
  settings: Settings,
  post: Pick<StoredPost, 'mail' | 'categories'>,
): MailDecision {
  return post.mail === 'none'
    ? { listAs: 'none', reason: 'It says `mail: none`: take that away to have it mailed.' }
    : { listAs: wishedMode(settings, post) }
}

/** The instant that a post's letter is set for, never before it is visible; `undefined`: none. */
export function letterTime({
  mailAt,
  published,
}: Pick<StoredPost, 'mailAt' | 'published'>): string | undefined {
  return mailAt !== undefined && mailAt < published ? published : mailAt
}

/** What post and categories say now: the post's own wish, else what `decideMail` has of categories. */
export function wishedMode(
  settings: Pick<Settings, 'categories'>,
  { mail, categories }: Pick<StoredPost, 'mail' | 'categories'>,
): MailMode {
  if (mail) return mail
  return categories.some((slug) => ownSettings(settings, slug)?.mail === 'letter')
    ? 'letter'
    : 'digest'
}

/** Says on a post why it is not mailed; without a reason nothing stands against it. */
export function setReason(post: StoredPost, reason: string | undefined): void {
  if (reason === undefined) delete post.notMailedReason
  else post.notMailedReason = reason
}
