import { describe, expect, it } from 'vitest'
import type { Platform } from '../../functions/platform.ts'
import { platform, siteOf } from './scratch-site.ts'

describe('the outbox', () => {
  const local = () => ({
    ...platform,
    settings: {
      ...platform.settings,
      site: { ...platform.settings.site, baseUrl: 'http://127.0.0.1:8787' },
    },
  })
  const get = (of: Platform, path: string, host = '127.0.0.1:8787', remote?: string) =>
    siteOf(of).request(
      `http://${host}${path}`,
      { headers: { host } },
      {
        ...(remote ? { incoming: { socket: { remoteAddress: remote } } } : {}),
      },
    )

  async function mail(id: string, html: string) {
    const { plainMessage } = await import('../../functions/mail/message.ts')
    const raw = plainMessage({
      from: 'a@news.example',
      to: 'reader@mail.example',
      subject: '请确认',
      html,
      text: '确认',
      messageId: `<${id}@news.example>`,
      date: platform.now(),
    })
    const message = { deliveryId: id, from: 'a@news.example', to: 'reader@mail.example', raw }
    await platform.mailer.send({ ...message, kind: 'bulk' }, new Date('2030-01-01'))
  }

  it('shows each mail as it looks, as text and as source, and runs nothing of it', async () => {
    await mail('m1', '<html><head></head><body><script>alert(1)</script>确认</body></html>')
    const list = await (await get(local(), '/outbox/')).text()
    expect(list).toContain('请确认')
    expect(list).toContain('reader@mail.example')
    const shown = await get(local(), '/outbox/m1')
    expect(await shown.text()).toContain('<iframe')
    expect(shown.headers.get('content-security-policy')).toContain("frame-src 'self'")
    expect(await (await get(local(), '/outbox/m1?view=text')).text()).toContain('确认')
    expect(await (await get(local(), '/outbox/m1?view=source')).text()).toContain(
      'multipart/alternative',
    )
    const html = await get(local(), '/outbox/m1/html')
    expect(html.headers.get('content-security-policy')).toMatch(/^sandbox .*default-src 'none'/)
    expect(html.headers.get('content-security-policy')).not.toContain('script')
    expect((await get(local(), '/outbox/..%2f..%2fsecrets')).status).toBe(404)
  })

  it('shows itself in pages, the oldest reachable', async () => {
    for (let i = 0; i < 53; i++) await mail(`m${i}`, 'a')
    const list = await (await get(local(), '/outbox/')).text()
    const older = /href="(\/outbox\/\?after=[^"]+)"/.exec(list)?.[1] ?? ''
    const rest = await (await get(local(), older)).text()
    expect(rest.match(/href="\/outbox\/m\d+"/g)).toHaveLength(3)
  })

  it('is nothing to anybody but who sits at this machine', async () => {
    await mail('m1', 'a')
    const there = local()
    expect((await get(there, '/outbox/', '127.0.0.1:8787', '127.0.0.1')).status).toBe(200)
    expect((await get(there, '/outbox/', 'localhost:8787', '::ffff:127.0.0.1')).status).toBe(200)
    for (const path of ['/outbox/', '/outbox/m1', '/outbox/m1/html']) {
      expect((await get(there, path, 'evil.example')).status).toBe(404)
      expect((await get(there, path, '127.0.0.1:8787', '192.0.2.7')).status).toBe(404)
      expect((await get(platform, path)).status).toBe(404)
      expect((await get({ ...there, isLocal: false }, path)).status).toBe(404)
    }
  })
})
