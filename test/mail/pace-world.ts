import { openPace, type Pace } from '../../functions/mail/pace.ts'
import type { Quota, RecordStore } from '../../functions/platform.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import {
  type FakeProvider,
  type FakeProviderOptions,
  fakeProvider,
} from '../support/fake-provider.ts'
import { randomFrom } from '../support/seeded-random.ts'
import { type SimulatedClock, simulatedClock } from '../support/simulated-clock.ts'
import { modelRecordStore } from '../support/stepped-record-store.ts'

export const second = 1000

export const hour = 3600 * second

export interface World {
  clock: SimulatedClock
  provider: FakeProvider
  random: () => number
  /** A process of its own: it shares nothing with others but the records. */
  openProcess(): Pace
  writes(): number
}

export function worldWith(limits: Quota, options: Omit<FakeProviderOptions, 'random'> = {}): World {
  const random = randomFrom(7).next
  const clock = simulatedClock(Date.parse('2026-03-02T08:00:00.345Z'))
  const provider = fakeProvider(clock, limits, { random, ...options })
  const model = modelRecordStore()
  let writes = 0
  const records: RecordStore = {
    ...model,
    // As over a network: the way there and the way back.
    async add(key, amount) {
      writes++
      await clock.sleep(1 + 4 * random())
      const sum = await model.add(key, amount)
      await clock.sleep(1 + 4 * random())
      return sum
    },
  }
  const platform = {
    records,
    mailer: provider,
    settings: defaultSettings,
    now: () => new Date(clock.now()),
  }
  return {
    clock,
    provider,
    random,
    openProcess: () => openPace(platform, clock),
    writes: () => writes,
  }
}

/** Processes that send bulk as fast as they may until an instant. Gives back how many mails failed. */
export async function sendBulk(
  { clock, provider, random, openProcess }: World,
  {
    processes = 5,
    atATime = 64,
    until,
    stall = { from: 0, to: 0 },
    claimMs = [5, 30],
  }: {
    processes?: number
    atATime?: number
    until: number
    /** What a claim takes, at least and mostly at most. */
    claimMs?: readonly [number, number]
    /** Nothing moves meanwhile. */
    stall?: { from: number; to: number }
  },
): Promise<number> {
  let failed = 0
  async function work(pace: Pace): Promise<void> {
    while (clock.now() < until) {
      const right = await pace.take(until - clock.now())
      if (right === 'spent') await clock.sleep(60 * second)
      if (right === 'spent' || right === 'late') continue
      // The claim; now and then it takes long.
      const [least, most] = claimMs
      await clock.sleep(least + (most - least) * random() + (random() < 0.01 ? 150 : 0))
      if (clock.now() >= stall.from) await clock.sleep(stall.to - clock.now())
      if (!(await right.leave())) {
        failed++
        continue
      }
      const outcome = await provider.send({} as never, new Date(0))
      right.answered()
      if (outcome.status === 'deferred') pace.hold(outcome.retryAfterSeconds)
      await clock.sleep(5)
    }
  }
  await Promise.all(
    Array.from({ length: processes }, () => {
      const pace = openProcess()
      return Promise.all(Array.from({ length: atATime }, () => work(pace)))
    }),
  )
  return failed
}

/** Mails a second between the first and the last. */
export function rateOf(taken: readonly number[]): number {
  const [first = 0, last = 0] = [taken[0], taken.at(-1)]
  return ((taken.length - 1) / (last - first)) * 1000
}
