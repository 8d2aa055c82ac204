import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import type { Subscriber } from './subscriber.ts'

/**
 * Whether no mail to the reader is under way (protocol C1): the row of their note is there at its
 * try, its run has expired, or its phase is an end. The note itself stays as it was. What was put off and
 * is surely not out does not expire: it has still to give its window back.
 */
export async function isSettled(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  { id, note }: Pick<Subscriber, 'id' | 'note'>,
): Promise<boolean> {
  if (!note || (note.phase !== 'fly' && note.phase !== 'deferred')) return true
  const isExpired = note.expires <= now().toISOString()
  if (isExpired && !(note.phase === 'deferred' && !note.doubt)) return true
  const row = await records.get<{ try: number }>(recordKeys.ledgerRow(note.run, note.chunk, id))
  return row !== undefined && row.value.try >= note.try
}
