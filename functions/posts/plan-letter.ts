import { letterRunId } from '../keys.ts'
import type { Settings } from '../settings/settings.ts'
import { formatInstant } from './format-instant.ts'
import { letterTime, setReason, wishedMode } from './mail-mode.ts'
import type { StoredPost } from './stored-post.ts'

/** How a letter goes, as those who publish its post are told. */
export interface LetterPlan {
  /** The run that mails it. */
  runId: string
  /** RFC 3339: when it goes, if not at once. */
  at?: string
  /** RFC 3339: it goes only if somebody approves it, by then. */
  approveBy?: string
}

/** Notes of a post that is listed at `present` when its letter goes, and how long approval may take. */
export function planLetter(settings: Settings, post: StoredPost, present: string): void {
  delete post.letterAt
  delete post.approveBy
  if (post.listAs !== 'letter') return
  setTime(post, present)
  const hours = settings.mail.approval
  if (hours === undefined) return
  post.approveBy = formatInstant(new Date(Date.parse(present) + hours * 3_600_000))
}

/**
 * Whether a post's letter is still to go. Before its set time it is (`waits`); with approval only
 * its run knows whether somebody was quicker (`may wait`).
 */
export function letterWait(post: StoredPost, present: string): 'waits' | 'may wait' | undefined {
  if (post.listAs !== 'letter') return undefined
  if (post.approveBy !== undefined) {
    return approvalEnd(post.approveBy, post.letterAt) > present ? 'may wait' : undefined
  }
  return post.letterAt !== undefined && post.letterAt > present ? 'waits' : undefined
}

/** A letter that still waits goes when, and only if, its post as edited says so. */
export function moveLetter(
  settings: Settings,
  post: StoredPost,
  previous: StoredPost,
  present: string,
): void {
  const wait = letterWait(previous, present)
  if (!wait) return
  const mode = wishedMode(settings, post)
  if (mode === 'letter') return setTime(post, present)
  // Its run looks at the post; if it has gone, nothing is to be noted here.
  if (wait === 'may wait') return
  const reason =
    mode === 'none'
      ? 'It says `mail: none`.'
      : 'It was to go as a letter and is none any more. Ask for a mail again to bring it into digests.'
  callOff(post, reason)
}

/** A letter that is still to go when its post is withdrawn never goes, also if the post comes back. */
export function withdrawLetter(post: StoredPost, present: string): void {
  if (letterWait(post, present) === 'waits')
    callOff(post, 'It was withdrawn before its letter went.')
}

function callOff(post: StoredPost, reason: string): void {
  post.listAs = 'none'
  post.mailed = false
  delete post.letterAt
  setReason(post, reason)
}

/** The plan of a post that is mailed as a letter; `undefined` for every other. */
export function letterPlan(post: StoredPost): LetterPlan | undefined {
  if (!post.mailed || post.listAs !== 'letter') return undefined
  const { letterAt, approveBy } = post
  return {
    runId: letterRunId(post.id, post.again),
    ...(letterAt === undefined ? {} : { at: letterAt }),
    ...(approveBy === undefined ? {} : { approveBy: approvalEnd(approveBy, letterAt) }),
  }
}

/** Approval may come until the time given for it is over and the letter's own time has come. */
export function approvalEnd(approveBy: string, letterAt: string | undefined): string {
  return letterAt !== undefined && letterAt > approveBy ? letterAt : approveBy
}

/** A post that is dated anew takes its letter along: it would reach nobody before the post is out. */
function setTime(post: StoredPost, present: string): void {
  const at = letterTime(post) ?? post.published
  if (at > present) post.letterAt = at
  else delete post.letterAt
}
