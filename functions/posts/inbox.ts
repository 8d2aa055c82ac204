import { createHash } from 'node:crypto'
import type { ErrorCode } from '../error-codes.ts'
import { ServiceError } from '../errors.ts'
import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { pathFault } from './import-line.ts'
import { publishPost } from './publish.ts'
import type { PublishOutcome } from './publish-outcome.ts'
import { contentTypeOf, noPostByName } from './source/content-type.ts'
import type { PublishPlatform } from './store-drafts.ts'

/**
 * Publishes a file from the inbox; its path below the inbox is one of its keys, so a repeat after a
 * crash finds the post and changes nothing. What is no post at all is refused here, not ignored: the
 * file was dropped to be published, and a refused one is kept with the reason beside it.
 */
export async function publishInboxFile(
  platform: PublishPlatform,
  { path, bytes }: { path: string; bytes: Uint8Array },
): Promise<PublishOutcome> {
  const fault = pathFault(path)
  if (fault) {
    return refused('post.path', `The file's path ${fault}. Give the file another name.`)
  }
  const contentType = contentTypeOf(path)
  if (contentType === undefined) {
    return refused('post.not-a-post', noPostByName)
  }
  try {
    const outcome = await publishPost(platform, { bytes, contentType, path }, { way: 'publish' })
    return outcome.status === 'ignored' ? refused(outcome.code, outcome.reason) : outcome
  } catch (error) {
    // What its author must mend would fail again each time that the file is taken.
    if (!(error instanceof ServiceError) || error.status >= 500) throw error
    return refused(error.code, error.message)
  }
}

/** The text that lies beside a refused file, for the person who finds it. */
export function reasonText({ code, reason }: { code: string; reason: string }): string {
  return `${reason}\n(${code})\n\nMend the file and move it back into the inbox.\n`
}

/**
 * Keeps the bytes of a refused file in `inbox/rejected/` with its reason beside it. The same file
 * refused again replaces them. Without bytes, for a file that stays where it is, the reason alone is
 * put there. Gives back whether it was not known before, as far as that can be told.
 */
export async function keepRejected(
  { objects }: Pick<Platform, 'objects'>,
  file: { path: string; bytes?: Uint8Array; code: string; reason: string },
): Promise<boolean> {
  const { bytes } = file
  const put = async (key: string, more = '') => {
    if (bytes) await objects.put(key, bytes, { contentType: 'application/octet-stream' })
    const text = new TextEncoder().encode(reasonText(file) + more)
    const { status } = await objects.put(`${key}.reason.txt`, text, {
      contentType: 'text/plain; charset=utf-8',
      ...(bytes ? {} : { ifAbsent: true }),
    })
    return status === 'stored'
  }
  const hash = createHash('sha256').update(file.path).digest('hex').slice(0, 16)
  try {
    return await put(objectKeys.inboxRejected + rejectedName(file.path))
  } catch {
    // A name that the store does not take, or a file where this one needs a folder.
    const name = JSON.stringify(file.path.slice(0, 1000))
    return put(objectKeys.inboxRejected + hash, `It was named ${name}.\n`)
  }
}

function rejectedName(path: string): string {
  const segments = path.normalize('NFC').split(/[/\\]/)
  return segments.filter((segment) => !['', '.', '..'].includes(segment)).join('/')
}

function refused(code: ErrorCode, reason: string): PublishOutcome {
  return { status: 'refused', code, reason }
}
