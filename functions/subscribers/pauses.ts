import { allRecords } from '../all-records.ts'
import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { openTurn, sideBySide } from '../turn.ts'
import { startingNow } from './choices.ts'
import { changeAndTidy, changeSubscriber, removeStray } from './memberships.ts'
import { preferencesOf } from './preferences.ts'
import { isReader, type Subscriber } from './subscriber.ts'

/** No mail until an instant. What is listed meanwhile is not owed. Gives back the reader as they stand. */
export function pauseUntil(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  until: Date,
): Promise<Subscriber | undefined> {
  return changeAndTidy(platform, id, (current) => {
    if (!current || !isReader(current)) return undefined
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
 * Repeatable; overlapping calls do it once. What has no room in the turn is left to the next tick.
 */
export async function endPauses(
  platform: Pick<Platform, 'records' | 'now' | 'settings'>,
  turn = openTurn(),
): Promise<number> {
  const now = platform.now().toISOString()
  let ended = 0
  // `~` sorts behind the `#` and the digits of an id.
  const over = allRecords(platform, recordKeys.pauses, { to: `${now}~` })
  await sideBySide(over, turn, async (row) => {
    let isOver = false
    await changeSubscriber(platform, row.sort.slice(-32), (current, head) => {
      isOver = current?.state === 'paused' && (current.pausedUntil ?? '') <= now
      return isOver && current
        ? startingNow(current, preferencesOf(current, platform.settings), head)
        : undefined
    })
    if (isOver) ended += 1
    else await removeStray(platform, row)
  })
  return ended
}
