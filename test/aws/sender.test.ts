import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { edgeHeaders, senderOf } from '../../functions/aws/sender.ts'
import { senderFunctionCode } from '../../infra/edge-function.ts'
import { type AwsServers, scratchAwsPlatform } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { functionUrlEvent } from '../support/aws/function-url-event.ts'

const mark = '51af3dc0-da77-11e4-872e-1234567db123'
const reader = '198.51.100.9'
const forger = '203.0.113.66'
/** A server of CloudFront's, which calls the function URL for whoever it serves. */
const edgeServer = '130.176.1.20'

type Headers = Record<string, string>

/** The headers with which our distribution asks: its function's, then its own in place of a client's. */
function throughEdge(viewer: string, headers: Headers = {}): Headers {
  const request = {
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { value }])),
  }
  const event = { request, viewer: { ip: viewer } }
  const asked = JSON.parse(
    runInNewContext(`${senderFunctionCode}\nJSON.stringify(handler(event))`, { event }) as string,
  ) as { headers: Record<string, { value: string }> }
  const sent = Object.entries(asked.headers).map(([name, { value }]) => [name, value])
  const before = headers['x-forwarded-for']
  return {
    ...Object.fromEntries(sent),
    'x-forwarded-for': before === undefined ? viewer : `${before}, ${viewer}`,
    [edgeHeaders.mark]: mark,
  }
}

const said = (value: string, edge = mark): Headers => ({
  [edgeHeaders.mark]: edge,
  [edgeHeaders.sender]: value,
})

describe('who sent a request to the function URL', () => {
  it.each<[string, Headers, string, string | undefined]>([
    ['a reader behind the edge', throughEdge(reader), edgeServer, reader],
    ['one with IPv6', throughEdge('2001:db8:1:2::7'), edgeServer, '2001:db8:1:2::7'],
    [
      'one who claims to be another',
      throughEdge(reader, { 'x-forwarded-for': '192.0.2.1' }),
      edgeServer,
      reader,
    ],
    [
      'one who claims a list of others',
      throughEdge(reader, { 'x-forwarded-for': '192.0.2.1, 192.0.2.2' }),
      edgeServer,
      reader,
    ],
    [
      'one who claims what the edge says',
      throughEdge(reader, said(forger, 'x')),
      edgeServer,
      reader,
    ],
    [
      'one whose claim is nothing that could be an address',
      throughEdge(reader, { 'x-forwarded-for': `${'9'.repeat(5000)},"><script>` }),
      edgeServer,
      reader,
    ],
    ['a stranger at the URL itself', {}, forger, forger],
    ['with IPv6', {}, '2001:db8:9::1', '2001:db8:9::1'],
    ['who forges `X-Forwarded-For`', { 'x-forwarded-for': reader }, forger, forger],
    ['who forges what the edge says', said(reader, 'no such mark'), forger, forger],
    ['who leaves the mark empty', said(reader, ''), forger, forger],
    [
      'who forges CloudFront’s own header',
      { 'cloudfront-viewer-address': `${reader}:443` },
      forger,
      forger,
    ],
    ['a distribution of somebody else', { 'x-forwarded-for': reader }, edgeServer, edgeServer],
    ['the mark without a sender', { [edgeHeaders.mark]: mark }, edgeServer, edgeServer],
    ['the mark with nonsense', said('unknown'), edgeServer, edgeServer],
    ['nobody', {}, '', undefined],
  ])('is %s', async (_, headers, sourceIp, expected) => {
    const event = await functionUrlEvent('/subscribe', { headers }, sourceIp)
    expect(senderOf(event as object, mark).address).toBe(expected)
  })

  it('is whoever calls the URL where there is no edge', async () => {
    for (const edge of [undefined, '']) {
      const event = await functionUrlEvent('/', { headers: said(reader, '') }, forger)
      expect(senderOf(event as object, edge)).toEqual({ address: forger })
    }
  })

  it('is nobody in an event of another shape', () => {
    for (const event of [{}, { headers: null }, { requestContext: {} }]) {
      expect(senderOf(event, mark)).toEqual({})
    }
  })
})

describe('the limits of a sender', () => {
  let servers: AwsServers
  beforeAll(async () => {
    servers = await startAwsServers()
  })
  afterAll(() => servers.close())

  /** How many of so many requests for a mail are taken. */
  async function taken(
    requests: { headers?: Headers; from: string }[],
    options: Parameters<typeof scratchAwsPlatform>[1] = {},
  ) {
    const { doorways } = await scratchAwsPlatform(servers, { ...options, edgeMark: mark })
    const statuses: number[] = []
    for (const [i, { headers = {}, from }] of requests.entries()) {
      const body = new URLSearchParams({
        email: `r${i}@example.org`,
        cadence: 'daily',
        at: '08:00',
      })
      const asked = { method: 'POST', headers, body }
      statuses.push((await doorways.web('/subscribe', asked, from)).status)
    }
    expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([])
    return statuses.filter((status) => status === 200).length
  }
  const times = <T>(n: number, make: (i: number) => T) =>
    Array.from({ length: n }, (_, i) => make(i))

  it('hold one reader behind the edge, whatever the reader claims', async () => {
    const requests = times(25, (i) => ({
      headers: throughEdge(reader, { 'x-forwarded-for': `192.0.2.${i}` }),
      from: `130.176.1.${i}`,
    }))
    expect(await taken(requests)).toBe(20)
  })

  it('hold one forger at the URL, and let nobody use up another’s', async () => {
    const forged = times(25, (i) => ({
      headers: { ...said(reader, `guess ${i}`), 'x-forwarded-for': reader },
      from: forger,
    }))
    const honest = times(3, () => ({ headers: throughEdge(reader), from: edgeServer }))
    expect(await taken([...forged, ...honest])).toBe(20 + 3)
  })

  it('let readers behind one server of the edge pass', async () => {
    const requests = times(25, (i) => ({
      headers: throughEdge(`198.51.${i}.9`),
      from: edgeServer,
    }))
    expect(await taken(requests)).toBe(25)
  })

  it('tell readers apart behind a proxy of the publisher’s own in front of the edge', async () => {
    const proxy = '192.0.2.200'
    const requests = times(25, (i) => ({
      headers: throughEdge(proxy, { 'x-forwarded-for': `${reader}, 198.51.${i}.9` }),
      from: edgeServer,
    }))
    expect(await taken(requests)).toBe(20)
    const settings = { server: { trustedProxies: [proxy] } }
    expect(await taken(requests, { settings })).toBe(25)
  })
})
