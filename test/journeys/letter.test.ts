import { describe, expect, it } from 'vitest'
import { scriptedMailer } from '../digests/scripted-mailer.ts'
import { letterJourney } from './letter-journey.ts'
import { confirmed } from './reader-journey.ts'
import { openService, type RunView } from './service.ts'

letterJourney('on one machine', openService)

describe('a letter on its way', () => {
  it('is paused in the middle and resumed: nobody gets it twice, nobody is missed, the books say so', async () => {
    const mailer = scriptedMailer()
    const service = await openService({ mailer })
    const { api, platform } = service
    const names = Array.from({ length: 40 }, (_, i) => `reader${i}@example.org`)
    const csv = ['email,cadence,confirmedAt,consent']
    for (const name of names) csv.push(`${name},daily,2026-01-01T00:00:00Z,form`)
    await api('POST', '/api/v1/subscribers/import', csv.join('\n'), { 'content-type': 'text/csv' })

    // The mail server takes some and is busy then.
    mailer.answer = () =>
      mailer.sent.length < 12
        ? undefined
        : { status: 'deferred', reason: 'busy', retryAfterSeconds: 60 }
    await service.publish({ title: 'A letter', mail: 'letter', content: 'Dear all.' })
    await platform.settle()
    const { items } = (await (await api('GET', '/api/v1/runs')).json()) as { items: RunView[] }
    const path = `/api/v1/runs/${items[0]?.id}`
    const books = async () => ((await (await api('GET', path)).json()) as RunView).counts
    const paused = (await (await api('POST', `${path}/pause`)).json()) as RunView
    expect(paused).toMatchObject({ state: 'paused', reason: 'Paused by hand.' })
    mailer.answer = () => undefined
    await service.tick('2026-03-02T08:30:00Z')
    expect(mailer.sent).toHaveLength(12)
    expect(await books()).toMatchObject({ candidates: 40, accepted: 12, pending: 28 })

    expect((await api('POST', `${path}/resume`)).status).toBe(200)
    await platform.settle()
    await service.tick('2026-03-02T08:40:00Z')
    expect(mailer.sent.map(({ to }) => to).sort()).toEqual(names.toSorted())
    expect(await books()).toMatchObject({ candidates: 40, accepted: 40, pending: 0 })
    expect(await (await api('GET', path)).json()).toMatchObject({ state: 'done' })
  })

  it('is not sent to a reader who leaves while it is paused', async () => {
    const service = await openService({ settings: { mail: { approval: 24 } } })
    await confirmed(service)
    const { items } = (await (await service.api('GET', '/api/v1/subscribers')).json()) as {
      items: { id: string }[]
    }
    await service.publish({ title: 'A letter', mail: 'letter', content: 'Dear all.' })
    await service.platform.settle()
    const runs = (await (await service.api('GET', '/api/v1/runs')).json()) as { items: RunView[] }
    await service.api('DELETE', `/api/v1/subscribers/${items[0]?.id}`)
    await service.api('POST', `/api/v1/runs/${runs.items[0]?.id}/approve`)
    await service.tick('2026-03-02T09:00:00Z')
    expect((await service.mails()).map(({ subject }) => subject)).not.toContain('A letter')
  })
})
