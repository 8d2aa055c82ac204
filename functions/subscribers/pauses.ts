import { allRecords } from '../all-records.ts'
import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { startingNow } from './choices.ts'
import { changeAndTidy, changeSubscriber, removeStray } from './memberships.ts'
import { preferencesOf } from './preferences.ts'
import type { Subscriber } from './subscriber.ts'

/** No mail until an instant. What is listed meanwhile is not owed. Gives back the reader as they stand. */
export function pauseUntil(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  until: Date,
): Promise<Subscriber | undefined> {
  return changeAndTidy(platform, id, (current) => {
    if (current?.state !== 'confirmed' && current?.state !== 'paused') return undefined
    const { catchUp: _, ...rest } = current
    return { ...rest, state: 'paused', pausedUntil: until.toISOString() }
  })
}

/** Ends a pause at once. */
export function resume(
  platform: Pick<Platform, 'records' | 'now' | 'settings'>,
  id: string,
): Promise<Subscriber | undefined> {
  return changeSubscriber(platform, id, (current, head) =>
    current?.state === 'paused'
      ? startingNow(current, preferencesOf(current, platform.settings), head)
      : undefined,
  )
}

/**
 * Ends the pauses whose date has come, by the list that pausing keeps. Gives back how many.
 * Repeatable; overlapping calls do it once.
 */
export async function endPauses(
  platform: Pick<Platform, 'records' | 'now' | 'settings'>,
): Promise<number> {
  const now = platform.now().toISOString()
  let ended = 0
  // `~` sorts behind the `#` and the digits of an id.
  for await (const row of allRecords(platform, recordKeys.pauses, { to: `${now}~` })) {
    let isOver = false
    await changeSubscriber(platform, row.sort.slice(-32), (current, head) => {
      isOver = current?.state === 'paused' && (current.pausedUntil ?? '') <= now
      return isOver && current
        ? startingNow(current, preferencesOf(current, platform.settings), head)
        : undefined
    })
    if (isOver) ended += 1
    else await removeStray(platform, row)
  }
  return ended
}
