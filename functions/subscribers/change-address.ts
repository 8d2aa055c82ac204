import { allRecords } from '../all-records.ts'
import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { openTurn, sideBySide } from '../turn.ts'
import {
  type AddressChange,
  addressChange,
  addressChanges,
  dropAddressChange,
  dropChangesOf,
  keepAddressChange,
} from './address-changes.ts'
import { latestOccurrence } from './cadence.ts'
import { mayBeOwed } from './choices.ts'
import { eraseMoved, eraseSubscriber } from './erase.ts'
import { isSettled } from './is-settled.ts'
import { changeSubscriber } from './memberships.ts'
import { getSubscriber, getSubscribers } from './store.ts'
import { isReader, type Subscriber } from './subscriber.ts'
import type { SubscriptionRequest } from './subscription-requests.ts'

type Moving = Pick<Platform, 'records' | 'now' | 'outbox'>

export type Move =
  /** The new address is the reader's. */
  | { status: 'moved'; subscriber: Subscriber }
  /** A mail is under way; a tick goes on once its end is known. */
  | { status: 'waiting'; subscriber: Subscriber }
  /** The reader left meanwhile, or the new address may not be mailed. */
  | { status: 'refused' }

/** Whether a letter is being mailed that has still to come to this reader. */
export type AwaitsLetter = (reader: Subscriber) => Promise<boolean>

/**
 * A letter holds a change of address back for so long at most: one that is paused, or has no room in
 * the day, must not hold it for ever. After that it is lost to the reader, and its row says so.
 */
const mostWaitMs = 24 * 60 * 60 * 1000

/**
 * Moves a reader to the confirmed new address: waits for letters under way, closes the old item,
 * waits until the notes of both are settled, copies what was chosen and what is owed, opens the new
 * item, erases the old one. Each step is repeatable and found again by `driveAddressChanges`. The
 * higher watermark of both counts, so that nothing comes twice. Of several changes the last one asked
 * for counts, up to the closing.
 */
export async function moveReader(
  platform: Moving,
  newId: string,
  request: SubscriptionRequest,
): Promise<Move> {
  const from = request.changeFrom
  if (!from || from === newId) return { status: 'refused' }
  const [old, target] = await bothItems(platform, from, newId)
  if (target?.state === 'suppressed' && target.reason !== 'erased') return { status: 'refused' }
  const known = await addressChange(platform, newId, from)
  if (!known && !(old && isReader(old))) return { status: 'refused' }
  const change = { from, request, since: known?.since ?? platform.now().toISOString() }
  await keepAddressChange(platform, newId, change)
  await dropChangesOf(platform, from, newId)
  // A tick looks closer, a minute later at most.
  return goOn(platform, newId, change, () => isLetterOpen(platform))
}

/** Goes on with the changes that wait for a mail's end. Gives back how many were finished. */
export async function driveAddressChanges(
  platform: Moving,
  awaitsLetter: AwaitsLetter,
  turn = openTurn(),
): Promise<number> {
  let finished = 0
  await sideBySide(addressChanges(platform), turn, async ({ newId, change }) => {
    const outcome = await goOn(platform, newId, change, awaitsLetter)
    if (outcome.status !== 'waiting') finished += 1
  })
  return finished
}

async function goOn(
  platform: Moving,
  newId: string,
  change: AddressChange,
  awaitsLetter: AwaitsLetter,
): Promise<Move> {
  const [old, target] = await bothItems(platform, change.from, newId)
  if (old && mayClose(old)) {
    // Planned letters name the old item, and one that is still being planned may meet both. The
    // reader of the new address has their own part in them.
    const waitedMs = Math.abs(platform.now().getTime() - Date.parse(change.since))
    const mayWait = old.state === 'confirmed' && !(target && isReader(target))
    if (mayWait && waitedMs < mostWaitMs && (await awaitsLetter(old))) {
      return { status: 'waiting', subscriber: old }
    }
    await closeItem(platform, change.from, newId)
  }
  return finishMove(platform, newId, change)
}

async function closeItem(platform: Moving, id: string, newId: string): Promise<void> {
  await changeSubscriber(platform, id, (current) => {
    if (!current || !mayClose(current)) return undefined
    const { catchUp: _catchUp, reason: _reason, ...rest } = current
    return {
      ...rest,
      state: 'unsubscribed',
      unsubscribedAt: platform.now().toISOString(),
      movedTo: newId,
    }
  })
}

async function finishMove(
  platform: Moving,
  newId: string,
  { from, request, since }: AddressChange,
): Promise<Move> {
  const [old, target] = await Promise.all([
    getSubscriber(platform, from),
    getSubscriber(platform, newId),
  ])
  const reader = old?.value
  const end = async (outcome: Move) => {
    await dropAddressChange(platform, newId)
    return outcome
  }
  const known = target && isReader(target.value) ? target.value : undefined
  // Undone meanwhile, or what came back is a complaint.
  if (reader?.movedTo !== newId || reader.reason === 'complaint') {
    return end(known ? { status: 'moved', subscriber: known } : { status: 'refused' })
  }
  if (!known) {
    const open = [reader, target?.value].filter((item) => item !== undefined)
    const settled = await Promise.all(open.map((item) => isSettled(platform, item)))
    if (settled.includes(false)) return { status: 'waiting', subscriber: reader }
    // A failed delivery gives its window back on the item and then writes its row: the item that
    // is copied must not be older than the row.
    const again = await getSubscriber(platform, from)
    if (again?.version !== old?.version) {
      return finishMove(platform, newId, { from, request, since })
    }
  }
  const due = await dueUpTo(platform, reader)
  const opened = await changeSubscriber(platform, newId, (current, head) => {
    if (current && isReader(current)) return undefined
    if (current?.state === 'suppressed' && current.reason !== 'erased') return undefined
    // Whoever left at the new address since then has changed their mind.
    if (current?.unsubscribedAt !== undefined && current.unsubscribedAt > since) return undefined
    const {
      note: _note,
      reason: _reason,
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
    const mustCatchUp = opening.state === 'confirmed' && mayBeOwed(opening, Math.min(due, head))
    return mustCatchUp ? { ...opening, catchUp: true } : opening
  })
  if (!opened || !isReader(opened)) return end({ status: 'refused' })
  if (!(await eraseMoved(platform, from, newId)) && !known) {
    // They left, were erased or came back to the old address between our look and the opening.
    await eraseSubscriber(platform, newId)
    return end({ status: 'refused' })
  }
  return end({ status: 'moved', subscriber: opened })
}

/**
 * What is listed up to this number should have come to the reader by now but for the move: they
 * enter `catch-up` for it (protocol M4), or a monthly reader would wait for another month. 0: nothing.
 */
async function dueUpTo(platform: Moving, reader: Subscriber): Promise<number> {
  const { cadence, note, schedule, unsubscribedAt } = reader
  if (cadence === 'instant') return Number.POSITIVE_INFINITY
  // Meanwhile a run was planned with neither of both items.
  const latest = latestOccurrence(reader, platform.now()).toISOString()
  if (unsubscribedAt !== undefined && latest > unsubscribedAt) return Number.POSITIVE_INFINITY
  // A run met the old item when it was closed, or may still do so.
  let due = note?.phase === 'suppressed' && note.from !== undefined ? note.to : 0
  for (const run of await openRuns(platform))
    if (run.schedule === schedule) due = Math.max(due, run.to)
  return due
}

async function isLetterOpen(platform: Pick<Platform, 'records'>): Promise<boolean> {
  return (await openRuns(platform)).some(({ kind }) => kind === 'letter')
}

/** Runs as they were made, those included that are paused or were over a moment ago. */
function openRuns(platform: Pick<Platform, 'records'>): Promise<OpenRun[]> {
  return Array.fromAsync(allRecords<OpenRun>(platform, recordKeys.openRuns), ({ value }) => value)
}

interface OpenRun {
  kind: string
  schedule: string
  to: number
}

async function bothItems(
  platform: Pick<Platform, 'records'>,
  ...ids: [from: string, newId: string]
): Promise<[old: Subscriber | undefined, target: Subscriber | undefined]> {
  const [old, target] = await getSubscribers(platform, ids)
  return [old?.value, target?.value]
}

/** Also one whose old mailbox has refused a mail while the change was waiting. */
function mayClose(old: Subscriber): boolean {
  const { state, reason } = old
  const isBounced = reason === 'hard-bounce' || reason === 'soft-bounces'
  return isReader(old) || (state === 'suppressed' && isBounced && old.movedTo === undefined)
}
