import { expect, test } from 'vitest'
import { scratchPlatform } from '../support/scratch-platform.ts'

test('a scratch platform keeps objects, records and mails on a clock of its own', async () => {
  const platform = await scratchPlatform({ settings: { site: { title: 'Try' } } })
  expect(platform.settings.site).toMatchObject({ title: 'Try', baseUrl: 'https://news.example' })
  await platform.objects.put('public/a.html', Buffer.from('hello'), {
    contentType: 'text/html; charset=utf-8',
  })
  expect((await platform.objects.get('public/a.html'))?.body.toString()).toBe('hello')
  await platform.records.put({
    partition: 'p',
    sort: 's',
    value: { a: 1 },
    expiresAt: new Date('2026-03-03'),
  })
  expect((await platform.records.get({ partition: 'p', sort: 's' }))?.value).toEqual({ a: 1 })
  platform.advance(86_400_000)
  expect(await platform.records.get({ partition: 'p', sort: 's' })).toBeUndefined()
  await platform.mailer.send(
    {
      deliveryId: 'd1',
      from: 'a@x.example',
      to: 'b@x.example',
      raw: Buffer.from('To: B <b@x.example>\r\n\r\nHi\r\n'),
      kind: 'bulk',
    },
    new Date('2026-04-01'),
  )
  expect(await platform.outbox()).toMatchObject([{ deliveryId: 'd1', to: 'b@x.example' }])
  expect((await platform.objects.list('outbox/')).objects.map((o) => o.key)).toEqual([
    'outbox/d1.eml',
  ])
  await platform.close()
})
