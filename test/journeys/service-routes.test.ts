import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createApp } from '../../functions/app.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { openService } from './service.ts'
import { reader, serviceJourney } from './service-journey.ts'

serviceJourney('on one machine', openService)

describe('a tick', () => {
  it('by hand goes by the instant given and leaves the clock alone', async () => {
    const service = await openService({ now: '2026-03-02T08:00:00Z' })
    await service.api('POST', '/api/v1/subscribers', reader)
    await service.publish({ id: 'a', title: 'A', content: 'x' })
    const answer = await service.api('POST', '/api/v1/tick', { now: '2026-03-03T08:00:00Z' })
    expect(await answer.json()).toMatchObject({
      at: '2026-03-03T08:00:00.000Z',
      runs: [{ dueAt: '2026-03-03T08:00:00Z', state: 'done', counts: { accepted: 1 } }],
    })
    expect(service.platform.now().toISOString()).toBe('2026-03-02T08:00:00.000Z')
  })

  it('refuses a day that no calendar has', async () => {
    const { api } = await openService()
    const answer = await api('POST', '/api/v1/tick', { now: '2026-02-30T08:00:00Z' })
    expect(answer.status).toBe(422)
  })

  it('of an instant to come can be repeated for those who subscribed meanwhile', async () => {
    const service = await openService({ now: '2026-03-02T08:30:00Z' })
    await service.api('POST', '/api/v1/tick')
    const now = '2026-03-04T09:00:00Z'
    await service.api('POST', '/api/v1/tick', { now })
    await service.api('POST', '/api/v1/subscribers', reader)
    await service.publish({ id: 'a', title: 'A', content: 'x' })
    const answer = await service.api('POST', '/api/v1/tick', { now })
    expect((await answer.json()).runs).toMatchObject([{ state: 'done', counts: { accepted: 1 } }])
    const again = await service.api('POST', '/api/v1/tick', { now })
    expect((await again.json()).runs).toEqual([])
    expect(await service.mails()).toHaveLength(1)
  })
})

describe('a backup', () => {
  it('lies in a folder of its own, which must be empty', async () => {
    const { api } = await openService()
    const folder = join(temporaryFolder(), 'copy')
    expect((await api('POST', '/api/v1/backup', { folder })).status).toBe(200)
    expect(readdirSync(folder)).toContain('broadsheet.sqlite')
    const again = await api('POST', '/api/v1/backup', { folder })
    expect([again.status, (await again.json()).code]).toEqual([422, 'backup.folder'])
  })
})

describe('where the service does not run as one process', () => {
  it.each(['/api/v1/tick', '/api/v1/backup'])('%s says that it is not for there', async (path) => {
    const { platform, api } = await openService()
    const made = await api('POST', '/api/v1/keys', { name: 'admin' })
    const { key } = await made.json()
    const { machine: _, ...elsewhere } = platform
    const app = createApp({ ...elsewhere, isLocal: false })
    const response = await app.request(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(path.endsWith('backup') ? { folder: 'x' } : {}),
    })
    expect([response.status, (await response.json()).code]).toEqual([409, 'local-only'])
  })
})
