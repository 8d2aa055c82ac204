import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'

/** Headers that the distribution of `infra/site.ts` sets, in place of any that a client sent. */
export const edgeHeaders = {
  /** Says that the request comes from our distribution: `BROADSHEET_EDGE`. */
  mark: 'x-broadsheet-edge',
  /** The `X-Forwarded-For` that came to the edge, and behind it who sent it there. */
  sender: 'x-broadsheet-sender',
} as const

/** Where a request comes from, as far as that is certain. */
export interface Sender {
  /** Absent where nothing says it. */
  address?: string
  /** What is said about the ways before that address; only its right end is worth anything. */
  forwarded?: string
}

/** Of an event, what tells who sent it. */
interface SentEvent {
  headers?: Record<string, string | undefined> | null
  requestContext?: { http?: { sourceIp?: string } }
}

/**
 * Who sent the event of a function URL (docs/decisions/0011): with the mark of our own distribution
 * it is whom the distribution saw; without, whoever called the URL itself. `X-Forwarded-For` is never
 * looked at: a function URL keeps the leftmost address of it, which anybody may write.
 *
 * @param mark what our distribution sends; absent without one
 */
export function senderOf(event: SentEvent, mark: string | undefined): Sender {
  const caller = event.requestContext?.http?.sourceIp
  const direct: Sender = caller !== undefined && isIP(caller) !== 0 ? { address: caller } : {}
  const sent = event.headers?.[edgeHeaders.mark]
  if (!mark || sent === undefined || !isSame(sent, mark)) return direct
  const seen = event.headers?.[edgeHeaders.sender] ?? ''
  const comma = seen.lastIndexOf(',')
  const address = seen.slice(comma + 1).trim()
  if (isIP(address) === 0) return direct
  return { address, forwarded: comma < 0 ? '' : seen.slice(0, comma) }
}

function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
