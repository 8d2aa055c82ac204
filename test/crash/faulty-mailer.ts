import { createHash } from 'node:crypto'
import type { MachineParts } from '../../functions/local/machine.ts'
import type { Mailer, OutgoingMessage } from '../../functions/platform.ts'

/**
 * Ways in which a mailer disturbs a delivery. `lost`: it goes out, and the answer is `unclear`.
 * `broken`: it does not go out, and the answer is `unclear`. `asleep`: the worker sleeps before the
 * send until the clock has moved past its lease. `slow`: it goes out, and the answer comes only then.
 */
export type Disturbance = 'lost' | 'broken' | 'asleep' | 'slow'

export interface Clock {
  now: () => Date
  /** Resolves once the clock stands at or after an instant. */
  reaches(instant: Date): Promise<void>
}

export interface Control {
  clock: Clock
  /** Of a thousand sends so many of each: `lost=20,broken=20,asleep=5,slow=5`. */
  rules: string
}

/** The real clock, put forward by messages `{clock: milliseconds}` of the parent, each acknowledged. */
export function movedClock(): Clock {
  let offset = 0
  let waiting: { until: number; go: () => void }[] = []
  const now = () => new Date(Date.now() + offset)
  process.on('message', (message: { clock?: number }) => {
    if (message.clock === undefined) return
    offset = message.clock
    const due = waiting.filter(({ until }) => until <= now().getTime())
    waiting = waiting.filter((one) => !due.includes(one))
    for (const { go } of due) go()
    process.send?.({ clock: offset })
  })
  return {
    now,
    reaches: (instant) =>
      new Promise((go) => {
        if (now() >= instant) go()
        else waiting.push({ until: instant.getTime(), go })
      }),
  }
}

/** Disturbs some first sends of bulk mail, the same ones whenever it is asked. */
export function faultyMailer(parts: MachineParts, { clock, rules }: Control): MachineParts {
  const disturbed = new Set<string>()
  const shares = rules.split(',').map((rule) => {
    const [kind = '', share = '0'] = rule.split('=')
    return { kind: kind as Disturbance, share: Number(share) }
  })

  function disturbanceOf({ kind, deliveryId }: OutgoingMessage): Disturbance | undefined {
    if (kind !== 'bulk' || disturbed.has(deliveryId)) return undefined
    disturbed.add(deliveryId)
    let dice = createHash('sha256').update(deliveryId).digest().readUInt32BE() % 1000
    for (const { kind, share } of shares) {
      if (dice < share) return kind
      dice -= share
    }
    return undefined
  }

  const around = (inner: Mailer, now: () => Date): Mailer => ({
    ...inner,
    async send(message, until) {
      const disturbance = disturbanceOf(message)
      if (disturbance) process.send?.({ disturbance })
      switch (disturbance) {
        case undefined:
          return inner.send(message, until)
        case 'broken':
          return { status: 'unclear', reason: 'broken' }
        case 'lost':
          await inner.send(message, until)
          return { status: 'unclear', reason: 'lost' }
        case 'asleep':
          await slept(now, until)
          return inner.send(message, until)
        case 'slow': {
          const outcome = await inner.send(message, until)
          await slept(now, until)
          return outcome
        }
      }
    },
  })

  /** A clock that stands (a tick by hand) passes no lease: nobody sleeps there. */
  async function slept(now: () => Date, until: Date): Promise<void> {
    if (now === clock.now) await clock.reaches(new Date(until.getTime() + 1000))
  }

  return { ...parts, mailerAt: (now) => around(parts.mailerAt(now), now) }
}
