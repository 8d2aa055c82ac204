import type { Email } from 'postal-mime'
import { describe, expect, it } from 'vitest'
import { confirmed } from './reader-journey.ts'
import type { OpenService, Published, Service } from './service.ts'

/** Monday, when the service opens. */
const noon = '2026-03-02T12:00:00Z'
const friday = '2026-03-06T08:00:00Z'

interface Answer extends Published {
  letter?: { runId: string; at?: string; approveBy?: string }
}
interface RunAnswer {
  id: string
  state: string
  reason?: string
  dueAt: string
  approveBy?: string
  counts: Record<string, number>
}

const letter = { id: 'l', title: 'To our readers', mail: 'letter', content: 'The **whole** of it.' }

async function publish(service: Service, fields: Record<string, unknown> = {}): Promise<Answer> {
  const answer = await service.publish({ ...letter, ...fields })
  await service.platform.settle()
  return answer
}

async function run(service: Service, id: string, verb?: string): Promise<RunAnswer> {
  const path = `/api/v1/runs/${id}`
  const response = await (verb ? service.api('POST', `${path}/${verb}`) : service.api('GET', path))
  if (!response.ok) throw new Error(await response.text())
  await service.platform.settle()
  return (await response.json()) as RunAnswer
}

/** To whom letters came so far. */
async function lettersTo(service: Service): Promise<(string | undefined)[]> {
  const mails = await service.mails()
  return mails.filter(isLetter).map(({ to }) => to?.[0]?.address)
}

const isLetter = ({ html, subject }: Email) =>
  !subject?.startsWith('[Test]') && html?.includes('<strong>') === true

/** What becomes of a letter between its publication and its readers. */
export function letterJourney(where: string, open: OpenService): void {
  describe(`${where}: a letter`, () => {
    it('set for later is on the site at once and goes at its time to those who read it by then, once', async () => {
      const service = await open()
      await confirmed(service)
      const { letter, mailed } = await publish(service, { mailAt: friday })
      expect({ mailed, letter }).toEqual({
        mailed: true,
        letter: { runId: expect.stringMatching(/^letter_/), at: friday },
      })
      expect((await service.feeds()).json.items).toHaveLength(1)
      expect(await run(service, letter!.runId)).toMatchObject({
        state: 'planned',
        dueAt: friday,
        reason: 'Waits for its time.',
      })
      await service.tick('2026-03-05T23:59:00Z')
      await confirmed(service, { email: 'bob@example.org', cadence: 'daily' })
      expect(await lettersTo(service)).toEqual([])

      await service.tick('2026-03-06T08:00:30Z')
      await confirmed(service, { email: 'late@example.org' })
      for (const later of ['08:01:00', '08:10:00']) await service.tick(`2026-03-06T${later}Z`)
      expect((await lettersTo(service)).sort()).toEqual(['ada@example.org', 'bob@example.org'])
      expect(await run(service, letter!.runId)).toMatchObject({
        state: 'done',
        counts: { candidates: 2, accepted: 2 },
      })
    })

    it('follows an edit of its time and of its text, and goes at once when the time is taken away', async () => {
      const service = await open()
      await confirmed(service)
      const { letter } = await publish(service, { mailAt: friday })
      const moved = await publish(service, { mailAt: '2026-03-07T08:00:00Z' })
      expect(moved).toMatchObject({
        outcome: 'unchanged',
        mailed: true,
        letter: { at: '2026-03-07T08:00:00Z' },
      })
      expect((await run(service, letter!.runId)).dueAt).toBe('2026-03-07T08:00:00Z')
      await service.tick(friday)
      expect(await lettersTo(service)).toEqual([])
      const { mailed, letter: now } = await publish(service, { content: 'Put **right**.' })
      expect({ mailed, now }).toEqual({ mailed: true, now: { runId: letter!.runId } })
      expect(await lettersTo(service)).toEqual(['ada@example.org'])
      expect((await service.mails()).find(isLetter)?.html).toContain('Put <strong>right</strong>')

      await service.tick('2026-03-07T08:00:00Z')
      const again = await publish(service, { mailAt: '2026-03-08T08:00:00Z' })
      expect(again).toMatchObject({
        mailed: false,
        reason: expect.stringContaining('unless asked'),
      })
      await service.tick('2026-03-08T08:00:00Z')
      expect(await lettersTo(service)).toHaveLength(1)
    })

    it('that needs approval waits, is mailed as it stands when somebody approves, and only then', async () => {
      const service = await open({ settings: { mail: { approval: 24 } } })
      await confirmed(service)
      const { mailed, letter } = await publish(service)
      const { runId, approveBy = '' } = letter!
      expect(mailed).toBe(true)
      expect(Date.parse(approveBy) - service.platform.now().getTime()).toBe(24 * 3_600_000)
      expect(await run(service, runId)).toMatchObject({
        state: 'paused',
        reason: `Waits for approval until ${approveBy}.`,
        approveBy,
        counts: { candidates: 0 },
      })
      await service.tick(noon)
      expect(await lettersTo(service)).toEqual([])
      await publish(service, { content: 'Second **thoughts**.' })
      expect((await run(service, runId, 'approve')).state).toBe('planned')
      await run(service, runId, 'approve')
      await service.tick('2026-03-02T12:05:00Z')
      expect(await lettersTo(service)).toEqual(['ada@example.org'])
      expect((await service.mails()).find(isLetter)?.html).toContain('<strong>thoughts</strong>')
      expect(await run(service, runId)).toMatchObject({ state: 'done', counts: { accepted: 1 } })
    })

    it('approved before its time goes at its time', async () => {
      const service = await open({ settings: { mail: { approval: 24 } } })
      await confirmed(service)
      const { letter } = await publish(service, { mailAt: friday })
      expect(letter).toMatchObject({ at: friday, approveBy: friday })
      await run(service, letter!.runId, 'approve')
      await service.tick('2026-03-05T08:00:00Z')
      expect(await lettersTo(service)).toEqual([])
      await service.tick(friday)
      expect(await lettersTo(service)).toEqual(['ada@example.org'])
    })

    it.each([
      ['is not mailed, unless the settings say so', 'skip', 'skipped', 0],
      ['is mailed where the settings say so', 'send', 'done', 1],
    ] as const)('that nobody approves in time %s', async (_, unapproved, state, mails) => {
      const service = await open({ settings: { mail: { approval: 24, unapproved } } })
      await confirmed(service)
      const { runId, approveBy } = (await publish(service)).letter!
      await service.tick('2026-03-03T13:00:00Z')
      await service.tick('2026-03-03T13:10:00Z')
      const ended = await run(service, runId)
      expect(ended.state).toBe(state)
      expect(await lettersTo(service)).toHaveLength(mails)
      if (state === 'done') return
      expect(ended.reason).toBe(`Nobody approved it until ${approveBy}.`)
      for (const verb of ['approve', 'pause']) {
        const refused = await service.api('POST', `/api/v1/runs/${runId}/${verb}`)
        expect(refused.status).toBe(409)
        expect(await refused.json()).toMatchObject({ code: 'run.over' })
      }
      for (const verb of ['retry', 'resume']) await run(service, runId, verb)
      await service.tick('2026-03-03T14:00:00Z')
      expect(await lettersTo(service)).toEqual([])
    })

    it('withdrawn while it waits is owed to nobody, and the run says why', async () => {
      const service = await open({ settings: { mail: { approval: 24 } } })
      await confirmed(service)
      const { id, letter } = await publish(service)
      await service.api('DELETE', `/api/v1/posts/${id}`)
      await service.tick(noon)
      expect(await run(service, letter!.runId)).toMatchObject({
        state: 'skipped',
        reason: 'Its post was withdrawn before it was mailed.',
        counts: { candidates: 0 },
      })
      const refused = await service.api('POST', `/api/v1/runs/${letter!.runId}/approve`)
      expect(refused.status).toBe(409)
      await service.tick('2026-03-02T12:05:00Z')
      expect(await lettersTo(service)).toEqual([])
    })

    it('held by hand stays beyond its time and its deadline, and goes when it is resumed', async () => {
      const service = await open({ settings: { mail: { approval: 24, unapproved: 'send' } } })
      await confirmed(service)
      const { runId } = (await publish(service)).letter!
      expect(await run(service, runId, 'pause')).toMatchObject({ reason: 'Paused by hand.' })
      await service.tick('2026-03-09T07:00:00Z')
      expect(await lettersTo(service)).toEqual([])
      const refused = await service.api('POST', `/api/v1/runs/${runId}/approve`)
      expect(await refused.json()).toMatchObject({ code: 'run.paused' })
      await run(service, runId, 'resume')
      await service.tick('2026-03-09T07:05:00Z')
      expect(await lettersTo(service)).toEqual(['ada@example.org'])
    })

    it('can be tried on one address, a draft too, and nobody else gets it', async () => {
      const service = await open()
      await confirmed(service)
      const { id } = await publish(service, { draft: true })
      const asked = { post: id, to: 'me@example.org', locale: 'de' }
      const answer = await service.api('POST', '/api/v1/digests/preview', asked)
      expect(answer.status).toBe(200)
      const shown = (await answer.json()) as { subject: string; html: string }
      expect(shown).toMatchObject({ subject: '[Test] To our readers – Broadsheet', posts: 1 })
      expect(shown.html).toContain('<strong>whole</strong>')
      expect(shown.html).toContain('lang="de"')
      const tests = (await service.mails()).filter(({ subject }) => subject?.startsWith('[Test]'))
      expect(tests.map(({ to }) => to?.[0]?.address)).toEqual(['me@example.org'])
      expect(await lettersTo(service)).toEqual([])
      const { items } = (await (await service.api('GET', '/api/v1/runs')).json()) as {
        items: unknown[]
      }
      expect(items).toEqual([])
    })

    it.each([
      [{ post: 'none' }, 404, 'not-found'],
      [{ post: '../x' }, 404, 'not-found'],
      [{ post: 'x', cadence: 'daily' }, 422, 'preview.post'],
    ])('is not shown for %j', async (asked, status, code) => {
      const service = await open()
      const answer = await service.api('POST', '/api/v1/digests/preview', asked)
      expect(answer.status).toBe(status)
      expect(await answer.json()).toMatchObject({ code })
    })
  })
}
