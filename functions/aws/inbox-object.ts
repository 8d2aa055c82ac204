import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { keepRejected, publishInboxFile } from '../posts/inbox.ts'

/**
 * Publishes a file that was put under `inbox/`. It is removed once its post is stored; a refused one
 * moves to `inbox/rejected/` with its reason beside it. Repeatable: a file that is gone was taken.
 */
export async function takeInboxObject(platform: Platform, key: string): Promise<void> {
  const { objects } = platform
  const file = await objects.get(key)
  if (!file) return
  const path = key.slice(objectKeys.inbox.length)
  const outcome = await publishInboxFile(platform, { path, bytes: file.body })
  if (outcome.status === 'refused' || outcome.status === 'ignored') {
    const { code, reason } = outcome
    await keepRejected(platform, { path, bytes: file.body, code, reason })
  }
  await objects.delete(key)
}
