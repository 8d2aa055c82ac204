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

  it('takes so many of a network, and of everybody so many that one network cannot use them up', async () => {
    const { platform } = await readersPlatform()
    const limits = {
      address: [{ seconds: 60, most: 3 }],
      network: [{ seconds: 3600, most: 10 }],
      everybody: [{ seconds: 3600, most: 30 }],
    }
    const admitted = async (addresses: string[]) => {
      let count = 0
      for (const address of addresses) {
        if ((await admitRequest(platform, address, limits)).status === 'admitted') count += 1
      }
      return count
    }
    const network = Array.from({ length: 100 }, (_, i) => `203.0.113.${i}`)
    expect(await admitted(network)).toBe(10)
    expect(await admitted(Array.from({ length: 100 }, (_, i) => `10.${i}.0.1`))).toBe(20)
    platform.advance(60 * 60 * 1000)
    expect(await admitted(network)).toBe(10)
  })

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

  it('is not held up by a hostile header', () => {
    const header = `${'10.0.0.1,'.repeat(100_000)}x`
    for (let i = 0; i < 100; i++) {
      expect(from('10.0.0.2', header, ['10.0.0.0/8'])).toBe('10.0.0.2')
    }
  })
})

describe('what a reader changes', () => {
  it('is taken fifty times a day; leaving is never refused', async () => {
    const { platform, join, post, link } = await readersPlatform()
    await join('ada@example.org')
    const save = (i: number) =>
      post(link('preferences', 'ada@example.org'), {
        action: 'save',
        cadence: 'daily',
        at: `07:${String(i % 60).padStart(2, '0')}`,
      })
    for (let i = 0; i < 50; i++) expect((await save(i)).status).toBe(200)
    const refused = await save(50)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.text()).toContain('please try again tomorrow')
    platform.advance(24 * 60 * 60 * 1000)
    expect((await save(51)).status).toBe(200)
    for (let i = 0; i < 50; i++) await save(i)
    expect((await save(52)).status).toBe(429)
    const left = await post(link('preferences', 'ada@example.org'), { action: 'unsubscribe' })
    expect(left.status).toBe(200)
  })
})
