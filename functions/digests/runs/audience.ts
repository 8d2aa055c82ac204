import { everything } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import {
  categoryReaders,
  instantReaders,
  scheduleReaders,
} from '../../subscribers/reader-streams.ts'
import { type Estimate, estimateFor } from './estimate.ts'
import { newestRuns } from './run-store.ts'

/** Whom a mail would go to, were it sent now. */
export type Audience = { schedule: string } | { instant: string[] } | { letter: string[] }

export interface AudienceSize {
  readers: number
  /** There are more: they are not counted to the last one. */
  isAtLeast: boolean
  /** How long it would take to mail all of them. */
  estimate: Estimate
}

const mostCounted = 50_000
const mostRuns = 100

/**
 * How many readers a mail would go to at most, and how long that takes. A large audience is told by
 * the last run of its schedule.
 */
export async function sizeOf(
  platform: Pick<Platform, 'records' | 'mailer' | 'settings' | 'now'>,
  audience: Audience,
): Promise<AudienceSize> {
  let readers = 0
  let isAtLeast = false
  for await (const _ of readersOf(platform, audience)) {
    if (readers === mostCounted) {
      isAtLeast = true
      break
    }
    readers++
  }
  const lastTime =
    isAtLeast && 'schedule' in audience ? await lastRunOf(platform, audience.schedule) : 0
  if (lastTime > readers) {
    readers = lastTime
    isAtLeast = false
  }
  return { readers, isAtLeast, estimate: await estimateFor(platform, readers) }
}

function readersOf(platform: Pick<Platform, 'records'>, audience: Audience): AsyncIterable<string> {
  if ('schedule' in audience) return scheduleReaders(platform, audience.schedule)
  return 'instant' in audience
    ? instantReaders(platform, [everything, ...audience.instant])
    : categoryReaders(platform, [everything, ...audience.letter])
}

/** Readers of the last finished run of a schedule; 0 when there is none among the newest runs. */
async function lastRunOf(platform: Pick<Platform, 'records'>, schedule: string): Promise<number> {
  const page = await newestRuns(platform, { limit: mostRuns })
  const last = page.records.find(({ value }) => value.schedule === schedule && value.totals)
  return Object.values(last?.value.totals ?? {}).reduce((sum: number, n: number) => sum + n, 0)
}
