import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApiKey } from '../../../functions/api/api-keys.ts'
import { createApp } from '../../../functions/app.ts'
import {
  askForTest,
  driveTests,
  getTest,
  newTestId,
  sendTest,
} from '../../../functions/digests/previews/test-mail.ts'
import { recordKeys } from '../../../functions/keys.ts'
import type { SendOutcome } from '../../../functions/platform.ts'
import { withdrawPost } from '../../../functions/posts/withdraw.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { publishArticle } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

const to = 'Me.Myself@example.org'
const minute = 60_000

let mailer: ScriptedMailer
let platform: ScratchPlatform

beforeEach(async () => {
  mailer = scriptedMailer()
  platform = await scratchPlatform({ mailer })
  await publishArticle(platform, { id: 'a', title: 'Post A' })
  await platform.settle()
})
afterEach(() => platform.close())

async function preview(body: object) {
  const { key } = await createApiKey(platform, 'test')
  const app = createApp(platform)
  const headers = { authorization: `Bearer ${key}` }
  const init = { method: 'POST', headers, body: JSON.stringify(body) }
  const response = await app.request('/api/v1/digests/preview', init)
  const answer = (await response.json()) as Record<string, any>
  const look = async (id: string) => {
    const looked = await app.request(`/api/v1/digests/tests/${id}`, { headers })
    return [looked.status, await looked.json()] as [number, Record<string, any>]
  }
  return { status: response.status, answer, look }
}

async function asked(request: { post?: string } = {}) {
  const id = newTestId()
  await askForTest(platform, id, { ...request, to })
  return id
}
const kept = async () =>
  JSON.stringify((await platform.records.query(recordKeys.testMails)).records)

describe('a test mail', () => {
  it('has gone out when one process answers, under the id that the answer names', async () => {
    const { status, answer, look } = await preview({ to })
    expect([status, answer.test.state]).toEqual([200, 'sent'])
    expect(mailer.sent).toMatchObject([
      { to: 'Me.Myself@example.org', deliveryId: answer.test.id, kind: 'transactional' },
    ])
    // What was shown is what was mailed.
    expect(Buffer.from(mailer.sent[0]?.raw ?? []).toString('base64')).toBe(answer.eml)
    expect(await look(answer.test.id)).toEqual([200, answer.test])
    expect(await look('test_none')).toMatchObject([404, { code: 'not-found' }])
  })

  it('leaves neither its address nor what it showed behind, and is forgotten after an hour', async () => {
    const id = await asked()
    expect(await kept()).toContain(to)
    const [received] = await platform.jobs.receive('urgent', { limit: 10, leaseSeconds: 1 })
    expect(received?.job).toEqual({ kind: 'test-mail', id })
    await sendTest(platform, id)
    expect(await kept()).not.toContain('example.org')
    expect(await getTest(platform, id)).toEqual({ id, state: 'sent' })
    platform.advance(61 * minute)
    expect(await getTest(platform, id)).toBeUndefined()
    expect(platform.logged.join('')).not.toContain('example.org')
  })

  it.each<[string, SendOutcome, string, RegExp]>([
    [
      'refused',
      { status: 'rejected', reason: `550 5.1.1 <${to}> unknown`, address: true },
      'not-sent',
      /^550 5\.1\.1 <…> unknown$/,
    ],
    [
      'put off for long',
      { status: 'deferred', reason: 'not verified by SES', retryAfterSeconds: 3600 },
      'not-sent',
      /^not verified by SES$/,
    ],
    ['unclear', { status: 'unclear', reason: 'broken line' }, 'unclear', /^broken line$/],
  ])('that is %s says why, and is not tried again', async (_, outcome, state, reason) => {
    mailer.answer = () => outcome
    const { status, answer, look } = await preview({ to })
    const [{ sort: id } = { sort: '' }] = (await platform.records.query(recordKeys.testMails))
      .records
    const [, looked] = await look(id)
    expect(looked).toEqual({ id, state, reason: expect.stringMatching(reason) })
    if (state === 'not-sent') {
      expect([status, answer.code]).toEqual([502, 'mail.not-sent'])
      expect(answer.detail).toContain(looked.reason)
    } else expect([status, answer.test]).toEqual([200, looked])
    mailer.answer = () => undefined
    platform.advance(10 * minute)
    expect(await driveTests(platform)).toBe(0)
    await sendTest(platform, id)
    expect(mailer.sent).toEqual([])
    expect(await kept()).not.toContain('example.org')
  })

  it('that pace puts off for seconds goes by itself', async () => {
    mailer.answer = () => ({ status: 'deferred', reason: 'throttled', retryAfterSeconds: 2 })
    const { status, answer, look } = await preview({ to })
    expect([status, answer.test.state]).toEqual([200, 'waiting'])
    mailer.answer = () => undefined
    platform.advance(2000)
    await platform.settle()
    expect(mailer.sent).toHaveLength(1)
    expect(await look(answer.test.id)).toMatchObject([200, { state: 'sent' }])
  })

  it('of which the job was lost is driven on, for an hour', async () => {
    const id = await asked()
    for (const { receipt } of await platform.jobs.receive('urgent', { limit: 10, leaseSeconds: 1 }))
      await platform.jobs.complete(receipt)
    platform.advance(minute)
    expect(await driveTests(platform)).toBe(0)
    platform.advance(minute)
    expect(await driveTests(platform)).toBe(1)
    await platform.settle()
    expect(mailer.sent.map(({ deliveryId }) => deliveryId)).toEqual([id])
    await asked()
    platform.advance(61 * minute)
    expect(await driveTests(platform)).toBe(0)
  })

  it('leaves once, however many jobs ask for it at a time, and at most once if its sender dies', async () => {
    const id = await asked()
    await Promise.all([1, 2, 3].map(() => sendTest(platform, id)))
    expect(mailer.sent).toHaveLength(1)
    const other = await asked()
    mailer.answer = () => {
      throw new Error('killed')
    }
    await sendTest(platform, other)
    mailer.answer = () => undefined
    await sendTest(platform, other)
    expect(mailer.sent).toHaveLength(1)
    expect(await getTest(platform, other)).toMatchObject({ state: 'unclear' })
  })

  it('shows its instant whenever it leaves, or says that its post is gone', async () => {
    const digest = await asked()
    platform.advance(30 * minute)
    await sendTest(platform, digest)
    expect(Buffer.from(mailer.sent[0]?.raw ?? []).toString()).toContain(
      'Date: Mon, 02 Mar 2026 08:00:00 +0000',
    )
    const id = await publishArticle(platform, { title: 'A letter' })
    const letter = await asked({ post: id })
    await withdrawPost(platform, id)
    await sendTest(platform, letter)
    expect(await getTest(platform, letter)).toMatchObject({
      state: 'not-sent',
      reason: expect.stringContaining('does not exist'),
    })
    expect(mailer.sent).toHaveLength(1)
  })

  it.each([
    [{ to: 'nobody' }, 'subscriber.email'],
    [{ to, categories: ['none'] }, 'subscriber.categories'],
  ])('is not kept when it cannot be made: %j', async (request, code) => {
    const { status, answer } = await preview(request)
    expect([status, answer.code]).toEqual([422, code])
    expect(await kept()).toBe('[]')
  })
})
