import { aboutJob, type Job } from '../jobs.ts'
import { logAbout } from '../json-log.ts'
import type { Platform, ReceivedJob } from '../platform.ts'
import type { SqliteJobQueue } from './sqlite-job-queue.ts'

/** Handlers end within a minute; the rest is for a machine that was asleep. */
export const leaseSeconds = 120

/** Waits between the attempts at a job that fails, seconds. */
const backOff = [2, 15, 60, 300]

export type RunJob = (platform: Platform, job: Job) => Promise<void>

// Loaded with the first job: it brings every feature along, and an idle server needs none.
const product: RunJob = async (platform, job) => {
  const { runJob } = await import('../jobs.ts')
  return runJob(platform, job)
}

export interface RunJobOptions {
  /** Tries again at once instead of later, for a queue that is to run dry. */
  isImpatient?: boolean
  /** @default what the product does with a job */
  run?: RunJob
}

/**
 * Runs one received job and ends it: completed, or given back for a later attempt. Never throws
 * for what the job does: the log and the dead letters tell.
 */
export function runReceived(
  platform: Platform,
  jobs: SqliteJobQueue,
  received: ReceivedJob,
  { isImpatient = false, run = product }: RunJobOptions = {},
): Promise<void> {
  return logAbout(aboutJob(received.id, received.job), async () => {
    try {
      await run(platform, received.job)
    } catch (error) {
      platform.log.error('job.failed', error, { receives: received.receives })
      const delaySeconds = isImpatient ? 0 : (backOff[received.receives - 1] ?? 300)
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
      await jobs.release(received.receipt, { delaySeconds, reason })
      return
    }
    await jobs.complete(received.receipt)
  })
}

/**
 * Runs jobs until none waits that is due by the platform's clock, those included that jobs make
 * meanwhile. A job that keeps failing ends in the dead letters.
 */
export async function drain(platform: Platform, jobs: SqliteJobQueue): Promise<void> {
  for (let isDry = false; !isDry; ) {
    isDry = true
    for (const lane of ['urgent', 'work', 'mail'] as const) {
      for (;;) {
        if (platform.isEnding?.()) return
        const received = await jobs.receive(lane, { limit: 10, leaseSeconds })
        if (received.length === 0) break
        isDry = false
        for (const some of besideEachOther(received)) {
          await Promise.all(
            some.map((job) => runReceived(platform, jobs, job, { isImpatient: true })),
          )
        }
      }
    }
  }
}

/**
 * Run after run: two that meet at the same readers, as a digest and a letter do, put them off until
 * a later tick, and by a clock that stands there is none.
 */
function besideEachOther(received: readonly ReceivedJob[]): ReceivedJob[][] {
  const groups = new Map<string, ReceivedJob[]>()
  for (const one of received) {
    const run = one.job.kind === 'deliver' ? one.job.runId : ''
    groups.set(run, [...(groups.get(run) ?? []), one])
  }
  return [...groups.values()]
}

/** Runs these jobs here, where no worker does it. A job that fails is left for later. */
export async function runThese(
  platform: Platform,
  jobs: SqliteJobQueue,
  ids: readonly string[],
): Promise<void> {
  for (const id of ids) {
    for (const received of await jobs.take([id], { leaseSeconds })) {
      await runReceived(platform, jobs, received)
    }
  }
}
