import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { publishInboxFile } from '../posts/inbox.ts'

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
  if (outcome.status === 'refused') {
    const rejected = `${objectKeys.inboxRejected}${path}`
    await objects.put(rejected, file.body, { contentType: file.contentType })
    await objects.put(
      `${rejected}.reason.txt`,
      new TextEncoder().encode(`${outcome.reason ?? outcome.code ?? 'It was refused.'}\n`),
      { contentType: 'text/plain; charset=utf-8' },
    )
  }
  await objects.delete(key)
}
