import type { ErrorCode } from '../error-codes.ts'
import type { ServiceError } from '../errors.ts'
import { everything } from '../keys.ts'
import { looksTheSame } from './compose-post.ts'
import { type LetterPlan, letterPlan, letterWait } from './plan-letter.ts'
import type { Post } from './post.ts'
import type { StoredPost } from './stored-post.ts'

/** What became of one source. */
export type PublishOutcome = PostOutcome | Ignored | Refused

/** No post at all, such as a section file. */
export interface Ignored {
  status: 'ignored'
  /** Stable. */
  code: ErrorCode
  reason: string
}

/** Somebody must correct it. */
export interface Refused {
  status: 'refused'
  /** Stable. */
  code: ErrorCode
  reason: string
  /** The refusal itself, with the single fields that are wrong. */
  error?: ServiceError
}

export interface PostOutcome {
  /**
   * `published`: visible for the first time. `updated`: readers see something else. `unchanged`:
   * they do not. `hidden`: stored and not shown, being a draft or dated in the future.
   */
  status: 'published' | 'updated' | 'unchanged' | 'hidden'
  post: Post
  /** The feeds it is in: `*` and slugs. */
  feeds: string[]
  /** What `platform.settled` waits for, so that feeds and pages show it. */
  jobIds: string[]
  /** Whether this publish brings it to readers of mail. */
  mailed: boolean
  /** How and when, where that is as a letter. */
  letter?: LetterPlan
  /** Why it is not mailed, or why hidden. */
  reason?: string
  /** Why hidden: `post.hidden` or `post.scheduled`. */
  code?: ErrorCode
  /** There was no such post before. */
  isNew: boolean
}

/** Says what a publish made of a post. A repeat of one request (by its receipt) is told the same again. */
export function outcomeOf(
  post: StoredPost,
  previous: StoredPost | undefined,
  {
    receipt,
    mailAgain,
    present,
  }: {
    receipt?: string
    mailAgain?: boolean
    /** The instant of the publish; RFC 3339, whole seconds. */
    present: string
  },
): PostOutcome {
  const feeds = post.state === 'visible' ? [everything, ...post.categories] : []
  const shown = { post, feeds, jobIds: [] }
  const before = previous?.receipt
  if (before && before.hash === receipt && looksTheSame(previous, post)) {
    const { hash: _, ...answer } = before
    return { ...shown, ...answer, ...(answer.mailed ? byLetter(post) : {}), ...codeOf(post) }
  }
  const isNew = previous === undefined
  if (post.state !== 'visible') {
    const reason = whyHidden(post, previous && letterWait(previous, present))
    return { ...shown, status: 'hidden', isNew, mailed: false, reason, ...codeOf(post) }
  }
  const why = post.notMailedReason === undefined ? {} : { reason: post.notMailedReason }
  if (previous?.number === undefined) {
    return {
      ...shown,
      status: 'published',
      isNew,
      mailed: post.mailed,
      ...byLetter(post),
      ...(post.mailed ? {} : why),
    }
  }
  if (post.again > previous.again) {
    return { ...shown, status: 'updated', isNew, mailed: true, ...byLetter(post) }
  }
  const status = looksTheSame(previous, post) ? 'unchanged' : 'updated'
  const wait = letterWait(previous, present)
  if (wait === 'waits') {
    const { mailed } = post
    return { ...shown, status, isNew, mailed, ...byLetter(post), ...(mailed ? {} : why) }
  }
  if (mailAgain) return { ...shown, status, isNew, mailed: false, ...why }
  if (wait === 'may wait') {
    const reason =
      'An edit is not mailed again unless asked; if its letter still waits, it goes as the post now stands.'
    return { ...shown, status, isNew, mailed: false, reason }
  }
  const reason =
    status === 'unchanged'
      ? 'Nothing changed, and nothing is mailed twice unless asked.'
      : 'An edit is not mailed again unless asked.'
  return { ...shown, status, isNew, mailed: false, reason }
}

/**
 * Of a scheduled post that was never listed, the reason why it is not mailed names the day. One that
 * was out keeps its place in the log, or those who have it would get it twice: what passes that place
 * while it is away does not come back to it.
 */
function whyHidden(post: StoredPost, wait: ReturnType<typeof letterWait>): string {
  const { hiddenReason, notMailedReason, number, published, listAs, letterAt = published } = post
  const reason = hiddenReason ?? (number === undefined ? notMailedReason : undefined)
  if (reason !== undefined) return reason
  const when = `It is dated in the future and comes out on ${published}`
  if (!post.mailed || post.mail === 'none') return `${when}, without a mail.`
  if (listAs === 'digest') {
    return `${when}. It was out before: readers whose digest is due until then do not get it in a later one. To mail it to all its readers, publish it again once it is out and ask for a mail (\`--mail-again\`).`
  }
  if (wait === 'waits') return `${when}; its letter goes at ${letterAt}.`
  if (wait === 'may wait')
    return `${when}; if its letter still waits, it goes then at the earliest.`
  return `${when}, without another mail.`
}

function byLetter(post: StoredPost): Pick<PostOutcome, 'letter'> {
  const letter = letterPlan(post)
  return letter ? { letter } : {}
}

function codeOf({ state }: Post): { code?: ErrorCode } {
  if (state === 'hidden') return { code: 'post.hidden' }
  return state === 'scheduled' ? { code: 'post.scheduled' } : {}
}
