import { effectiveQuota, rateOf } from '../../mail/quota.ts'
import type { Platform } from '../../platform.ts'
import { chunkReaders } from './run.ts'

/** What the mail lane is fed with at a time, at most. */
const aheadSeconds = 120
/**
 * Each chunk brings another when it was gone through, so more would only be begun side by side, and
 * whoever counts the run reads the rows of all that are begun.
 */
const mostChunks = 20

/** Chunks that are on their way at once: no more than the next two minutes can send, but two. */
export async function chunksAhead(
  platform: Pick<Platform, 'mailer' | 'settings' | 'now'>,
): Promise<number> {
  const { perSecond } = await effectiveQuota(platform)
  if (perSecond === undefined) return mostChunks
  const chunks = Math.ceil((rateOf(perSecond) * aheadSeconds) / chunkReaders)
  return Math.min(mostChunks, Math.max(2, chunks))
}
