import { allRecords } from '../all-records.ts'
import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { dropRequests, type SubscriptionRequest } from './subscription-requests.ts'

/** A change of address that the new address has said yes to, kept under the new id until it is done. */
export interface AddressChange {
  /** The old id. */
  from: string
  request: SubscriptionRequest
  /** RFC 3339: when the new address said yes. */
  since: string
}

type Records = Pick<Platform, 'records'>

/** Every change under way. */
export async function* addressChanges(
  platform: Records,
): AsyncGenerator<{ newId: string; change: AddressChange }, void, undefined> {
  for await (const { sort, value } of allRecords<AddressChange>(
    platform,
    recordKeys.addressChanges,
  )) {
    yield { newId: sort, change: value }
  }
}

/** The change to a new id, if one from this old id is under way. */
export async function addressChange(
  { records }: Records,
  newId: string,
  from: string,
): Promise<AddressChange | undefined> {
  const known = (await records.get<AddressChange>(recordKeys.addressChange(newId)))?.value
  return known?.from === from ? known : undefined
}

export async function keepAddressChange(
  { records }: Records,
  newId: string,
  change: AddressChange,
): Promise<void> {
  await records.put({ ...recordKeys.addressChange(newId), value: change })
}

/** A change is done, or comes to nothing: neither it nor a link in a mail about it is left. */
export async function dropAddressChange(platform: Records, newId: string): Promise<void> {
  await platform.records.delete(recordKeys.addressChange(newId))
  await dropRequests(platform, newId)
}

/** A reader leaves, or wishes for another address than before: forgets where else they were going. */
export async function dropChangesOf(
  platform: Records,
  from: string,
  except?: string,
): Promise<void> {
  for await (const { newId, change } of addressChanges(platform)) {
    if (change.from === from && newId !== except) await dropAddressChange(platform, newId)
  }
}
