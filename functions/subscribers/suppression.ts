import type { Platform } from '../platform.ts'
import { changeSubscriber } from './memberships.ts'
import type { DeliveryResult, Subscriber } from './subscriber.ts'

export type SuppressionReason = 'hard-bounce' | 'complaint' | 'soft-bounces'

/**
 * Stops all mail to a reader, before the next send. It survives imports and new requests; an erased
 * reader stays an erased one. Repeating it keeps the first reason.
 */
export async function suppress(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  reason: SuppressionReason,
): Promise<void> {
  await changeSubscriber(platform, id, (current) => suppressed(current, reason))
}

/** How many soft bounces of the last five suppress. */
const softLimit = 3
const remembered = 5

/**
 * Notes how a delivery to the reader ended, as far as the address is concerned: three soft bounces
 * among the last five suppress. A delivery that is remembered already changes nothing, so events may
 * come doubled and in any order.
 */
export async function noteBounce(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  result: DeliveryResult,
): Promise<void> {
  await changeSubscriber(platform, id, (current) => {
    if (!current || current.state === 'suppressed') return undefined
    const known = current.bounces ?? []
    // Most readers never bounce, and nothing is written for them.
    if (result.what === 'ok' && !known.some(({ what }) => what === 'soft')) return undefined
    if (known.some(({ delivery }) => delivery === result.delivery)) return undefined
    const bounces = [...known, result].slice(-remembered)
    if (bounces.filter(({ what }) => what === 'soft').length >= softLimit) {
      return suppressed({ ...current, bounces }, 'soft-bounces')
    }
    return { ...current, bounces }
  })
}

function suppressed(
  current: Subscriber | undefined,
  reason: SuppressionReason,
): Subscriber | undefined {
  if (!current || current.state === 'suppressed') return undefined
  const {
    catchUp: _catchUp,
    expires: _expires,
    wanted: _wanted,
    pausedUntil: _until,
    ...rest
  } = current
  return { ...rest, state: 'suppressed', reason }
}
