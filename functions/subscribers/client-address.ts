import { BlockList, isIP } from 'node:net'
import type { Context } from 'hono'
import type { Settings } from '../settings/settings.ts'

/**
 * The address a request comes from: the one that whoever handed it over is certain of (`client` in
 * the environment, else the socket's), or, when that belongs to a trusted proxy, the last one in
 * `X-Forwarded-For` that does not. What a client writes into the header itself stands to the left of
 * what the proxies added and is never believed. `undefined` where nobody says it.
 */
export function clientAddress(
  c: Pick<Context, 'env' | 'req'>,
  { server }: Pick<Settings, 'server'>,
): string | undefined {
  const seen: unknown = c.env?.client ?? c.env?.incoming?.socket?.remoteAddress
  if (typeof seen !== 'string') return undefined
  const trusted = blockList(server.trustedProxies)
  let client = plain(seen)
  if (!isTrusted(trusted, client)) return client
  const forwarded = (c.req.header('x-forwarded-for') ?? '').slice(-2000).split(',').reverse()
  for (const entry of forwarded) {
    const address = plain(entry.trim())
    if (isIP(address) === 0) return client
    client = address
    if (!isTrusted(trusted, client)) return client
  }
  return client
}

const lists = new WeakMap<readonly string[], BlockList>()

function blockList(ranges: readonly string[]): BlockList {
  const known = lists.get(ranges)
  if (known) return known
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address)
    if (family === 0) continue
    const type = family === 4 ? 'ipv4' : 'ipv6'
    if (bits === undefined) list.addAddress(address, type)
    else list.addSubnet(address, Number(bits), type)
  }
  lists.set(ranges, list)
  return list
}

function isTrusted(list: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
