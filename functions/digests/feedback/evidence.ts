import { recordKeys } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { publish } from '../delivery/ledger.ts'
import { getRow } from '../runs/run-store.ts'

const dayMs = 86_400_000

/**
 * How long proof is kept, where the ledger is not kept shorter. Only a claim without an end asks for evidence, and a tick settles those within minutes: so long may
 * everything stand still before an accepted mail is called `unknown`.
 */
export const evidenceDays = 60

/** What a delivery id names. */
export interface DeliveryName {
  run: string
  chunk: number
  subscriberId: string
  try: number
}

/** Reads a delivery id; `undefined` for what is none. */
export function readDeliveryId(id: string): DeliveryName | undefined {
  const parts = /^([A-Za-z0-9_-]{1,180})_(\d{1,9})_([0-9a-f]{32})_(\d{1,6})$/.exec(id)
  const [, run, chunk, subscriberId, attempt] = parts ?? []
  if (run === undefined || chunk === undefined || subscriberId === undefined) return undefined
  return { run, chunk: Number(chunk), subscriberId, try: Number(attempt) }
}

/**
 * Whether anybody told that a server took the mail, whatever it was sent by: the events of a provider,
 * or what was handed in. Found from the moment on that `noteAccepted` is told, long before there is a row.
 */
export async function isProved(
  { records }: Pick<Platform, 'records'>,
  deliveryId: string,
): Promise<boolean> {
  return (await records.get(recordKeys.evidence(deliveryId))) !== undefined
}

/**
 * Notes proof that a mail was accepted, which may come late, doubled and in any order (protocol,
 * evidence handler): stored first, so that whoever judges the claim finds it; then a row that said
 * `unknown` or `failed` of that try becomes `accepted`. Repeatable; the event is acknowledged last.
 */
export async function noteAccepted(
  platform: Pick<Platform, 'records' | 'now' | 'settings'>,
  deliveryId: string,
): Promise<void> {
  const { records, now, settings } = platform
  const keptMs = settings.keep.runsDays * dayMs
  await records.put({
    ...recordKeys.evidence(deliveryId),
    value: { at: now().toISOString() },
    expiresAt: new Date(now().getTime() + Math.min(keptMs, evidenceDays * dayMs)),
  })
  const name = readDeliveryId(deliveryId)
  // Confirmations have no row in a run; who sends them asks for the evidence alone.
  if (!name) return
  const row = await getRow(platform, name.run, name.chunk, name.subscriberId)
  if (!row || row.value.try !== name.try) return
  if (row.value.outcome !== 'unknown' && row.value.outcome !== 'failed') return
  const { reason: _, ...rest } = row.value
  await publish(platform, {
    ...rest,
    outcome: 'accepted',
    at: now().toISOString(),
    expires: (row.expiresAt ?? new Date(now().getTime() + keptMs)).toISOString(),
  })
}
