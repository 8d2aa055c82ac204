import type { Platform, RecordKey } from '../platform.ts'
import { readLogHead } from '../posts/log.ts'
import { membershipRows } from './membership-rows.ts'
import { dropSchedule, instantScheduleId, keepSchedule } from './schedule.ts'
import { getSubscriber, putSubscriber } from './store.ts'
import type { Subscriber } from './subscriber.ts'

const mostRounds = 10

/**
 * Changes a reader: protocol M1, step by step. `change` gets the item as it stands and the log's
 * highest number, gives back the new item, or `undefined` to leave all as it is; it may be called
 * several times and does nothing else. Gives back the item as it stands afterwards.
 *
 * Rows that are to stand are written first, also those that already stand: a racing change may be
 * about to delete them, and finds another version then. The schedule comes after the row (M5). Rows
 * that are to go are deleted last, at the versions seen before the item was written.
 */
export async function changeSubscriber(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  change: (current: Subscriber | undefined, head: number) => Subscriber | undefined,
): Promise<Subscriber | undefined> {
  const { records, now } = platform
  for (let round = 0; ; round++) {
    const stored = await getSubscriber(platform, id)
    const head = await readLogHead(platform)
    const next = change(stored?.value, head.last)
    if (!next) return stored?.value

    const standing = membershipRows(next)
    if (!stored && standing.length > 0) {
      // Rows may stand only for an item that exists: whoever judges a stray row writes the item to
      // hold off a racing change, and cannot where there is none.
      await putSubscriber(platform, unconfirmed(next, now()), undefined)
      continue
    }
    await Promise.all(standing.map((row) => records.put({ ...row, value: {} })))
    if (scheduleIdOf(next) !== undefined) {
      const { schedule, cadence, day, at, timeZone } = next
      await keepSchedule(platform, {
        id: schedule,
        cadence,
        ...(day === undefined ? {} : { day }),
        at,
        timeZone,
      })
    }

    // The run of a post that was listed between head and rows may have been planned without the rows:
    // what is owed begins after it. Not for ever, while posts come faster than one round takes.
    const isAtOnce = next.state === 'confirmed' && next.schedule === instantScheduleId
    if (isAtOnce && round < mostRounds && (await readLogHead(platform)).last !== head.last) continue

    const stays = new Set(standing.map(nameOf))
    const going = (stored ? membershipRows(stored.value) : []).filter(
      (row) => !stays.has(nameOf(row)),
    )
    const noted = await records.getMany(going)

    const outcome = await putSubscriber(platform, next, stored?.version)
    if (outcome.status === 'conflict') continue

    await Promise.all(noted.map((row) => row && records.delete(row, { ifVersion: row.version })))
    return next
  }
}

/**
 * As `changeSubscriber`, and removes the schedule that the reader was the last one to leave: what
 * readers change themselves leaves nothing behind. A crash before that leaves it to the next tick at
 * which the schedule is due.
 */
export async function changeAndTidy(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  change: (current: Subscriber | undefined, head: number) => Subscriber | undefined,
): Promise<Subscriber | undefined> {
  let before: string | undefined
  const reader = await changeSubscriber(platform, id, (current, head) => {
    before = current && scheduleIdOf(current)
    return change(current, head)
  })
  if (before !== undefined && before !== (reader && scheduleIdOf(reader))) {
    await dropSchedule(platform, before)
  }
  return reader
}

/** Under which schedule the reader has a row; `undefined`: none. */
function scheduleIdOf({ state, schedule }: Subscriber): string | undefined {
  return state === 'confirmed' && schedule !== instantScheduleId ? schedule : undefined
}

/**
 * Removes a row that its reader's item does not ask for: protocol M2. The item is written
 * unchanged first, so that a change that is under way and needs the row starts over and writes it
 * again, at another version than the one deleted here. Gives back whether the row is gone.
 */
export async function removeStray(
  platform: Pick<Platform, 'records'>,
  row: RecordKey,
): Promise<boolean> {
  const { records } = platform
  const standing = await records.get(row)
  if (!standing) return true
  const id = row.sort.slice(-32)
  const stored = await getSubscriber(platform, id)
  if (stored) {
    if (membershipRows(stored.value).some((needed) => nameOf(needed) === nameOf(row))) return false
    const fence = await putSubscriber(platform, stored.value, stored.version)
    if (fence.status === 'conflict') return false
  }
  return (await records.delete(row, { ifVersion: standing.version })).status === 'deleted'
}

/**
 * Lets a reader leave the catch-up schedule once `isDone` says of the item that it has nothing more
 * to do for them (protocol M4).
 */
export async function leaveCatchUp(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  isDone: (subscriber: Subscriber) => boolean,
): Promise<void> {
  await changeSubscriber(platform, id, (current) => {
    if (!current?.catchUp || !isDone(current)) return undefined
    const { catchUp: _, ...rest } = current
    return rest
  })
}

/** Forgotten after a day if the change that made it is never finished. */
function unconfirmed(next: Subscriber, now: Date): Subscriber {
  const { catchUp: _catchUp, pausedUntil: _pausedUntil, ...rest } = next
  const expires = new Date(now.getTime() + 24 * 60 * 60 * 1000).toISOString()
  return { ...rest, state: 'pending', categories: {}, expires }
}

const nameOf = ({ partition, sort }: RecordKey) => `${partition}\n${sort}`
