import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  latestOccurrence,
  nextOccurrence,
  type Rhythm,
} from '../../functions/subscribers/cadence.ts'

const minute = 60_000
const day = 24 * 60 * minute

const zones = Intl.supportedValuesOf('timeZone')

function localClock(timeZone: string) {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'short',
  })
  return (instant: number) => format.format(instant)
}

/** Instants in 2026 at which the zone's clock jumps, found by halving. */
function clockChanges(timeZone: string): number[] {
  const clock = localClock(timeZone)
  const offset = (instant: number) => Date.parse(`${clock(instant).replace(' ', 'T')}Z`) - instant
  const changes: number[] = []
  const end = Date.UTC(2027, 0, 1)
  for (let from = Date.UTC(2026, 0, 1); from < end; from += 7 * day) {
    let [low, high] = [from, from + 7 * day]
    if (offset(low) === offset(high)) continue
    while (high - low > minute) {
      const middle = low + Math.floor((high - low) / 2 / minute) * minute
      if (offset(middle) === offset(low)) low = middle
      else high = middle
    }
    changes.push(high)
  }
  return changes
}

/**
 * Daily occurrences by walking the clock on the wall minute by minute: a time has come at the first
 * minute at which the clock shows it or more. That is the end of the gap in spring, and the first of
 * two in autumn.
 */
function dailyByWalking(clock: (instant: number) => string, from: number, to: number) {
  const shown: string[] = []
  let highest = ''
  for (let instant = from; instant <= to; instant += minute) {
    const local = clock(instant)
    if (local > highest) highest = local
    shown.push(highest)
  }
  return (at: string) => {
    const times: number[] = []
    let next = `${shown[0]?.slice(0, 10)} ${at}`
    if (next <= (shown[0] ?? '')) next = `${dateAfter(next)} ${at}`
    for (const [i, local] of shown.entries()) {
      if (local < next) continue
      times.push(from + i * minute)
      next = `${dateAfter(next)} ${at}`
    }
    return times
  }
}

const dateAfter = (local: string) =>
  new Date(Date.parse(`${local.slice(0, 10)}T00:00Z`) + day).toISOString().slice(0, 10)

function forward(rhythm: Rhythm, from: number, to: number): number[] {
  const times: number[] = []
  for (let at = nextOccurrence(rhythm, new Date(from)).getTime(); at <= to; ) {
    times.push(at)
    at = nextOccurrence(rhythm, new Date(at)).getTime()
  }
  return times
}

function backward(rhythm: Rhythm, from: number, to: number): number[] {
  const times: number[] = []
  for (let at = latestOccurrence(rhythm, new Date(to)).getTime(); at > from; ) {
    times.unshift(at)
    at = latestOccurrence(rhythm, new Date(at - 1)).getTime()
  }
  return times
}

describe('daily occurrences', () => {
  it('agree with a clock on the wall at every clock change of 2026 in every zone', () => {
    let changesTried = 0
    for (const timeZone of zones) {
      const clock = localClock(timeZone)
      for (const change of clockChanges(timeZone)) {
        const [from, to] = [change - 30 * 60 * minute, change + 30 * 60 * minute]
        const walk = dailyByWalking(clock, from, to)
        // Times just before, in and after what the change skips or repeats.
        const before = clock(change - minute).slice(11)
        const after = clock(change).slice(11)
        const times = new Set(['00:00', '01:30', '02:30', before, after])
        for (const at of times) {
          const rhythm: Rhythm = { cadence: 'daily', at, timeZone }
          const expected = walk(at)
          expect(forward(rhythm, from, to), `${timeZone} ${at}`).toEqual(expected)
          expect(backward(rhythm, from, to), `${timeZone} ${at}`).toEqual(expected)
        }
        changesTried += 1
      }
    }
    expect(changesTried).toBeGreaterThan(200)
  }, 120_000)

  it('show the wanted time on every other day', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2035, 0, 1) }),
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 59 }),
        (timeZone, after, hours, minutes) => {
          const at = `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
          const rhythm: Rhythm = { cadence: 'daily', at, timeZone }
          const next = nextOccurrence(rhythm, new Date(after)).getTime()
          expect(next).toBeGreaterThan(after)
          expect(next - after).toBeLessThanOrEqual(26 * 60 * minute)
          const shown = localClock(timeZone)(next).slice(11)
          expect(shown >= at || shown.slice(0, 2) === '00').toBe(true)
          expect(latestOccurrence(rhythm, new Date(next)).getTime()).toBe(next)
          expect(latestOccurrence(rhythm, new Date(next - 1)).getTime()).toBeLessThanOrEqual(after)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('a local time', () => {
  it.each<[string, Rhythm, string, string]>([
    [
      'inside the gap of spring comes at the first instant after it',
      { cadence: 'daily', at: '02:30', timeZone: 'Europe/Berlin' },
      '2026-03-28T12:00:00Z',
      '2026-03-29T01:00:00Z',
    ],
    [
      'that comes twice in autumn counts the first time',
      { cadence: 'daily', at: '02:30', timeZone: 'Europe/Berlin' },
      '2026-10-24T12:00:00Z',
      '2026-10-25T00:30:00Z',
    ],
    [
      'that came in autumn does not come again an hour later',
      { cadence: 'daily', at: '02:30', timeZone: 'Europe/Berlin' },
      '2026-10-25T00:30:00Z',
      '2026-10-26T01:30:00Z',
    ],
    [
      'in a gap of half an hour comes at its end',
      { cadence: 'daily', at: '02:15', timeZone: 'Australia/Lord_Howe' },
      '2026-10-03T00:00:00Z',
      '2026-10-03T15:30:00Z',
    ],
    [
      'of a day that a zone left out comes at the start of the next',
      { cadence: 'weekly', day: 'fri', at: '08:00', timeZone: 'Pacific/Apia' },
      '2011-12-29T12:00:00Z',
      '2011-12-30T10:00:00Z',
    ],
  ])('%s', (_title, rhythm, after, expected) => {
    expect(nextOccurrence(rhythm, new Date(after)).toISOString()).toBe(
      new Date(expected).toISOString(),
    )
  })
})

describe('weekly and monthly occurrences', () => {
  it.each<[Rhythm['cadence'], string, string, string, string]>([
    ['weekly', 'mon', '2026-03-02T07:59:59Z', '2026-03-02T08:00:00Z', '2026-02-23T08:00:00Z'],
    ['weekly', 'mon', '2026-03-02T08:00:00Z', '2026-03-09T08:00:00Z', '2026-03-02T08:00:00Z'],
    ['weekly', 'sun', '2026-03-02T08:00:00Z', '2026-03-08T08:00:00Z', '2026-03-01T08:00:00Z'],
    ['monthly', '1', '2026-03-02T00:00:00Z', '2026-04-01T08:00:00Z', '2026-03-01T08:00:00Z'],
    ['monthly', '31', '2026-02-01T00:00:00Z', '2026-02-28T08:00:00Z', '2026-01-31T08:00:00Z'],
    ['monthly', '29', '2028-02-28T00:00:00Z', '2028-02-29T08:00:00Z', '2028-01-29T08:00:00Z'],
    ['monthly', '30', '2026-02-28T08:00:00Z', '2026-03-30T08:00:00Z', '2026-02-28T08:00:00Z'],
    [
      'monthly',
      'first-mon',
      '2026-03-01T00:00:00Z',
      '2026-03-02T08:00:00Z',
      '2026-02-02T08:00:00Z',
    ],
    [
      'monthly',
      'first-sun',
      '2026-03-01T08:00:00Z',
      '2026-04-05T08:00:00Z',
      '2026-03-01T08:00:00Z',
    ],
    ['monthly', 'last-fri', '2026-03-01T00:00:00Z', '2026-03-27T08:00:00Z', '2026-02-27T08:00:00Z'],
    ['monthly', 'last-sat', '2026-12-31T00:00:00Z', '2027-01-30T08:00:00Z', '2026-12-26T08:00:00Z'],
  ])('%s on %s around %s', (cadence, day, instant, next, latest) => {
    const rhythm: Rhythm = { cadence, day, at: '08:00', timeZone: 'UTC' }
    expect(nextOccurrence(rhythm, new Date(instant))).toEqual(new Date(next))
    expect(latestOccurrence(rhythm, new Date(instant))).toEqual(new Date(latest))
  })

  it('never skip and never repeat, in any zone', () => {
    const days = ['1', '15', '31', 'first-mon', 'first-sun', 'last-mon', 'last-sun']
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom('weekly' as const, 'monthly' as const),
        fc.constantFrom(...days),
        fc.constantFrom('00:00', '02:30', '23:59'),
        (timeZone, cadence, monthDay, at) => {
          const rhythm: Rhythm = {
            cadence,
            day: cadence === 'weekly' ? 'sun' : monthDay,
            at,
            timeZone,
          }
          const from = Date.UTC(2026, 0, 1, 12)
          const to = Date.UTC(2027, 0, 1, 12)
          const times = forward(rhythm, from, to)
          expect(times).toEqual(backward(rhythm, from, to))
          const gaps = times.slice(1).map((time, i) => (time - (times[i] ?? 0)) / day)
          const [least, most] = cadence === 'weekly' ? [6.9, 7.1] : [27.8, 36]
          for (const gap of gaps) expect(gap > least && gap < most).toBe(true)
          expect(times.length).toBeGreaterThanOrEqual(cadence === 'weekly' ? 52 : 12)
        },
      ),
      { numRuns: 120 },
    )
  })

  it('do not exist for instant readers', () => {
    expect(() =>
      nextOccurrence({ cadence: 'instant', at: '08:00', timeZone: 'UTC' }, new Date()),
    ).toThrow('no occurrences')
  })
})
