import { createHash } from 'node:crypto'
import { objectKeys, recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { keepRejected, publishInboxFile } from '../posts/inbox.ts'
import { mostPostBytes } from '../posts/source/most-post-bytes.ts'
import type { InboxBucket } from './inbox-bucket.ts'
import type { AwsPlatform } from './platform.ts'

/** Longer than a function may run: who holds it longer is dead. */
const leaseMs = 90_000
/** How often a file is read again that is saved anew while it is published. Later saves have notices. */
const mostRounds = 5

/**
 * Publishes a file that was put under `inbox/`. It is removed once its post is stored, unless it was
 * saved anew meanwhile: then it is published again. A refused one moves to `inbox/rejected/` with its
 * reason beside it, except one that is too large: it stays where it is, and the reason alone is put
 * there. Repeatable: a file that is gone was taken.
 *
 * One worker at a time has a path, or an older save could be published after a newer one. Who finds
 * it taken leaves it: its holder looks once more after letting go.
 */
export async function takeInboxObject(platform: AwsPlatform, key: string): Promise<void> {
  const { inbox, records, now } = platform
  // What S3's console makes of "create folder".
  if (key.endsWith('/')) return
  const path = key.slice(objectKeys.inbox.length)
  const taker = recordKeys.inboxTaker(
    createHash('sha256').update(path.normalize('NFC')).digest('hex').slice(0, 32),
  )
  for (let round = 0; round < mostRounds; round++) {
    const expiresAt = new Date(now().getTime() + leaseMs)
    const taken = await records.put({ ...taker, value: {}, expiresAt }, { ifAbsent: true })
    if (taken.status === 'conflict') return
    let isDone: boolean
    try {
      isDone = await takeOnce(platform, key, path)
    } finally {
      await records.delete(taker, { ifVersion: taken.version })
    }
    if (isDone || !(await inbox.has(key))) return
  }
}

/** Whether the file is to stay where it is. */
async function takeOnce(
  platform: Platform & { inbox: InboxBucket },
  key: string,
  path: string,
): Promise<boolean> {
  const { inbox, log } = platform
  const file = await inbox.get(key, mostPostBytes)
  if (!file) return false
  const { bytes, etag } = file
  if (!bytes) {
    const tooLarge = { code: 'too-large', reason: 'The file is too large: at most 5 MB.' }
    const isNews = await keepRejected(platform, { path, ...tooLarge })
    if (isNews) log.warn('inbox.rejected', { code: tooLarge.code })
    return true
  }
  const outcome = await publishInboxFile(platform, { path, bytes })
  if (outcome.status === 'refused' || outcome.status === 'ignored') {
    const { code, reason } = outcome
    await keepRejected(platform, { path, bytes, code, reason })
    log.warn('inbox.rejected', { code })
  } else log.info('inbox.published', { outcome: outcome.status })
  await inbox.remove(key, etag)
  return false
}
