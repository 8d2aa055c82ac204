import { noRoom } from '../../functions/no-room.ts'
import type { Mailer, Quota, SendOutcome } from '../../functions/platform.ts'
import type { RealClock } from '../../functions/real-clock.ts'
import { randomFrom } from './seeded-random.ts'

/**
 * A mail provider with limits. It counts what arrives, which is later than it was sent and not
 * always equally late, in every span of a second and of 24 hours, wherever that begins, and refuses
 * what is too much.
 */
export interface FakeProvider extends Mailer {
  limits: Quota
  /** When each mail arrived that was taken, in that order. */
  readonly taken: number[]
  readonly throttled: number[]
  /** The most that arrived within any second, refused ones included. */
  most(): number
}

export interface FakeProviderOptions {
  /** On the way there, milliseconds: at least and at most. */
  delay?: readonly [number, number]
  /** Until the answer is back. */
  answer?: readonly [number, number]
  random?: () => number
  /** Says in its quota how much was sent in the last 24 hours. */
  tells?: boolean
}

export function fakeProvider(
  clock: RealClock,
  limits: Quota,
  {
    delay = [20, 35],
    answer = [20, 60],
    random = randomFrom(1).next,
    tells = false,
  }: FakeProviderOptions = {},
): FakeProvider {
  const taken: number[] = []
  const throttled: number[] = []
  const between = ([low, high]: readonly [number, number]) => low + (high - low) * random()
  const since = (arrivals: readonly number[], from: number) => {
    let count = 0
    for (let i = arrivals.length - 1; i >= 0 && (arrivals[i] as number) > from; i--) count++
    return count
  }

  const provider: FakeProvider = {
    name: 'provider',
    limits,
    taken,
    throttled,
    async send(_message, _until, leave): Promise<SendOutcome> {
      if (leave && !(await leave())) return noRoom
      await clock.sleep(between(delay))
      const now = clock.now()
      const { perSecond = Infinity, perDay = Infinity } = provider.limits
      const isTooFast = since(taken, now - 1000) >= perSecond
      const isTooMuch = taken.length >= perDay && since(taken, now - 86_400_000) >= perDay
      ;(isTooFast || isTooMuch ? throttled : taken).push(now)
      await clock.sleep(between(answer))
      if (isTooFast || isTooMuch) {
        return { status: 'deferred', reason: 'Maximum sending rate exceeded', retryAfterSeconds: 1 }
      }
      return { status: 'sent' }
    },
    quota: async () => ({
      ...provider.limits,
      ...(tells ? { sentLastDay: since(taken, clock.now() - 86_400_000) } : {}),
    }),
    evidence: async () => 'cannot tell',
    evidenceDelaySeconds: 0,
    hasFinalEvidence: false,
    most() {
      const all = [...taken, ...throttled].sort((a, b) => a - b)
      let most = 0
      for (let first = 0, last = 0; last < all.length; last++) {
        while ((all[last] as number) - (all[first] as number) >= 1000) first++
        most = Math.max(most, last - first + 1)
      }
      return most
    },
  }
  return provider
}
