import { describe, expect, it } from 'vitest'
import { linkIn, type OpenService } from './service.ts'

/** As `POST /api/v1/subscribers` takes one who confirmed elsewhere. */
export const reader = {
  email: 'ada@example.org',
  cadence: 'daily',
  at: '08:00',
  timeZone: 'UTC',
  confirmed: true,
  consent: { at: '2026-01-01T00:00:00Z' },
}

/** What a publisher does with the service as a whole. */
export function serviceJourney(where: string, open: OpenService): void {
  describe(`${where}: the keys of links`, () => {
    it('are renewed, and links already mailed still work', async () => {
      const service = await open()
      await service.api('POST', '/api/v1/subscribers', reader)
      await service.publish({ id: 'a', title: 'A', content: 'x' })
      await service.tick('2026-03-03T08:00:00Z')
      const old = linkIn((await service.mails())[0], 'preferences')
      const rotated = await service.api('POST', '/api/v1/links/rotate')
      expect(await rotated.json()).toEqual({ keys: 2 })
      await service.publish({ id: 'b', title: 'B', content: 'x' })
      await service.tick('2026-03-04T08:00:00Z')
      const fresh = linkIn((await service.mails())[1], 'preferences')
      expect(fresh).not.toBe(old)
      for (const link of [old, fresh]) expect((await service.page(link)).status).toBe(200)
    })
  })

  describe(`${where}: sending`, () => {
    it('stands still while it is paused, and brings all of it when it goes on', async () => {
      const service = await open()
      await service.api('POST', '/api/v1/subscribers', reader)
      await service.publish({ id: 'a', title: 'A', content: 'x' })
      await service.api('POST', '/api/v1/sending/pause', { reason: 'moving house' })
      expect(await (await service.api('GET', '/api/v1/sending')).json()).toMatchObject({
        paused: true,
        reason: 'moving house',
      })
      await service.tick('2026-03-03T08:00:00Z')
      expect(await service.mails()).toEqual([])
      await service.api('POST', '/api/v1/sending/resume')
      await service.tick('2026-03-03T08:10:00Z')
      const mails = await service.mails()
      expect(mails.map(({ text }) => text?.includes('posts/a/'))).toEqual([true])
      const { items } = await (await service.api('GET', '/api/v1/runs')).json()
      for (const { counts } of items) {
        const { candidates, ...rest } = counts as Record<string, number>
        expect(candidates).toBe(Object.values(rest).reduce((sum, n) => sum + n, 0))
      }
    })
  })
}
