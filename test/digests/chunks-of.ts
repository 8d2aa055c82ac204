import { allRecords } from '../../functions/all-records.ts'
import type { Chunk } from '../../functions/digests/runs/run.ts'
import { recordKeys } from '../../functions/keys.ts'
import type { Platform } from '../../functions/platform.ts'

/** The chunks of a run, in order. */
export function chunksOf(platform: Pick<Platform, 'records'>, runId: string): Promise<Chunk[]> {
  const rows = allRecords<Chunk>(platform, recordKeys.runParts(runId), { prefix: 'chunk#' })
  return Array.fromAsync(rows, ({ value }) => value)
}
