import { recordKeys } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { latestOccurrence, type Rhythm } from '../../subscribers/cadence.ts'
import type { Schedule } from '../../subscribers/schedule.ts'
import type { Run } from './run.ts'

/** The schedule that a run is an occurrence of; `undefined` for instant runs and the like. */
export async function scheduleOfRun(
  { records }: Pick<Platform, 'records'>,
  run: Pick<Run, 'kind' | 'schedule'>,
): Promise<Schedule | undefined> {
  if (run.kind !== 'digest') return undefined
  return (await records.get<Schedule>(recordKeys.schedule(run.schedule)))?.value
}

/** RFC 3339: when the period begins that a run closes; `undefined` where there are no periods. */
export async function periodStart(
  platform: Pick<Platform, 'records'>,
  run: Pick<Run, 'kind' | 'schedule' | 'dueAt'>,
): Promise<string | undefined> {
  const schedule = await scheduleOfRun(platform, run)
  return schedule && occurrenceBefore(schedule, run.dueAt)
}

/** RFC 3339: the last occurrence before an instant, itself not counted. */
export function occurrenceBefore(schedule: Rhythm, instant: string): string {
  const before = new Date(Date.parse(instant) - 1)
  return latestOccurrence(schedule, before).toISOString().replace('.000Z', 'Z')
}
