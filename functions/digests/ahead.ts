import { effectiveQuota, rateOf } from '../mail/quota.ts'
import type { Platform } from '../platform.ts'

/** What the mail lane is fed with at a time. */
const aheadSeconds = 120
const chunkReaders = 500
const chunksWithoutLimit = 240

/** Chunks that what the next two minutes can send is in. At least two: one may rest. */
export async function chunksAhead(
  platform: Pick<Platform, 'mailer' | 'settings' | 'now'>,
): Promise<number> {
  const { perSecond } = await effectiveQuota(platform)
  if (perSecond === undefined) return chunksWithoutLimit
  return Math.max(2, Math.ceil((rateOf(perSecond) * aheadSeconds) / chunkReaders))
}
