import { letterRunId } from '../../keys.ts'
import { formatInstant } from '../../posts/format-instant.ts'
import type { LogEntry } from '../../posts/log.ts'
import { wishedMode } from '../../posts/mail-mode.ts'
import { approvalEnd } from '../../posts/plan-letter.ts'
import type { Post } from '../../posts/post.ts'
import type { StoredPost } from '../../posts/stored-post.ts'
import type { Settings } from '../../settings/settings.ts'
import type { ApprovedPost, LetterWait, Run } from '../runs/run.ts'
import type { NewRun } from '../runs/run-store.ts'

/** What a letter's run is judged by. */
export interface LetterSight {
  /** As it stands now; `undefined` when there is none. */
  post: StoredPost | undefined
  settings: Pick<Settings, 'mail' | 'categories'>
  /** RFC 3339, UTC, whole seconds. */
  now: string
}

/** RFC 3339: until when a letter may be approved; `undefined` when it needs none, or has it. */
export function approvalDeadline({ waits, dueAt }: Pick<Run, 'waits' | 'dueAt'>) {
  return waits?.approveBy === undefined ? undefined : approvalEnd(waits.approveBy, dueAt)
}

/** The run of a letter as it is first made. */
export function newLetterRun(
  entry: Pick<LogEntry, 'n' | 'postId' | 'again'>,
  { post, now }: Pick<LetterSight, 'post' | 'now'>,
): NewRun {
  const approveBy = post?.approveBy
  const at = timeToCome(post, now)
  const isEarly = at !== undefined
  return asItWaits({
    id: letterRunId(entry.postId, entry.again),
    schedule: 'letter',
    kind: 'letter',
    dueAt: at ?? now,
    to: entry.n,
    postId: entry.postId,
    state: 'planned',
    waits: {
      ...(isEarly ? { early: true } : {}),
      ...(approveBy === undefined ? {} : { approveBy }),
    },
  })
}

/**
 * A letter that waits, as it should be at an instant: called off, at another time, past its
 * deadline, or on its way. `nextNumber` is the log's next: a letter with a set time is for those who
 * are its readers then, so `to` is frozen when that time has come, before anything is planned. One
 * that is held by hand stays held. One that was approved waits anew when its post was edited since;
 * once on its way it goes to everybody as it was approved. None goes before its post is out; one whose
 * post is hidden when it would go is called off, since whoever hides a post names no day.
 */
export function letterNow(run: Run, sight: LetterSight, nextNumber: number): Run {
  if (!run.waits) return run
  const { now, post, settings } = sight
  const reason = whyCalledOff(run, sight)
  if (reason !== undefined) return calledOff(run, reason, now)
  const timed = withApproval(withTime(run, run.waits, { post, now, nextNumber }), sight)
  const deadline = approvalDeadline(timed)
  const isLate = deadline !== undefined && deadline <= now
  if (isLate && settings.mail.unapproved !== 'send') {
    return calledOff(timed, `Nobody approved it until ${deadline}.`, now)
  }
  const next = isLate ? letGo(timed) : asItWaits(timed)
  const isHidden = !next.waits && post?.state === 'hidden'
  return isHidden ? calledOff(next, hiddenThen, now) : next
}

/** A letter that somebody approved or resumed: all that it still waits for is its time. */
export function letGo<R extends NewRun>(run: R): R {
  return asItWaits({ ...run, state: 'planned', waits: run.waits?.early ? { early: true } : {} })
}

/** What a person approves who lets the letter of a post go; nothing where it needs no approval. */
export function approvalOf(post: StoredPost | undefined): { approved?: ApprovedPost } {
  if (post?.approveBy === undefined) return {}
  const { id, revision, slug, title, published, summary, authors, categories } = post
  const { language, image, canonicalUrl } = post
  return {
    approved: {
      ...{ id, revision, slug, title, published, summary, authors, categories },
      ...(language === undefined ? {} : { language }),
      ...(image === undefined ? {} : { image }),
      ...(canonicalUrl === undefined ? {} : { canonicalUrl }),
    },
  }
}

/** Why a letter is owed to nobody any more; `undefined` when it still is, as far as its post says. */
export function whyNotOwed(post: Post | undefined): string | undefined {
  if (!post || post.state === 'withdrawn') return 'Its post was withdrawn before it was mailed.'
  if (post.mail === 'none') return 'Its post says `mail: none`.'
  return post.state === 'visible' ? undefined : hiddenThen
}
const hiddenThen = 'Its post was hidden when it was to be mailed.'

/**
 * RFC 3339: when a letter goes, while that is to come. The date of a post that is not out counts
 * whenever it was moved: of a letter that was held by hand then, the post notes no time.
 */
function timeToCome(post: StoredPost | undefined, now: string): string | undefined {
  const { letterAt = '', published = '', state } = post ?? {}
  // Its date may have come, and no tick yet that brings it out.
  if (state === 'scheduled') return letterAt > published ? letterAt : published
  return letterAt > now ? letterAt : undefined
}

/** State and reason that tell what a letter waits for; on its way when that is nothing. */
function asItWaits<R extends NewRun>(run: R): R {
  const deadline = approvalDeadline(run)
  if (deadline !== undefined) {
    const why = run.waits?.edited ? 'Its post was edited after it was approved. ' : ''
    return { ...run, state: 'paused', reason: `${why}Waits for approval until ${deadline}.` }
  }
  if (run.state !== 'planned') return run
  if (run.waits?.early) return { ...run, reason: 'Waits for its time.' }
  const { reason: _, waits: _waits, ...rest } = run
  return rest as R
}

function whyCalledOff(run: Run, { post, settings }: LetterSight): string | undefined {
  // One that is hidden for a while may be back by then.
  if (!post || post.state === 'withdrawn' || post.mail === 'none') return whyNotOwed(post)
  if (run.id !== letterRunId(post.id, post.again)) return 'Its post is mailed anew instead.'
  const isLetter = post.listAs === 'letter' && wishedMode(settings, post) === 'letter'
  return isLetter ? undefined : 'Its post is no letter any more.'
}

/** Without chunks, so that nothing is ever planned of it. */
function calledOff({ waits: _, ...run }: Run, reason: string, now: string): Run {
  return {
    ...run,
    state: 'skipped',
    reason,
    chunks: 0,
    totals: { accepted: 0, suppressed: 0, empty: 0, failed: 0, unknown: 0 },
    finishedAt: now,
  }
}

/** Who holds a letter by hand approves it by letting it go, as its post stands then. */
function withApproval(run: Run, { post, settings, now }: LetterSight): Run {
  const { approved, ...rest } = run
  if (!approved || run.state === 'paused' || approved.revision === post?.revision) return run
  const hours = settings.mail.approval
  if (hours === undefined) return rest
  const approveBy = formatInstant(new Date(Date.parse(now) + hours * 3_600_000))
  return { ...rest, waits: { ...run.waits, approveBy, edited: true } }
}

function withTime(
  run: Run,
  { early, ...waits }: LetterWait,
  { post, now, nextNumber }: Pick<LetterSight, 'post' | 'now'> & { nextNumber: number },
): Run {
  const at = timeToCome(post, now)
  if (at !== undefined) return { ...run, dueAt: at, waits: { ...waits, early: true } }
  return early ? { ...run, dueAt: post?.letterAt ?? now, to: nextNumber, waits } : run
}
