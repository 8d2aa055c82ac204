import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../../functions/keys.ts'
import { nextOccurrence } from '../../../functions/subscribers/cadence.ts'
import { scheduleOf } from '../../../functions/subscribers/schedule.ts'
import { tick } from '../../../functions/tick.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'
import { occurrences, type Rhythm, shiftOf, shown } from './wall-clock.ts'

const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const year = [Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)] as const

const everyZone = Intl.supportedValuesOf('timeZone')
/** Both hemispheres, and the odd ones: half an hour of summer, two hours, gaps at midnight, Ramadan. */
const someZones = [
  'UTC',
  'America/New_York',
  'America/St_Johns',
  'America/Santiago',
  'America/Havana',
  'America/Nuuk',
  'Atlantic/Azores',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'Europe/London',
  'Pacific/Apia',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
]
const isLong = Boolean(process.env.BROADSHEET_LONG_TESTS)

/** The instants of 2026 at which a zone's clock is set. */
function clockChanges(zone: string): number[] {
  const changes: number[] = []
  for (let day = year[0]; day < year[1]; day += dayMs) {
    if (shiftOf(day, zone) === shiftOf(day + dayMs, zone)) continue
    let change = day
    while (shiftOf(change, zone) === shiftOf(day, zone)) change += quarterMs
    changes.push(change)
  }
  return changes
}

/** A quarter of an hour into what each change skips or repeats; any time where there is none. */
function awkwardTimes(zone: string): string[] {
  const times = clockChanges(zone).map((change) => {
    const lower = Math.min(shiftOf(change, zone), shiftOf(change - quarterMs, zone))
    const skippedOrRepeated =
      lower === shiftOf(change, zone) ? shown(change, zone) : shown(change - minuteMs, zone)
    const minutes = skippedOrRepeated.slice(11).split(':').map(Number)
    const ofDay = Math.ceil(((minutes[0] ?? 0) * 60 + (minutes[1] ?? 0)) / 15) * 15 + 15
    return new Date((ofDay % 1440) * minuteMs).toISOString().slice(11, 16)
  })
  return [...new Set(times.length > 0 ? times : ['02:30'])]
}

interface Reader {
  name: string
  rhythm: Rhythm
  schedule: string
}

const atClockChanges = async (zones: readonly string[], spans: readonly [number, number][]) => {
  const mailer: ScriptedMailer = scriptedMailer()
  const platform: ScratchPlatform = await scratchPlatform({
    now: new Date(year[0]).toISOString(),
    mailer,
    settings: { digests: { maxPosts: 100 } },
  })
  await tick(platform)
  const readers: Reader[] = []
  for (const zone of zones) {
    for (const at of awkwardTimes(zone)) {
      const rhythm: Rhythm = { cadence: 'daily', at, zone }
      const name = `r${readers.length}`
      const preferences = { cadence: 'daily', at, timeZone: zone } as const
      await confirmReader(platform, `${name}@example.org`, preferences)
      readers.push({ name, rhythm, schedule: scheduleOf(preferences).id })
    }
  }
  let runs = 0
  for (const [from, to] of spans) {
    platform.setNow(new Date(from))
    await tick(platform)
    await platform.settle()
    mailer.sent.length = 0
    const made = new Map<string, string[]>()
    for (let now = from + quarterMs; now <= to; now += quarterMs) {
      platform.setNow(new Date(now))
      // Something is owed to everybody at any hour.
      if ((now - from) % (3 * hourMs) === quarterMs) {
        await publishArticle(platform, { published: new Date(now).toISOString() })
      }
      for (const run of (await tick(platform)).runs) {
        // The tick that finds it due makes it, not a later one.
        expect(now - Date.parse(run.dueAt)).toBeLessThan(quarterMs)
        made.set(run.schedule, [...(made.get(run.schedule) ?? []), run.dueAt])
        runs++
      }
      await platform.settle()
    }
    const mails = new Map<string, number>()
    for (const { to: address } of mailer.sent) {
      const name = address.split('@')[0] ?? ''
      mails.set(name, (mails.get(name) ?? 0) + 1)
    }
    for (const { name, rhythm, schedule } of readers) {
      const due = occurrences(rhythm, from, to)
      const what = `${rhythm.zone} ${rhythm.at} from ${new Date(from).toISOString()}`
      expect(made.get(schedule), what).toEqual(
        due.map((instant) => new Date(instant).toISOString().replace('.000', '')),
      )
      expect(mails.get(name), what).toBe(due.length)
    }
  }
  expect(await deadLetters(platform)).toEqual([])
  await platform.close()
  return { readers: readers.length, runs }
}

async function deadLetters(platform: ScratchPlatform) {
  expect((await platform.records.query(recordKeys.openRuns)).records).toEqual([])
  return platform.jobs.deadLetters()
}

/** A day and a half on either side of the clock changes, joined where they touch. */
function spansAround(changes: readonly number[]): [number, number][] {
  const spans: [number, number][] = []
  for (const change of [...new Set(changes)].sort((a, b) => a - b)) {
    const day = Math.floor(change / dayMs) * dayMs
    const [from, to] = [day - dayMs, day + 2 * dayMs]
    const last = spans.at(-1)
    if (last && last[1] >= from) last[1] = to
    else spans.push([from, to])
  }
  return spans
}

describe('a daily reader gets one digest on every local day, when the clocks change', () => {
  it('in spring and autumn of both halves of the earth', { timeout: 300_000 }, async () => {
    const changes = ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe'].flatMap(
      clockChanges,
    )
    const spans = spansAround(changes)
    expect(changes).toHaveLength(6)
    const { readers } = await atClockChanges(someZones, isLong ? spans : spans.slice(1, 3))
    expect(readers).toBeGreaterThanOrEqual(someZones.length)
  })

  it.runIf(isLong)(
    'in every zone, at every clock change there is',
    { timeout: 3_600_000 },
    async () => {
      const spans = spansAround(everyZone.flatMap(clockChanges))
      const found = await atClockChanges(everyZone, spans)
      console.log(`${found.readers} readers in ${everyZone.length} zones, ${found.runs} runs`)
    },
  )
})

describe('weekly and monthly rhythms', () => {
  const rhythms: Omit<Rhythm, 'zone' | 'at'>[] = [
    ...['mon', 'sun'].map((day) => ({ cadence: 'weekly', day }) as const),
    ...['1', '29', '30', '31', 'first-mon', 'first-sun', 'last-sun', 'last-fri'].map(
      (day) => ({ cadence: 'monthly', day }) as const,
    ),
  ]

  it('come on the days of a calendar, in every zone', { timeout: 120_000 }, () => {
    for (const zone of isLong ? everyZone : someZones) {
      for (const at of awkwardTimes(zone)) {
        for (const { cadence, day } of rhythms) {
          const rhythm: Rhythm = { cadence, at, zone, ...(day === undefined ? {} : { day }) }
          const found: number[] = []
          let after = year[0]
          for (;;) {
            after = nextOccurrence(
              { cadence, at, timeZone: zone, ...(day ? { day } : {}) },
              new Date(after),
            ).getTime()
            if (after > year[1]) break
            found.push(after)
          }
          expect(found, `${zone} ${at} ${day}`).toEqual(occurrences(rhythm, ...year))
        }
      }
    }
  })
})
