import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { keepSchedule, listSchedules, scheduleOf } from '../../functions/subscribers/schedule.ts'
import { type Cadence, cadences } from '../../functions/subscribers/subscriber.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'

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
