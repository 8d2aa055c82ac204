import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import type { Subscriber } from './subscriber.ts'

/**
 * Whether no mail to the reader is under way (protocol C1): the row of their note is there at its
 * try, its run has expired, or its phase is an end. The note itself stays as it was.
 */
export async function isSettled(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  { id, note }: Pick<Subscriber, 'id' | 'note'>,
): Promise<boolean> {
  if (!note || (note.phase !== 'fly' && note.phase !== 'deferred')) return true
  if (note.expires <= now().toISOString()) return true
  const row = await records.get<{ try: number }>(recordKeys.ledgerRow(note.run, note.chunk, id))
  return row !== undefined && row.value.try >= note.try
}
