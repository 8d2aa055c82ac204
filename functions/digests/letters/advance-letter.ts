import { letterRunId } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { formatInstant } from '../../posts/format-instant.ts'
import { readLogHead } from '../../posts/log.ts'
import { getStoredPost } from '../../posts/stored-post.ts'
import type { Run } from '../runs/run.ts'
import { changeRun, closeRun, expiryOf, getRun, isOpen, isOver } from '../runs/run-store.ts'
import { letterNow } from './letter.ts'

/**
 * Brings a letter that waits up to the present: to the time that its post now names, over when it was
 * called off or its deadline has passed, on its way when it waits for nothing more. Every other run is
 * left alone. Repeatable; gives back the run as it then is.
 */
export async function advanceLetter(
  platform: Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>,
  runId: string,
): Promise<Run | undefined> {
  const { settings } = platform
  const seen = (await getRun(platform, runId))?.value
  if (!seen?.postId || !seen.waits) return seen
  // Before the write that freezes `to`: whoever confirms after it begins above this number, or is
  // one of its readers a moment early.
  const { last } = await readLogHead(platform)
  const post = (await getStoredPost(platform, seen.postId))?.value
  const sight = { post, settings, now: formatInstant(platform.now()) }
  const run = await changeRun(platform, runId, (current) => {
    const next = letterNow(current, sight, last + 1)
    if (JSON.stringify(next) === JSON.stringify(current)) return undefined
    const expires = next.dueAt === current.dueAt ? next.expires : expiryOf(platform, next.dueAt)
    return { ...next, expires, movedAt: platform.now().toISOString() }
  })
  if (run && isOver(run)) await closeRun(platform, runId)
  else if (run && isOpen(run)) await platform.jobs.enqueue([{ kind: 'plan', runId }])
  return run
}

/** Brings a post's letter, if it waits, up to what the post now says. */
export async function followLetter(
  platform: Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>,
  postId: string,
): Promise<void> {
  const post = (await getStoredPost(platform, postId))?.value
  if (post) await advanceLetter(platform, letterRunId(postId, post.again))
}
