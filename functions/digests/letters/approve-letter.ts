import { notFound, ServiceError } from '../../errors.ts'
import type { Platform } from '../../platform.ts'
import type { Post } from '../../posts/post.ts'
import { getStoredPost } from '../../posts/stored-post.ts'
import type { Run } from '../runs/run.ts'
import { changeRun, getRun, isOpen, isOver } from '../runs/run-store.ts'
import { advanceLetter } from './advance-letter.ts'
import { approvalOf, letGo } from './letter.ts'

type Approving = Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>

/**
 * Lets a letter that waits for approval go, at its time if that is still to come. What is approved is
 * the post as it stands now: an edit before the letter is on its way asks for approval again, a later
 * one changes nothing of what is mailed. Repeatable.
 *
 * @throws ServiceError 404; 409 `run.over` when it was called off or its deadline has passed;
 * 409 `run.paused` when it is held by hand, which approval does not undo; 409 `post.hidden`.
 */
export async function approveLetter(platform: Approving, runId: string): Promise<Run> {
  const run = await advanceLetter(platform, runId)
  if (!run) throw notFound('A run of this id')
  if (run.waits?.approveBy !== undefined) return releaseLetter(platform, runId)
  if (run.state === 'skipped') throw calledOff(run)
  if (run.state === 'paused') {
    throw new ServiceError(
      409,
      'run.paused',
      'This run is paused and does not wait for approval. Resume it to let it go on.',
    )
  }
  return run
}

/**
 * Takes approval and a pause by hand off a letter that waits: all that it waits for is its time.
 *
 * @throws ServiceError 409 `post.hidden` for a letter that is held and would reach nobody.
 */
export async function releaseLetter(platform: Approving, runId: string): Promise<Run> {
  const { postId, state } = (await getRun(platform, runId))?.value ?? {}
  const post = postId ? (await getStoredPost(platform, postId))?.value : undefined
  if (state === 'paused' && post?.state === 'hidden') throw hidden(post)
  const run = await changeRun(platform, runId, (current) => {
    if (!current.waits || current.state !== 'paused') return undefined
    return { ...letGo(current), ...approvalOf(post), movedAt: platform.now().toISOString() }
  })
  if (!run) throw notFound('A run of this id')
  if (isOver(run)) throw calledOff(run)
  if (isOpen(run)) await platform.jobs.enqueue([{ kind: 'plan', runId }])
  return run
}

function hidden({ hiddenReason }: Post): ServiceError {
  const why = hiddenReason === undefined ? '' : ` (${hiddenReason})`
  return new ServiceError(
    409,
    'post.hidden',
    `The post of this letter is hidden${why}, so it would reach nobody. Publish the post without that, then approve or resume the letter.`,
  )
}

function calledOff({ reason = '' }: Run): ServiceError {
  return new ServiceError(
    409,
    'run.over',
    `This run is over. ${reason} To mail its post after all, publish it again and ask for a mail (\`--mail-again\`).`,
  )
}
