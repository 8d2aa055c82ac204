import type { Platform, StoredRecord } from '../platform.ts'
import { changeSubscriber } from './memberships.ts'
import { getSubscriber } from './store.ts'
import type { Subscriber } from './subscriber.ts'

export type SuppressionReason = 'hard-bounce' | 'complaint' | 'soft-bounces'

/** A weightier reason takes the place of a lighter one, so the order of events leaves no trace. */
const weights: Readonly<Record<SuppressionReason, number>> = {
  'soft-bounces': 1,
  complaint: 2,
  'hard-bounce': 3,
}

/**
 * Stops all mail to a reader, before the next send. It survives imports and new requests; an erased
 * reader stays an erased one, an unknown one unknown. Repeatable, in any order: of several reasons the
 * weightiest stays.
 */
export async function suppress(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  reason: SuppressionReason,
): Promise<void> {
  await changeSubscriber(platform, id, (current) => suppressed(current, reason))
}

/** A chain of changes of address has an end. */
const mostMoves = 20

/**
 * Stops all mail to one who complained, also at the addresses that they have moved to since: it is the
 * person who does not want it, where a bounce is only of a mailbox. Repeatable.
 */
export async function suppressComplainant(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
): Promise<void> {
  let present: string | undefined = id
  for (let moves = 0; present !== undefined && moves <= mostMoves; moves++) {
    await suppress(platform, present, 'complaint')
    const item: StoredRecord<Subscriber> | undefined = await getSubscriber(platform, present)
    present = item?.value.movedTo
  }
}

/** How many soft bounces among how many mails in a row suppress. */
const softLimit = 3
const inARow = 5
/** A bounce so many mails late does not count any more, and so nothing older need be kept. */
const oldest = 100

/**
 * Notes that the reader's mail of this number came back for now, as from a full mailbox. Three among
 * five mails in a row suppress; every mail of which nothing bad is known counts as a good one. That
 * depends on numbers only, so events may come doubled, late and in any order.
 */
export async function noteSoftBounce(
  platform: Pick<Platform, 'records' | 'now'>,
  id: string,
  mail: number,
): Promise<void> {
  await changeSubscriber(platform, id, (current) => {
    if (!current || current.state === 'suppressed') return undefined
    const known = current.softBounces ?? []
    const first = Math.max(current.mails ?? 0, mail) - oldest
    if (mail <= first || known.includes(mail)) return undefined
    const softBounces = [...known.filter((n) => n > first), mail].sort((a, b) => a - b)
    const isTooMuch = softBounces.some((n, i) => {
      const third = softBounces[i + softLimit - 1]
      return third !== undefined && third - n < inARow
    })
    return isTooMuch ? suppressed(current, 'soft-bounces') : { ...current, softBounces }
  })
}

function suppressed(
  current: Subscriber | undefined,
  reason: SuppressionReason,
): Subscriber | undefined {
  if (!current) return undefined
  if (current.state === 'suppressed') {
    const weight = weights[current.reason as SuppressionReason] as number | undefined
    const isWeightier = weight !== undefined && weight < weights[reason]
    return isWeightier ? { ...current, reason } : undefined
  }
  const {
    catchUp: _catchUp,
    expires: _expires,
    wanted: _wanted,
    pausedUntil: _until,
    softBounces: _softBounces,
    ...rest
  } = current
  return { ...rest, state: 'suppressed', reason }
}
