import { afterEach, expect, it } from 'vitest'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import type { Platform } from '../../../functions/platform.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'

let platform: ScratchPlatform
afterEach(() => platform.close())

/** An import that is killed between the rows that lead to a reader and the reader's item. */
async function importHalf(email: string, wanted: { cadence?: 'instant' | 'daily' }) {
  const { records } = platform
  const dying: Platform = {
    ...platform,
    records: {
      ...records,
      put: (record, condition) => {
        const { state } = record.value as { state?: string }
        if (state === 'confirmed') throw new Error('killed')
        return records.put(record, condition)
      },
    },
  }
  await expect(confirmReader(dying, email, wanted)).rejects.toThrow('killed')
}

const minutesOf = async (instant: string, minutes: number) => {
  for (let minute = 0; minute < minutes; minute++) {
    await tickAt(platform, new Date(Date.parse(instant) + minute * 60_000).toISOString())
  }
}

const stateOf = async (id: string) => ((await getRun(platform, id))?.value as Run).state

it.each([
  ['digest', 'daily', (day: string) => `daily-0800-UTC_202603${day}T080000Z`],
  ['instant mail', 'instant', (day: string) => `instant_${Number(day) - 3}`],
] as const)(
  'a reader who was never quite imported holds up one %s, and no other',
  async (_, cadence, idOf) => {
    platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z' })
    await tickAt(platform, '2026-03-01T18:00:00Z')
    await confirmReader(platform, 'ada@example.org', { cadence })
    await importHalf('grace@example.org', { cadence })
    // What such an import leaves of an item goes after a day.
    await tickAt(platform, '2026-03-03T18:00:00Z')

    await publishArticle(platform, { title: 'Post A' })
    await minutesOf('2026-03-04T08:00:00Z', 8)
    expect(await stateOf(idOf('04'))).toBe('sending')
    await minutesOf('2026-03-04T08:08:00Z', 8)
    expect(await stateOf(idOf('04'))).toBe('done')

    await publishArticle(platform, { title: 'Post B' })
    await minutesOf('2026-03-05T08:00:00Z', 2)
    expect(await stateOf(idOf('05'))).toBe('done')
    expect(await platform.outbox()).toHaveLength(2)
  },
)
