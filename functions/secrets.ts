import { createHash, randomBytes } from 'node:crypto'

/** Keys that never appear in a log, a URL or the repository. Made on first use by each platform. */
export interface Secrets {
  /** Keys the subscribers' ids. Never changes: an id is the only trace of an erased reader. */
  readonly subscribers: string
  /** Sign links, newest first; the older ones only verify. */
  readonly links: readonly { id: string; key: string }[]
}

/** 256 random bits, as text. */
export function newKey(): string {
  return randomBytes(32).toString('base64url')
}

/** A key for links. Its id is short, as it stands in every link, and says nothing of the key. */
export function newLinkKey(): { id: string; key: string } {
  const key = newKey()
  return { id: createHash('sha256').update(`link:${key}`).digest('base64url').slice(0, 6), key }
}
