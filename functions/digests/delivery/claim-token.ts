import { randomBytes } from 'node:crypto'

const prefix = randomBytes(8).toString('hex')
let count = 0

/** Names one claim or take-over: hex digits, random for the process and then counted. Two never meet. */
export function newToken(): string {
  count++
  return `${count.toString(16).padStart(8, '0').slice(-8)}${prefix}`
}
