import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import type { RealClock } from '../real-clock.ts'

/**
 * The instants at which mails may leave: one grid for the whole service, evenly spaced over all
 * time, with no edge where two seconds meet. Slot `k` of a rate `r` stands at `k / r` seconds since
 * 1970. A counter for each second says how many of its slots are given away; whoever adds to it has
 * those that the sum went over, and nobody else has. So any number of processes share one budget
 * with one write for a few mails.
 */
export interface Slots {
  /**
   * Up to `wanted` slots, earliest first, none sooner than `soonestMs` from now. Looks no further
   * than the second that `horizonMs` from now lies in. None: all are given away, ask again later.
   */
  book(rate: number, wanted: number, within: Within): Promise<number[]>
  /** One slot ahead of bulk: at most half of each second goes that way, so bulk never stands still. */
  bookAhead(rate: number, within: Within): Promise<number | undefined>
}

export interface Within {
  soonestMs: number
  horizonMs: number
}

/** Longer than any horizon, and than clocks of two processes differ. */
const keptMs = 120_000

export function openSlots(platform: Pick<Platform, 'records' | 'now'>, clock: RealClock): Slots {
  const { records } = platform
  /** The last second of which all slots were seen given away. */
  let usedUp = Number.NEGATIVE_INFINITY

  function add(key: ReturnType<typeof recordKeys.pace>, amount: number): Promise<number> {
    // By the later clock: records expire by the platform's, which may stand far ahead.
    const expiresAt = new Date(Math.max(clock.now(), platform.now().getTime()) + keptMs)
    return records.add(key, amount, { expiresAt })
  }

  async function book(
    rate: number,
    wanted: number,
    { soonestMs, horizonMs }: Within,
  ): Promise<number[]> {
    const now = clock.now()
    // A clock that was set back has its seconds before it again.
    if (usedUp > now / 1000 + 60) usedUp = Number.NEGATIVE_INFINITY
    const soonest = now + soonestMs
    for (let second = secondOf(soonest); second <= secondOf(soonest + horizonMs); second++) {
      if (second <= usedUp) continue
      const { first, count } = slotsOf(second, rate)
      const passed = passedBy(soonest, second, rate)
      let amount = wanted
      let end = await add(recordKeys.pace(second), amount)
      if (end <= passed) {
        // Nobody wanted the slots that have gone by meanwhile.
        amount = passed - end + wanted
        end = await add(recordKeys.pace(second), amount)
      }
      if (end >= count) usedUp = Math.max(usedUp, second)
      const slots: number[] = []
      for (let i = Math.max(end - amount, passed); i < Math.min(end, count); i++) {
        slots.push(instantOf(first + i, rate))
      }
      if (slots.length > 0) return slots
    }
    return []
  }

  async function bookAhead(
    rate: number,
    { soonestMs, horizonMs }: Within,
  ): Promise<number | undefined> {
    const soonest = clock.now() + soonestMs
    for (let second = secondOf(soonest); second <= secondOf(soonest + horizonMs); second++) {
      const { first, count } = slotsOf(second, rate)
      if (count === 0) continue
      if ((await add(recordKeys.paceAhead(second), 1)) > Math.max(1, count / 2)) continue
      const passed = passedBy(soonest, second, rate)
      let end = await add(recordKeys.pace(second), 1)
      if (end <= passed) end = await add(recordKeys.pace(second), passed - end + 1)
      if (end > passed && end <= count) return instantOf(first + end - 1, rate)
    }
    return undefined
  }

  return { book, bookAhead }
}

const secondOf = (ms: number) => Math.floor(ms / 1000)
const instantOf = (slot: number, rate: number) => (slot / rate) * 1000

function slotsOf(second: number, rate: number): { first: number; count: number } {
  const first = Math.ceil(second * rate)
  return { first, count: Math.ceil((second + 1) * rate) - first }
}

/** How many slots of a second stand before an instant. */
function passedBy(instant: number, second: number, rate: number): number {
  return Math.max(0, Math.ceil((instant / 1000) * rate) - slotsOf(second, rate).first)
}
