import { recordKeys } from './keys.ts'
import type { Platform, RecordKey, StoredRecord } from './platform.ts'

/** What stands in `recordKeys.clock`: how far the clock has come, or why it stands. */
export interface ClockMark {
  /** RFC 3339: the instant of the last finished tick; absent before the first. */
  at?: string
  /**
   * RFC 3339: up to where the runs of schedules are made, where that is earlier than `at`: sending has
   * been paused since.
   */
  madeUpTo?: string
  /**
   * Records of a backup are being put in. Until all are there a tick does nothing: a schedule with
   * half of its readers would make a run for half of them.
   */
  restoring?: Restoring
}

/** A restore under way; whoever begins it again goes on behind `after`. */
export interface Restoring {
  /** Names the backup: another one is refused meanwhile. */
  backup: string
  /** RFC 3339: the instant of the backup, for people. */
  of: string
  /** Every record up to this key is there. */
  after?: RecordKey
}

/** After which instant the next tick makes the runs of schedules; absent before the first tick. */
export function madeUpTo(mark: ClockMark | undefined): Date | undefined {
  const at = mark?.madeUpTo ?? mark?.at
  return at === undefined ? undefined : new Date(at)
}

/** `undefined` before the first tick. */
export function readClock({
  records,
}: Pick<Platform, 'records'>): Promise<StoredRecord<ClockMark> | undefined> {
  return records.get<ClockMark>(recordKeys.clock)
}
