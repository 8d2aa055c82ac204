import fs from 'node:fs'
import { join } from 'node:path'
import { recipientOf } from '../support/scratch-platform.ts'
import { smtpSink } from '../support/smtp-sink.ts'

/** A mail that came, by its delivery id. */
export interface Received {
  id: string
  to: string
  /** The marks of posts that are in it (`markOf`). */
  posts: string[]
  times: number
  /** A link of a confirmation mail. */
  link?: string
}

/** Where mails arrive: what really went out, whatever the books say. */
export interface Mailbox {
  readonly name: 'outbox' | 'smtp'
  /** Whether the ledger can prove what went out: then nothing may stay unknown. */
  readonly hasEvidence: boolean
  readonly env: Record<string, string>
  /** Takes in what came since the last look; `again` also sees what came a second time. */
  look(options?: { again: boolean }): ReadonlyMap<string, Received>
  close(): Promise<void>
}

/** What a post is recognised by in a mail, whatever else is in it. */
export const markOf = (post: string) => `[[${post}]]`
/** The posts that a text names, each once. */
export function marksIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\[\[([\w-]+)\]\]/g)].map(([, mark = '']) => mark))]
}

/**
 * The folder of mails. Each file is read once and then emptied, as a long run would fill the disk;
 * that it exists is what the ledger asks for.
 */
export function outboxMailbox(data: string): Mailbox {
  const folder = join(data, 'outbox')
  const received = new Map<string, Received>()
  return {
    name: 'outbox',
    hasEvidence: true,
    env: {},
    look({ again } = { again: false }) {
      const names = fs.existsSync(folder) ? fs.readdirSync(folder) : []
      for (const name of names) {
        if (!name.endsWith('.eml')) continue
        const id = name.slice(0, -'.eml'.length)
        const path = join(folder, name)
        const known = received.get(id)
        if (known && !again) continue
        const raw = takeContent(path)
        if (raw === '') continue
        const mail = read(id, raw)
        // The file was emptied: that it holds a mail again means that it was sent once more.
        if (known) known.times++
        else received.set(id, mail)
      }
      return received
    },
    close: async () => {},
  }
}

/** An SMTP server that outlives the crashes; it refuses some for good, the first time they come. */
export async function smtpMailbox({ refused = 0 }: { refused?: number } = {}): Promise<Mailbox> {
  const received = new Map<string, Received>()
  let asked = 0
  const sink = await smtpSink({
    refuse: (to) =>
      refused > 0 && to.startsWith('reader-') && ++asked % Math.round(1 / refused) === 0
        ? Object.assign(new Error('5.7.1 not today'), { responseCode: 554 })
        : undefined,
  })
  const look = () => {
    for (const { raw } of sink.mails.splice(0)) {
      const id = /^Message-ID: <([\w-]+)@/im.exec(raw)?.[1] ?? ''
      const known = received.get(id)
      if (known) known.times++
      else received.set(id, read(id, raw))
    }
    return received
  }
  // Whole mails of a long run would fill the memory.
  const timer = setInterval(look, 50)
  return {
    name: 'smtp',
    hasEvidence: false,
    env: { BROADSHEET_SMTP_URL: sink.url },
    look,
    close: async () => {
      clearInterval(timer)
      await sink.close()
    },
  }
}

/** Reads a file and leaves it empty. The mails of a reader who is erased may go at any moment. */
function takeContent(path: string): string {
  try {
    if (fs.statSync(path).size === 0) return ''
    const raw = fs.readFileSync(path, 'latin1')
    fs.truncateSync(path)
    return raw
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function read(id: string, raw: string): Received {
  // The plain text comes first and holds all that the page does.
  const body = /\r\n\r\n([A-Za-z0-9+/=\r\n]+?)\r\n--/.exec(raw)?.[1] ?? ''
  const text = Buffer.from(body, 'base64').toString('utf8')
  const link = /https?:\/\/[^\s]+(\/confirm\/[\w.-]+)/.exec(text)?.[1]
  return { id, to: recipientOf(raw), posts: marksIn(text), times: 1, ...(link ? { link } : {}) }
}
