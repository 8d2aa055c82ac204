import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { mayBeOwed } from './choices.ts'
import { eraseSubscriber } from './erase.ts'
import { changeSubscriber } from './memberships.ts'
import { getSubscriber } from './store.ts'
import type { Subscriber } from './subscriber.ts'
import { dropRequests, type SubscriptionRequest } from './subscription-requests.ts'

export type Move =
  /** The new address is the reader's. */
  | { status: 'moved'; subscriber: Subscriber }
  /** A mail is under way; a tick goes on once its end is known. */
  | { status: 'waiting'; subscriber: Subscriber }
  /** The reader left meanwhile, or the new address may not be mailed. */
  | { status: 'refused' }

interface AddressChange {
  from: string
  request: SubscriptionRequest
}

/**
 * Moves a reader to the confirmed new address: closes the old item, waits until the notes of both
 * are settled, copies what was chosen and what is owed, opens the new item, erases the old one. Each
 * step is repeatable and found again by `driveAddressChanges`. The higher watermark of both counts,
 * so that nothing comes twice.
 */
export async function moveReader(
  platform: Pick<Platform, 'records' | 'now' | 'outbox'>,
  newId: string,
  request: SubscriptionRequest,
): Promise<Move> {
  const oldId = request.changeFrom
  if (!oldId || oldId === newId) return { status: 'refused' }
  const target = (await getSubscriber(platform, newId))?.value
  if (target?.state === 'suppressed' && target.reason !== 'erased') return { status: 'refused' }
  await platform.records.put({
    ...recordKeys.addressChange(newId),
    value: { from: oldId, request } satisfies AddressChange,
  })
  const old = await changeSubscriber(platform, oldId, (current) => {
    if (!current || (current.state !== 'confirmed' && current.state !== 'paused')) return undefined
    const { catchUp: _catchUp, ...rest } = current
    return {
      ...rest,
      state: 'unsubscribed',
      unsubscribedAt: platform.now().toISOString(),
      movedTo: newId,
    }
  })
  if (old?.movedTo !== newId) {
    await platform.records.delete(recordKeys.addressChange(newId))
    return { status: 'refused' }
  }
  return finishMove(platform, newId, { from: oldId, request })
}

/** Goes on with the changes that wait for a mail's end. Gives back how many were finished. */
export async function driveAddressChanges(
  platform: Pick<Platform, 'records' | 'now' | 'outbox'>,
): Promise<number> {
  let finished = 0
  let cursor: string | undefined
  do {
    const page = await platform.records.query<AddressChange>(
      recordKeys.addressChanges,
      cursor ? { cursor } : {},
    )
    for (const record of page.records) {
      const outcome = await finishMove(platform, record.sort, record.value)
      if (outcome.status !== 'waiting') finished += 1
    }
    cursor = page.cursor
  } while (cursor)
  return finished
}

async function finishMove(
  platform: Pick<Platform, 'records' | 'now' | 'outbox'>,
  newId: string,
  { from, request }: AddressChange,
): Promise<Move> {
  const [old, target] = await Promise.all([
    getSubscriber(platform, from),
    getSubscriber(platform, newId),
  ])
  const reader = old?.value
  const end = async (outcome: Move) => {
    await platform.records.delete(recordKeys.addressChange(newId))
    await dropRequests(platform, newId)
    return outcome
  }
  const isAlreadyReader = target?.value.state === 'confirmed' || target?.value.state === 'paused'
  if (reader?.movedTo !== newId) {
    // Undone meanwhile, or an earlier attempt came to its end.
    return end(
      isAlreadyReader && target
        ? { status: 'moved', subscriber: target.value }
        : { status: 'refused' },
    )
  }
  if (!isAlreadyReader) {
    const open = [reader, target?.value].filter((item) => item !== undefined)
    const settled = await Promise.all(open.map((item) => isSettled(platform, item)))
    if (settled.includes(false)) return { status: 'waiting', subscriber: reader }
    // A failed delivery gives its window back on the item and then writes its row: the item that
    // is copied must not be older than the row.
    const again = await getSubscriber(platform, from)
    if (again?.version !== old?.version) return finishMove(platform, newId, { from, request })
  }
  const opened = await changeSubscriber(platform, newId, (current, head) => {
    if (current?.state === 'confirmed' || current?.state === 'paused') return undefined
    if (current?.state === 'suppressed' && current.reason !== 'erased') return undefined
    const {
      note: _note,
      movedTo: _movedTo,
      unsubscribedAt: _left,
      softBounces: _softBounces,
      ...rest
    } = reader
    const opening: Subscriber = {
      ...rest,
      id: newId,
      email: request.email,
      state: reader.pausedUntil ? 'paused' : 'confirmed',
      watermark: Math.max(reader.watermark, current?.watermark ?? 0),
      ...(current?.note ? { note: current.note } : {}),
      createdAt: current?.createdAt ?? platform.now().toISOString(),
    }
    // No instant run has found them meanwhile, and none but the next post's would (protocol M4).
    const mustCatchUp =
      opening.cadence === 'instant' && opening.state === 'confirmed' && mayBeOwed(opening, head)
    return mustCatchUp ? { ...opening, catchUp: true } : opening
  })
  if (!opened || (opened.state !== 'confirmed' && opened.state !== 'paused')) {
    return end({ status: 'refused' })
  }
  await eraseSubscriber(platform, from)
  return end({ status: 'moved', subscriber: opened })
}

/** Protocol C1: the note's row is there at its try, its run has expired, or its phase is an end. */
async function isSettled(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  { id, note }: Subscriber,
): Promise<boolean> {
  if (!note || (note.phase !== 'fly' && note.phase !== 'deferred')) return true
  if (note.expires <= now().toISOString()) return true
  const row = await records.get<{ try: number }>(recordKeys.ledgerRow(note.run, note.chunk, id))
  return row !== undefined && row.value.try >= note.try
}
