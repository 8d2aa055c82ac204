import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import type { RecordStore } from '../../functions/platform.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { withPreferences } from '../../functions/subscribers/choices.ts'
import { membershipRows } from '../../functions/subscribers/membership-rows.ts'
import { changeAndTidy, changeSubscriber } from '../../functions/subscribers/memberships.ts'
import {
  dropSchedule,
  keepSchedule,
  listSchedules,
  scheduleOf,
} from '../../functions/subscribers/schedule.ts'
import { type Cadence, cadences } from '../../functions/subscribers/subscriber.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import {
  type Actor,
  modelRecordStore,
  searchInterleavings,
  type World,
} from '../support/stepped-record-store.ts'
import { aReader, preferencesFor, readerId } from './readers.ts'

let platform: ScratchPlatform | undefined
afterEach(async () => {
  await platform?.close()
  platform = undefined
})

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const monthDays = [
  ...Array.from({ length: 31 }, (_, i) => String(i + 1)),
  ...weekdays.flatMap((day) => [`first-${day}`, `last-${day}`]),
]
const zones = [...Intl.supportedValuesOf('timeZone'), 'UTC', 'GMT', 'Etc/GMT+5', 'Etc/GMT-5']

function daysOf(cadence: Cadence): (string | undefined)[] {
  if (cadence === 'weekly') return weekdays
  return cadence === 'monthly' ? monthDays : [undefined]
}

describe('scheduleOf', () => {
  it('has an id that is safe everywhere and never shared', () => {
    const ids = new Set<string>()
    for (const timeZone of zones) {
      for (const cadence of cadences) {
        if (cadence === 'instant') continue
        for (const day of daysOf(cadence)) {
          for (const at of ['00:00', '08:30', '23:59']) {
            const schedule = scheduleOf({ cadence, at, timeZone, ...(day ? { day } : {}) })
            if (!/^[\w-]{1,100}$/.test(schedule.id)) expect.fail(schedule.id)
            ids.add(schedule.id)
          }
        }
      }
    }
    expect(ids.size).toBe(zones.length * (1 + 7 + monthDays.length) * 3)
  })

  it('keeps zones apart whose names differ only in signs', () => {
    const zone = fc.array(fc.constantFrom('A', 's', 'u', 'p', '_', '/', '+', '-', '0'), {
      minLength: 1,
      maxLength: 8,
    })
    const idOf = (parts: string[]) =>
      scheduleOf({ cadence: 'daily', at: '08:00', timeZone: parts.join('') }).id
    fc.assert(
      fc.property(zone, zone, (a, b) => {
        expect(idOf(a) === idOf(b)).toBe(a.join('') === b.join(''))
      }),
    )
  })

  it('is one for all instant readers', () => {
    const a = scheduleOf({ cadence: 'instant', at: '08:00', timeZone: 'UTC' })
    const b = scheduleOf({ cadence: 'instant', at: '09:00', timeZone: 'Asia/Tokyo' })
    expect([a.id, b.id]).toEqual(['instant', 'instant'])
  })
})

describe('listSchedules', () => {
  it('knows each schedule once', async () => {
    platform = await scratchPlatform()
    const weekly = scheduleOf({ cadence: 'weekly', day: 'fri', at: '08:00', timeZone: 'UTC' })
    const daily = scheduleOf({ cadence: 'daily', at: '07:15', timeZone: 'Europe/Berlin' })
    for (const schedule of [weekly, daily, weekly]) await keepSchedule(platform, schedule)
    expect(await listSchedules(platform)).toEqual([daily, weekly])
  })
})

describe('a schedule that nobody is on', () => {
  const now = () => new Date('2026-03-02T08:00:00Z')
  const early = preferencesFor({ at: '06:00' })
  const late = preferencesFor({ at: '18:00' })
  const lateId = scheduleOf(late).id
  const otherId = `b${readerId.slice(1)}`

  const move =
    (preferences: typeof late, id = readerId, changing = changeSubscriber): Actor =>
    (records) =>
      changing({ records, now }, id, (current, head) =>
        current ? withPreferences(current, preferences, head, defaultSettings) : undefined,
      )
  const drop: Actor = (records) => dropSchedule({ records }, lateId)

  const withReaders =
    (...readers: ReturnType<typeof aReader>[]) =>
    async (store: RecordStore) => {
      for (const reader of readers) {
        await store.put({ ...recordKeys.subscriber(reader.id), value: reader })
        for (const row of membershipRows(reader)) await store.put({ ...row, value: {} })
      }
      for (const schedule of [early, late].map(scheduleOf))
        await keepSchedule({ records: store }, schedule)
    }

  /** Fails at the first instant at which a reader is on a schedule that no tick knows. */
  const guarded =
    (prepare: (store: RecordStore) => Promise<void>) => async (store: World['store']) => {
      await prepare(store)
      const check = async () => {
        const known = (await listSchedules({ records: store })).map(({ id }) => id)
        for (const id of [readerId, otherId]) {
          const reader = await store.get<{ schedule: string }>(recordKeys.subscriber(id))
          if (reader && !known.includes(reader.value.schedule)) {
            throw new Error(`nobody knows ${reader.value.schedule}, which a reader is on`)
          }
        }
      }
      const { put, delete: remove } = store
      store.put = async (record, condition) => {
        const outcome = await put(record, condition)
        await check()
        return outcome
      }
      store.delete = async (key, condition) => {
        const outcome = await remove(key, condition)
        await check()
        return outcome
      }
    }

  const nobody = withReaders(aReader({}, early))
  it.each<[string, (store: RecordStore) => Promise<void>, Actor[], object]>([
    [
      'by a reader who joins while it is removed',
      nobody,
      [move(late), drop],
      { kills: 1, preemptions: 3 },
    ],
    [
      'by one who joins while two ticks remove it',
      nobody,
      [move(late), drop, drop],
      { preemptions: 1 },
    ],
    [
      'by one who joins while the last one leaves',
      withReaders(aReader({}, early), aReader({ id: otherId }, late)),
      [move(late), move(early, otherId, changeAndTidy)],
      {},
    ],
    [
      'by one who leaves, and comes back while it is removed',
      withReaders(aReader({}, late)),
      [move(early, readerId, changeAndTidy), move(late)],
      { preemptions: 3 },
    ],
  ])(
    'is never missed %s, in any order of steps',
    async (_title, prepare, actors, options) => {
      const runs = await searchInterleavings(guarded(prepare), actors, () => {}, options)
      expect(runs).toBeGreaterThan(10)
    },
    120_000,
  )

  it('goes, and stands again for whoever chooses it', async () => {
    const store = modelRecordStore()
    const known = async () => (await listSchedules({ records: store })).map(({ id }) => id)
    await withReaders(aReader({}, late))(store)
    expect(await drop(store)).toBe(false)
    await move(early, readerId, changeAndTidy)(store)
    expect(await known()).toEqual([scheduleOf(early).id])
    await move(late, readerId, changeAndTidy)(store)
    expect(await known()).toEqual([lateId])
  })
})
