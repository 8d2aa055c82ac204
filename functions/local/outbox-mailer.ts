import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { noRoom } from '../no-room.ts'
import type { Mailer, OutgoingMessage, SendOutcome } from '../platform.ts'
import { fileWriter, removeLeftovers } from './durable-files.ts'

export interface OutboxMailerOptions {
  folder: string
  now: () => Date
  /** `false` never waits for the disk. For tests. @default true */
  syncs?: boolean
}

const deliveryIds = /^[A-Za-z0-9_-]{1,256}$/

/**
 * Puts each mail into the folder as `<delivery id>.eml`, which any mail program opens. The name
 * appears by one rename: that is the irreversible step, and the file is the evidence of it.
 * Concurrent sends are made durable together.
 */
export function outboxMailer(options: OutboxMailerOptions): Mailer {
  const { folder, now, syncs = true } = options
  // Beside the mails, as a rename must stay on one file system; the dot hides it.
  const temporary = join(folder, '.unfinished')
  removeLeftovers(temporary)
  const writer = fileWriter({ temporary, syncs })

  function pathOf(deliveryId: string): string {
    if (!deliveryIds.test(deliveryId)) {
      throw new Error('a delivery id has 1 to 256 of `A-Z a-z 0-9 _ -`')
    }
    return join(folder, fileName(deliveryId))
  }

  async function send(
    message: OutgoingMessage,
    until: Date,
    leave?: () => Promise<boolean>,
  ): Promise<SendOutcome> {
    const path = pathOf(message.deliveryId)
    if (leave && !(await leave())) return noRoom
    const outcome = await writer.write({
      path,
      body: message.raw,
      isDurable: true,
      isWanted: () => now().getTime() <= until.getTime(),
    })
    if (outcome === 'unwanted') {
      return { status: 'deferred', reason: 'too late', retryAfterSeconds: 60 }
    }
    return { status: 'sent' }
  }

  return {
    name: 'outbox',
    send,
    quota: async () => ({}),
    evidence: async (deliveryId) => (fs.existsSync(pathOf(deliveryId)) ? 'accepted' : 'none'),
    evidenceDelaySeconds: 0,
    hasFinalEvidence: true,
  }
}

// A file's name has at most 255 bytes, and a delivery id may have 256 characters.
function fileName(deliveryId: string): string {
  if (deliveryId.length <= 251) return `${deliveryId}.eml`
  const hash = createHash('sha256').update(deliveryId).digest('hex').slice(0, 32)
  return `${deliveryId.slice(0, 200)}_${hash}.eml`
}
