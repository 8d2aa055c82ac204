import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { keepRejected, publishInboxFile, reasonText } from '../posts/inbox.ts'

/** What a notice says of an object. */
export interface InboxObject {
  key: string
  /** Bytes; 0 where the notice does not say. */
  size: number
}

/** As much as a request may bring; more is not read into a function's memory. */
const mostBytes = 5 * 1024 * 1024

/**
 * Publishes a file that was put under `inbox/`. It is removed once its post is stored; a refused one
 * moves to `inbox/rejected/` with its reason beside it, except one that is too large: it stays where
 * it is, and the reason alone is put there. Repeatable: a file that is gone was taken.
 */
export async function takeInboxObject(platform: Platform, file: InboxObject): Promise<void> {
  const { objects } = platform
  // What S3's console makes of "create folder".
  if (file.key.endsWith('/')) return
  const path = file.key.slice(objectKeys.inbox.length)
  if (file.size > mostBytes) return sayTooLarge(platform, path)
  const stored = await objects.get(file.key)
  if (!stored) return
  const outcome = await publishInboxFile(platform, { path, bytes: stored.body })
  if (outcome.status === 'refused' || outcome.status === 'ignored') {
    const { code, reason } = outcome
    await keepRejected(platform, { path, bytes: stored.body, code, reason })
    platform.log.warn('inbox.rejected', { code })
  } else platform.log.info('inbox.published', { outcome: outcome.status })
  await objects.delete(file.key)
}

async function sayTooLarge({ objects, log }: Platform, path: string): Promise<void> {
  const code = 'too-large'
  const text = reasonText({ code, reason: 'The file is too large: at most 5 MB.' })
  await objects.put(
    `${objectKeys.inboxRejected}${path}.reason.txt`,
    new TextEncoder().encode(text),
    { contentType: 'text/plain; charset=utf-8' },
  )
  log.warn('inbox.rejected', { code })
}
