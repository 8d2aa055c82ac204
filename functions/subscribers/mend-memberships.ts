import { recordKeys, shards } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { membershipRows } from './membership-rows.ts'
import { instantScheduleId, keepSchedule, type Schedule } from './schedule.ts'
import type { Subscriber } from './subscriber.ts'

/**
 * Puts every row that a reader's item asks for and that is missing: for records that were copied
 * one by one while readers changed their minds, where an item may be older than its rows. Rows too
 * many stay, as the item decides. Repeatable; gives back how many rows were missing.
 */
export async function mendMemberships({ records }: Pick<Platform, 'records'>): Promise<number> {
  const kept = new Set<string>()
  let mended = 0
  for (const shard of shards) {
    let cursor: string | undefined
    do {
      const page = await records.query<Subscriber>(
        recordKeys.subscribers(shard),
        cursor === undefined ? {} : { cursor },
      )
      const rows = page.records.flatMap(({ value }) => membershipRows(value))
      const found = await records.getMany(rows)
      const missing = rows.filter((_, i) => !found[i])
      await records.putMany(missing.map((row) => ({ ...row, value: {} })))
      for (const { value } of page.records) {
        if (value.state !== 'confirmed' || kept.has(value.schedule)) continue
        kept.add(value.schedule)
        if (value.schedule !== instantScheduleId) await keepSchedule({ records }, scheduleIn(value))
      }
      mended += missing.length
      cursor = page.cursor
    } while (cursor !== undefined)
  }
  return mended
}

function scheduleIn({ schedule, cadence, day, at, timeZone }: Subscriber): Schedule {
  return { id: schedule, cadence, ...(day === undefined ? {} : { day }), at, timeZone }
}
