import { createHmac } from 'node:crypto'
import { isIP } from 'node:net'
import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'

/**
 * How many requests for a mail are taken. What protects a person whose address is misused is the
 * one mail a day per address; these keep a machine from naming thousands of addresses.
 */
export interface RequestLimits {
  /** One IPv4 address or IPv6 /64. */
  address: readonly Limit[]
  /** An IPv4 /24 or IPv6 /48. */
  network: readonly Limit[]
  everybody: readonly Limit[]
}

interface Limit {
  seconds: number
  most: number
}

const requestLimits: RequestLimits = {
  address: [
    { seconds: 60, most: 20 },
    { seconds: 3600, most: 100 },
  ],
  network: [{ seconds: 3600, most: 1000 }],
  everybody: [{ seconds: 3600, most: 10_000 }],
}

export type Admission = { status: 'admitted' } | { status: 'refused'; retryAfterSeconds: number }

/**
 * Counts a request against its sender's limits, then, if those let it pass, against everybody's, so
 * that one sender cannot use up what is there for all. A request from this machine itself has no
 * sender limit: it is a test, or every reader behind a proxy that is not named in
 * `server.trustedProxies`.
 */
export async function admitRequest(
  platform: Pick<Platform, 'records' | 'now' | 'secrets'>,
  client: string | undefined,
  limits: RequestLimits = requestLimits,
): Promise<Admission> {
  const sender = client === undefined ? undefined : senderOf(client)
  if (sender) {
    const own = await count(platform, [
      ...limits.address.map((limit) => ({ ...limit, name: sender.address })),
      ...limits.network.map((limit) => ({ ...limit, name: sender.network })),
    ])
    if (own.status === 'refused') return own
  }
  return count(
    platform,
    limits.everybody.map((limit) => ({ ...limit, name: 'everybody' })),
  )
}

/** So many a day: nobody who looks for the right hour comes near it. */
const changesOfReader: Limit = { seconds: 86_400, most: 50 }

/** Counts a change that a reader makes to what they get and when: each costs as much as a mail. */
export function admitChange(
  platform: Pick<Platform, 'records' | 'now' | 'secrets'>,
  readerId: string,
): Promise<Admission> {
  return count(platform, [{ ...changesOfReader, name: `changes ${readerId}` }])
}

async function count(
  { records, now, secrets }: Pick<Platform, 'records' | 'now' | 'secrets'>,
  wanted: readonly (Limit & { name: string })[],
): Promise<Admission> {
  const second = Math.floor(now().getTime() / 1000)
  const waits = await Promise.all(
    wanted.map(async ({ name, seconds, most }) => {
      const window = Math.floor(second / seconds)
      const end = (window + 1) * seconds
      // Hashed with the key of the ids: a client's address is nowhere kept in plain.
      const hash = createHmac('sha256', secrets.subscribers).update(`tries ${name}`).digest('hex')
      const key = recordKeys.tries(`${hash.slice(0, 32)}:${seconds}:${window}`)
      const tries = await records.add(key, 1, { expiresAt: new Date((end + 60) * 1000) })
      return tries > most ? end - second : 0
    }),
  )
  const longest = Math.max(0, ...waits)
  return longest > 0 ? { status: 'refused', retryAfterSeconds: longest } : { status: 'admitted' }
}

/** What counts as one sender: in IPv6 a household has a whole /64. `undefined` for this machine. */
function senderOf(client: string): { address: string; network: string } | undefined {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(client)?.[1]
  const ip = mapped ?? client.replace(/%.*$/, '')
  if (isIP(ip) === 4) {
    if (ip.startsWith('127.')) return undefined
    return { address: ip, network: ip.split('.').slice(0, 3).join('.') }
  }
  if (isIP(ip) !== 6) return { address: 'unreadable', network: 'unreadable' }
  if (ip === '::1') return undefined
  const groups = expand(ip)
  return { address: groups.slice(0, 4).join(':'), network: groups.slice(0, 3).join(':') }
}

function expand(ip: string): string[] {
  const [head = '', tail] = ip.toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array<string>(zeros).fill('0'), ...right].map((group) =>
    group.replace(/^0+(?=.)/, ''),
  )
}
