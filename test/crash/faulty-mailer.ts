import { createHash } from 'node:crypto'
import type { MachineParts } from '../../functions/local/machine.ts'
import type { Mailer, OutgoingMessage } from '../../functions/platform.ts'

/**
 * Ways in which a mailer disturbs a delivery. `lost`: it goes out, and the answer is `unclear`.
 * `broken`: it does not go out, and the answer is `unclear`. `asleep`: the worker sleeps before the
 * send until all are woken, mostly past its lease. `slow`: it goes out, and the answer comes only then.
 */
export type Disturbance = 'lost' | 'broken' | 'asleep' | 'slow'

export interface Clock {
  now: () => Date
  /** Resolves once nobody may sleep any more. Tells the parent of each that falls asleep. */
  woken(): Promise<void>
}

/** What the parent asks of a process whose clock can be moved; it answers with the same. */
export type Move = { clock: number; maySleep: boolean } | { /** RFC 3339 */ judge: string }

export interface Control {
  clock: Clock
  /** Of a thousand sends so many of each: `lost=20,broken=20,asleep=5,slow=5`. */
  rules: string
}

/** The real clock, put forward by messages of the parent. Nobody sleeps until one allows it. */
export function movedClock(): Clock {
  let offset = 0
  let maySleep = false
  const sleepers = new Set<() => void>()
  const now = () => new Date(Date.now() + offset)
  process.on('message', (move: Move) => {
    if (!('clock' in move)) return
    offset = move.clock
    maySleep = move.maySleep
    if (!maySleep) for (const wake of sleepers) wake()
    process.send?.(move)
  })
  return {
    now,
    woken: () =>
      new Promise((wake) => {
        if (!maySleep) return wake()
        sleepers.add(wake)
        process.send?.({ isAsleep: true })
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
    async send(message, until, leave) {
      const disturbance = disturbanceOf(message)
      if (disturbance) process.send?.({ disturbance })
      switch (disturbance) {
        case undefined:
          return inner.send(message, until, leave)
        case 'broken':
          return { status: 'unclear', reason: 'broken' }
        case 'lost':
          await inner.send(message, until, leave)
          return { status: 'unclear', reason: 'lost' }
        case 'asleep':
          await slept(now)
          return inner.send(message, until, leave)
        case 'slow': {
          const outcome = await inner.send(message, until, leave)
          await slept(now)
          return outcome
        }
      }
    },
  })

  /** A clock that stands (a tick by hand) passes no lease: nobody sleeps there. */
  async function slept(now: () => Date): Promise<void> {
    if (now === clock.now) await clock.woken()
  }

  return { ...parts, mailerAt: (now) => around(parts.mailerAt(now), now) }
}
