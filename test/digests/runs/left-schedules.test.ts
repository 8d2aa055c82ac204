import { afterEach, describe, expect, it } from 'vitest'
import { defaultSchedule } from '../../../functions/digests/editions/archive.ts'
import { recordKeys } from '../../../functions/keys.ts'
import { unsubscribe } from '../../../functions/subscribers/change-preferences.ts'
import { keepSchedule, listSchedules, scheduleOf } from '../../../functions/subscribers/schedule.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { changeChoices, confirmReader, publishArticle, tickAt } from '../newsroom.ts'

let platform: ScratchPlatform
afterEach(() => platform?.close())

async function start() {
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z' })
  await tickAt(platform, '2026-03-01T18:00:00Z')
}

const schedules = async () => (await listSchedules(platform)).map(({ id }) => id)

describe('a schedule that its last reader has left', () => {
  it('is not kept: one who changes the hour sixty times makes one run a day, and gets it', async () => {
    await start()
    const ada = await confirmReader(platform, 'ada@example.org')
    for (let minute = 0; minute < 60; minute++) {
      await changeChoices(platform, ada, { at: `07:${String(minute).padStart(2, '0')}` })
    }
    expect(await schedules()).toEqual(['daily-0759-UTC'])
    await publishArticle(platform, {})
    const made: string[] = []
    for (const day of [2, 3, 4]) {
      const { runs } = await tickAt(platform, `2026-03-0${day}T09:00:00Z`)
      made.push(...runs.map(({ id }) => id))
    }
    expect(made).toHaveLength(3)
    expect(await platform.outbox()).toHaveLength(1)
  })

  it('goes when it is next due where nothing else saw to it, and makes no run', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await keepSchedule(platform, scheduleOf({ cadence: 'daily', at: '06:00', timeZone: 'UTC' }))
    const { runs } = await tickAt(platform, '2026-03-02T09:00:00Z')
    expect(runs.map(({ schedule }) => schedule)).toEqual(['daily-0800-UTC'])
    expect(await schedules()).toEqual(['daily-0800-UTC'])
  })

  it('brings the public archive its editions all the same', async () => {
    await start()
    const { cadence, day, at, timeZone } = platform.settings.digests
    const reader = await confirmReader(platform, 'ada@example.org', {
      cadence,
      at,
      timeZone,
      ...(day === undefined ? {} : { day }),
    })
    expect(await schedules()).toEqual([defaultSchedule(platform.settings)?.id])
    await unsubscribe(platform, reader)
    expect(await schedules()).toEqual([])
    await publishArticle(platform, {})
    await tickAt(platform, '2026-03-09T18:00:00Z')
    const marks = await platform.records.query<{ to: number }>(recordKeys.archive)
    expect(marks.records.map(({ value }) => value)).toEqual([{ to: 1 }])
  })
})
