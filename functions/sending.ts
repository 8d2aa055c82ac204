import { recordKeys } from './keys.ts'
import type { Platform } from './platform.ts'

/** Whether bulk mail may leave at all. Confirmations and the like are not held back by it. */
export interface Sending {
  paused: boolean
  /** RFC 3339: since when. */
  since?: string
  /** For people. */
  reason?: string
}

/**
 * Stops all runs until `resumeSending`, and makes none but those of letters meanwhile. What is owed
 * stays owed and then comes in one mail. Repeating it keeps the first reason.
 */
export async function pauseSending(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  reason = 'paused by hand',
): Promise<Sending> {
  const value = { paused: true, since: now().toISOString(), reason }
  const outcome = await records.put({ ...recordKeys.sending, value }, { ifAbsent: true })
  return outcome.status === 'stored' ? value : readSending({ records })
}

/** Lets mail leave again; the next tick goes on. */
export async function resumeSending({ records }: Pick<Platform, 'records'>): Promise<Sending> {
  await records.delete(recordKeys.sending)
  return { paused: false }
}

/** How it stands now. */
export async function readSending({ records }: Pick<Platform, 'records'>): Promise<Sending> {
  return (await records.get<Sending>(recordKeys.sending))?.value ?? { paused: false }
}
