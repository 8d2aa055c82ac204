import PostalMime from 'postal-mime'
import { describe, expect, it } from 'vitest'
import type { RunView, Service } from './service.ts'
import { reader } from './service-journey.ts'

/** A service whose mails go out by a provider that can be told what to refuse. */
export interface ServiceWithProvider {
  service: Service
  /** What the provider says to a mail from now on: never, not now, or nothing against it. */
  refuse(rule: (to: string) => 'never' | 'later' | undefined): void
  /** The mails that it took, oldest first. */
  sent(): { to: string; raw: string }[]
  /** Lets the first mail that it took for somebody come back, as to an address that does not exist. */
  comesBack(to: string): Promise<void>
  /** How the books put it that a mail was refused for ever. */
  reason: string
}

/** What becomes of mails that are refused, at once or afterwards, on the platform that `open` opens. */
export function refusedMailJourney(
  where: string,
  openEmpty: () => Promise<ServiceWithProvider>,
): void {
  /** Ada and Bob read daily, and there is a post. */
  async function open() {
    const opened = await openEmpty()
    const { service } = opened
    await service.tick('2026-03-02T18:00:00Z')
    for (const email of ['ada@example.org', 'bob@example.org']) {
      const answer = await service.api('POST', '/api/v1/subscribers', { ...reader, email })
      expect(answer.ok).toBe(true)
    }
    await service.publish({ title: 'The first post', content: 'Text.' })
    return { ...service, ...opened }
  }

  async function newestRun({ api }: Pick<Service, 'api'>): Promise<RunView> {
    const page = (await (await api('GET', '/api/v1/runs?limit=1')).json()) as { items: RunView[] }
    return page.items[0] as RunView
  }

  describe(`${where}: a mail that is refused`, () => {
    it('fails with the reason, and `retry` sends what is still owed of it, to that reader only', async () => {
      const { api, tick, sent, refuse, reason } = await open()
      refuse((to) => (to.startsWith('ada') ? 'never' : undefined))
      await tick('2026-03-03T08:00:00Z')
      const run = await newestRun({ api })
      expect(run).toMatchObject({ state: 'done', counts: { accepted: 1, failed: 1 } })
      const path = `/api/v1/runs/${run.id}/deliveries?state=failed`
      const failed = await (await api('GET', path)).json()
      expect(failed).toMatchObject({ items: [{ state: 'failed', reason }] })

      refuse(() => undefined)
      await api('POST', `/api/v1/runs/${run.id}/retry`)
      await tick('2026-03-03T08:05:00Z')
      expect((await newestRun({ api })).counts).toMatchObject({ accepted: 2, failed: 0 })
      expect(
        sent()
          .map(({ to }) => to)
          .sort(),
      ).toEqual(['ada@example.org', 'bob@example.org'])
    })

    it('gives its posts to the next run, and nothing is owed to a later `retry`', async () => {
      const { api, tick, publish, sent, refuse } = await open()
      refuse((to) => (to.startsWith('ada') ? 'never' : undefined))
      await tick('2026-03-03T08:00:00Z')
      const run = await newestRun({ api })
      refuse(() => undefined)
      await publish({ title: 'The second post', content: 'Text.' })
      await tick('2026-03-04T08:00:00Z')
      await api('POST', `/api/v1/runs/${run.id}/retry`)
      await tick('2026-03-04T08:05:00Z')
      const toAda = sent().filter(({ to }) => to.startsWith('ada'))
      expect(toAda).toHaveLength(1)
      const { text } = await PostalMime.parse(toAda[0]?.raw ?? '')
      expect(text).toContain('The first post')
      expect(text).toContain('The second post')
    })

    it('for now goes out later, under the same id', async () => {
      let times = 0
      const { api, tick, sent, refuse } = await open()
      refuse((to) => (to.startsWith('ada') && ++times < 3 ? 'later' : undefined))
      // However long the provider wants to be left alone, and longer the second time.
      for (const time of ['08:00', '08:10', '08:30', '09:00', '10:00', '11:00']) {
        await tick(`2026-03-03T${time}:00Z`)
      }
      expect(await newestRun({ api })).toMatchObject({ state: 'done', counts: { accepted: 2 } })
      expect(times).toBe(3)
      expect(sent()).toHaveLength(2)
    })
  })

  describe(`${where}: a mail that comes back`, () => {
    it('stops all mail to its reader', async () => {
      const { api, tick, publish, sent, comesBack } = await open()
      await tick('2026-03-03T08:00:00Z')
      await comesBack('ada@example.org')
      await publish({ title: 'The second post', content: 'Text.' })
      await tick('2026-03-04T08:00:00Z')
      expect(
        sent()
          .map(({ to }) => to)
          .sort(),
      ).toEqual(['ada@example.org', 'bob@example.org', 'bob@example.org'])
      expect((await newestRun({ api })).counts).toMatchObject({ candidates: 1, accepted: 1 })
    })
  })
}
