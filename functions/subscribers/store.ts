import { recordKeys } from '../keys.ts'
import type { Platform, PutCondition, PutOutcome, StoredRecord } from '../platform.ts'
import type { Subscriber } from './subscriber.ts'

/** The reader's item with the version that a claim or a change needs. An unconfirmed one that expired is absent. */
export function getSubscriber(
  { records }: Pick<Platform, 'records'>,
  id: string,
): Promise<StoredRecord<Subscriber> | undefined> {
  return records.get<Subscriber>(recordKeys.subscriber(id))
}

/** In the order of the ids. */
export function getSubscribers(
  { records }: Pick<Platform, 'records'>,
  ids: readonly string[],
): Promise<(StoredRecord<Subscriber> | undefined)[]> {
  return records.getMany<Subscriber>(ids.map(recordKeys.subscriber))
}

/**
 * Writes the item if it is still at `version` (`undefined`: if there is none). Membership rows are
 * not touched: whoever changes state, cadence or categories goes through `changeSubscriber`.
 */
export function putSubscriber(
  { records }: Pick<Platform, 'records'>,
  value: Subscriber,
  version: string | undefined,
): Promise<PutOutcome> {
  const condition: PutCondition =
    version === undefined ? { ifAbsent: true } : { ifVersion: version }
  return records.put(
    {
      ...recordKeys.subscriber(value.id),
      value,
      ...(value.expires ? { expiresAt: new Date(value.expires) } : {}),
    },
    condition,
  )
}
