import { notFound, ServiceError } from '../../errors.ts'
import { recordKeys } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { guardAfresh } from '../feedback/guard.ts'
import { advanceLetter } from '../letters/advance-letter.ts'
import { releaseLetter } from '../letters/approve-letter.ts'
import { countsOf } from './books.ts'
import { driveRun } from './drive.ts'
import type { Run } from './run.ts'
import { booksOf, changeRun, getRun, isFinished, isOpen, isOver, openRun } from './run-store.ts'

/**
 * Protocol R4: opens a run again for its failed deliveries, and only for them. What is still owed of
 * each is sent. Only a run that is over: what failed is then counted, and a mailbox that is tried
 * again for hours ends first.
 *
 * @throws ServiceError `run.paused`, `run.under-way`
 */
export async function retryRun(
  platform: Pick<Platform, 'records' | 'jobs' | 'now' | 'mailer' | 'settings'>,
  runId: string,
): Promise<Run> {
  const existing = (await getRun(platform, runId))?.value
  if (!existing) throw notFound('A run of this id')
  if (existing.state === 'paused') {
    throw new ServiceError(
      409,
      'run.paused',
      'This run is paused. Resume it first, then retry what failed.',
    )
  }
  // A letter that was called off before it was planned: nobody failed, and nothing may be sent.
  if (existing.chunks === 0) return existing
  if (!isOver(existing)) {
    const { pending } = await countsOf(platform, existing)
    const goingOn = pending === 1 ? '1 delivery still goes on' : `${pending} deliveries still go on`
    throw new ServiceError(
      409,
      'run.under-way',
      `${pending === 0 ? 'This run is about to end' : `In this run ${goingOn}`}: what failed can be retried when the run is done.`,
    )
  }
  // Listed as open before it is: see `closeRun`.
  await openRun(platform, existing)
  // What failed is neither taken nor refused any more once it is to be tried again.
  const { totals: _sums, ...counted } = existing
  const guard = await guardAfresh(platform, { ...counted, gen: existing.gen + 1 })
  const run = await changeRun(platform, runId, (current) => {
    if (!isOver(current)) return undefined
    const { finishedAt: _, reason: _reason, totals: _totals, ...rest } = current
    return {
      ...rest,
      gen: current.gen + 1,
      state: 'sending',
      guard,
      movedAt: platform.now().toISOString(),
    }
  })
  if (!run) throw notFound('A run of this id')
  if (run.gen > existing.gen) await countUntouched(platform, run)
  await driveRun(platform, run)
  return (await getRun(platform, runId))?.value ?? run
}

/** Chunks without a failed delivery are finished for the new `gen` as they are. */
async function countUntouched({ records }: Pick<Platform, 'records'>, run: Run): Promise<void> {
  let untouched = 0
  for await (const { book } of booksOf({ records }, run.id)) if (isFinished(book, run)) untouched++
  const expiresAt = new Date(run.expires)
  await records.add(recordKeys.finishedChunks(run.id, run.gen), untouched, { expiresAt })
}

/**
 * Holds a run. Deliveries under way end; nothing more is claimed. A letter that waits is held
 * beyond its time and its deadline. Repeatable.
 */
export async function pauseRun(
  platform: Pick<Platform, 'records' | 'now'>,
  runId: string,
  reason = 'Paused by hand.',
): Promise<Run> {
  const run = await changeRun(platform, runId, (current) => {
    if (!isOpen(current) && !current.waits) return undefined
    const { approveBy: _, edited: _edited, ...waits } = current.waits ?? {}
    return {
      ...current,
      ...(current.waits ? { waits } : {}),
      state: 'paused',
      reason,
      movedAt: platform.now().toISOString(),
    }
  })
  if (!run) throw notFound('A run of this id')
  if (isOver(run)) {
    throw new ServiceError(
      409,
      'run.over',
      'This run is over: there is nothing to pause. To hold the next ones, pause all sending (`runs pause` without an id, or `POST /api/v1/sending/pause`).',
    )
  }
  return run
}

/**
 * Lets a paused run go on, a letter that waits for approval too. Repeatable. Bounces and complaints
 * count from here on, so that a run that paused itself is not paused again by the same ones.
 */
export async function resumeRun(
  platform: Pick<Platform, 'records' | 'jobs' | 'now' | 'mailer' | 'settings'>,
  runId: string,
): Promise<Run> {
  const existing = await advanceLetter(platform, runId)
  if (!existing) throw notFound('A run of this id')
  if (existing.waits) return releaseLetter(platform, runId)
  const guard = existing.state === 'paused' ? await guardAfresh(platform, existing) : existing.guard
  const run = await changeRun(platform, runId, (current) => {
    if (current.state !== 'paused') return undefined
    const { reason: _, ...rest } = current
    return {
      ...rest,
      state: 'sending',
      ...(guard ? { guard } : {}),
      movedAt: platform.now().toISOString(),
    }
  })
  if (!run) throw notFound('A run of this id')
  if (!isOver(run)) {
    await openRun(platform, run)
    await driveRun(platform, run)
  }
  return run
}
