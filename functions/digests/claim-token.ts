import { randomBytes } from 'node:crypto'

/** Names one claim or take-over. 16 hex digits: two never meet. */
export function newToken(): string {
  return randomBytes(8).toString('hex')
}
