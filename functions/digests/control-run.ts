import { notFound, ServiceError } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { driveRun } from './drive.ts'
import type { Run } from './run.ts'
import { changeRun, getRun, isOpen, isOver, openRun } from './run-store.ts'

/**
 * Protocol R4: opens a run again for its failed deliveries, and only for them. What is still owed of
 * each is sent. Repeating it while it runs drives it on and raises nothing.
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
  // Listed as open before it is: see `closeRun`.
  await openRun(platform, existing)
  const run = await changeRun(platform, runId, (current) => {
    if (!isOver(current)) return undefined
    const { finishedAt: _, reason: _reason, totals: _totals, ...rest } = current
    return {
      ...rest,
      gen: current.gen + 1,
      state: 'sending',
      movedAt: platform.now().toISOString(),
    }
  })
  if (!run) throw notFound('A run of this id')
  await driveRun(platform, run)
  return (await getRun(platform, runId))?.value ?? run
}

/** Holds a run. Deliveries under way end; nothing more is claimed. Repeatable. */
export async function pauseRun(
  platform: Pick<Platform, 'records' | 'now'>,
  runId: string,
  reason = 'Paused by hand.',
): Promise<Run> {
  const run = await changeRun(platform, runId, (current) =>
    isOpen(current)
      ? { ...current, state: 'paused', reason, movedAt: platform.now().toISOString() }
      : undefined,
  )
  if (!run) throw notFound('A run of this id')
  if (isOver(run)) {
    throw new ServiceError(409, 'run.over', 'This run is over: there is nothing to pause.')
  }
  return run
}

/** Lets a paused run go on. Repeatable. */
export async function resumeRun(
  platform: Pick<Platform, 'records' | 'jobs' | 'now' | 'mailer' | 'settings'>,
  runId: string,
): Promise<Run> {
  const run = await changeRun(platform, runId, (current) => {
    if (current.state !== 'paused') return undefined
    const { reason: _, ...rest } = current
    return { ...rest, state: 'sending', movedAt: platform.now().toISOString() }
  })
  if (!run) throw notFound('A run of this id')
  if (!isOver(run)) {
    await openRun(platform, run)
    await driveRun(platform, run)
  }
  return run
}
