import { describe, expect, it } from 'vitest'
import { clientAddress } from '../../functions/subscribers/client-address.ts'
import { admitRequest } from '../../functions/subscribers/limits.ts'
import { readersPlatform } from './readers-platform.ts'

describe('admitRequest', () => {
  const count = async (addresses: readonly (string | undefined)[]) => {
    const { platform } = await readersPlatform()
    let admitted = 0
    for (const address of addresses) {
      if ((await admitRequest(platform, address)).status === 'admitted') admitted += 1
    }
    return admitted
  }

  it.each<[string, (string | undefined)[], number]>([
    ['one address', Array(60).fill('203.0.113.7'), 20],
    ['one address, mapped into IPv6', Array(60).fill('::ffff:203.0.113.7'), 20],
    ['one household of IPv6', Array.from({ length: 60 }, (_, i) => `2001:db8:1:2::${i}`), 20],
    ['what is no address', Array(60).fill('somewhere'), 20],
    ['many addresses', Array.from({ length: 60 }, (_, i) => `203.0.${i}.7`), 60],
    ['this machine', Array(60).fill('127.0.0.1'), 60],
    ['no socket', Array(60).fill(undefined), 60],
  ])('takes of %s so many a minute', async (_who, addresses, admitted) => {
    expect(await count(addresses)).toBe(admitted)
  })

  it('takes a thousand an hour of a network, and ten thousand of everybody', async () => {
    const { platform } = await readersPlatform()
    const admit = async (address: string) =>
      (await admitRequest(platform, address)).status === 'admitted'
    let network = 0
    for (let i = 0; i < 1100; i++) if (await admit(`203.0.113.${i % 250}`)) network += 1
    expect(network).toBe(1000)
    let all = network
    for (let i = 0; i < 9500; i++) if (await admit(`10.${i % 250}.${i % 200}.1`)) all += 1
    expect(all).toBe(10_000)
    platform.advance(60 * 60 * 1000)
    expect(await admit('203.0.113.1')).toBe(true)
  }, 60_000)

  it('says when to come again, as a page and as JSON', async () => {
    const { app } = await readersPlatform()
    const env = { incoming: { socket: { remoteAddress: '203.0.113.7' } } }
    const post = (accept: string) =>
      app.request(
        '/subscribe',
        {
          method: 'POST',
          body: 'email=ada%40example.org',
          headers: { 'content-type': 'application/x-www-form-urlencoded', accept },
        },
        env,
      )
    for (let i = 0; i < 20; i++) expect((await post('text/html')).status).toBe(200)
    const page = await post('text/html')
    expect([page.status, page.headers.get('retry-after')]).toEqual([429, '60'])
    const json = await post('application/json')
    expect(json.status).toBe(429)
    expect(json.headers.get('retry-after')).toBe('60')
    expect(await json.json()).toMatchObject({ code: 'subscribe.too-many' })
  })
})

describe('clientAddress', () => {
  const from = (socket: string | undefined, header: string, trustedProxies: string[]) =>
    clientAddress(
      {
        env: socket === undefined ? undefined : { incoming: { socket: { remoteAddress: socket } } },
        req: { header: (name: string) => (name === 'x-forwarded-for' ? header : undefined) },
      } as never,
      { server: { trustedProxies } },
    )

  it.each<[string, string | undefined, string, string[], string | undefined]>([
    ['no socket', undefined, '1.2.3.4', ['127.0.0.1'], undefined],
    ['the socket', '203.0.113.7', '', [], '203.0.113.7'],
    ['not what a stranger claims', '203.0.113.7', '1.2.3.4', [], '203.0.113.7'],
    [
      'not what a stranger claims to a proxy of others',
      '203.0.113.7',
      '1.2.3.4',
      ['10.0.0.0/8'],
      '203.0.113.7',
    ],
    ['what the proxy saw', '10.0.0.2', '198.51.100.9', ['10.0.0.0/8'], '198.51.100.9'],
    [
      'what the proxy saw, not what came with it',
      '10.0.0.2',
      '1.2.3.4, 198.51.100.9',
      ['10.0.0.0/8'],
      '198.51.100.9',
    ],
    [
      'what the outer of two proxies saw',
      '10.0.0.2',
      '1.2.3.4, 198.51.100.9, 10.0.0.3',
      ['10.0.0.0/8'],
      '198.51.100.9',
    ],
    ['the proxy, when the header is nonsense', '10.0.0.2', 'unknown', ['10.0.0.0/8'], '10.0.0.2'],
    ['the proxy, when there is no header', '10.0.0.2', '', ['10.0.0.0/8'], '10.0.0.2'],
    ['a mapped address in plain', '::ffff:127.0.0.1', '2001:db8::1', ['127.0.0.1'], '2001:db8::1'],
    ['an address with a zone', 'fe80::1%eth0', '', [], 'fe80::1'],
  ])('is %s', (_title, socket, header, proxies, expected) => {
    expect(from(socket, header, proxies)).toBe(expected)
  })

  it('reads a hostile header in no time', () => {
    const start = performance.now()
    expect(from('10.0.0.2', `${'10.0.0.1,'.repeat(100_000)}x`, ['10.0.0.0/8'])).toBe('10.0.0.2')
    expect(performance.now() - start).toBeLessThan(100)
  })
})
