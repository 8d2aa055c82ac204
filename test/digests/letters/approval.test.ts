import { simpleParser } from 'mailparser'
import { afterEach, describe, expect, it } from 'vitest'
import { approveLetter } from '../../../functions/digests/letters/approve-letter.ts'
import { pauseRun, resumeRun } from '../../../functions/digests/runs/control-run.ts'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import { letterRunId } from '../../../functions/keys.ts'
import type { Mailer } from '../../../functions/platform.ts'
import { publishPost } from '../../../functions/posts/publish.ts'
import { withdrawPost } from '../../../functions/posts/withdraw.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, tickAt } from '../newsroom.ts'
import { scriptedMailer } from '../scripted-mailer.ts'

const friday = '2026-03-06T08:00:00Z'
let platform: ScratchPlatform
afterEach(() => platform.close())

async function start(mailer?: Mailer, unapproved: 'skip' | 'send' = 'skip'): Promise<void> {
  const settings = { mail: { approval: 24, unapproved } }
  platform = await scratchPlatform({ settings, ...(mailer ? { mailer } : {}) })
}

async function publish(fields: Record<string, unknown>, to = platform): Promise<string> {
  const post = { id: 'l', title: 'Post L', mail: 'letter', content: 'Dear all.', ...fields }
  const bytes = new TextEncoder().encode(JSON.stringify(post))
  const source = { bytes, contentType: 'application/json' } as const
  const outcome = await publishPost(to, source, { way: 'publish' })
  await platform.settle()
  if (!('post' in outcome)) throw new Error(JSON.stringify(outcome))
  return outcome.post.id
}

const mailedTo = async () => (await platform.outbox()).map(({ to }) => to).sort()

describe('an approved letter', () => {
  const approved = async (fields: Record<string, unknown> = {}) => {
    const id = letterRunId(await publish(fields), 0)
    await approveLetter(platform, id)
    return id
  }
  const textOf = async (raw: string | Uint8Array) => {
    const { subject, text } = await simpleParser(Buffer.from(raw))
    return `${subject} ${text}`
  }

  it('whose post is edited before its time waits for approval again, with a new deadline', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const id = await approved({ mailAt: friday })
    await tickAt(platform, '2026-03-04T08:00:00Z')
    await publish({ mailAt: friday, content: 'Buy this.' })
    const waiting = (await getRun(platform, id))?.value
    expect(waiting).toMatchObject({
      state: 'paused',
      reason: expect.stringContaining('edited after it was approved. Waits for approval until'),
    })
    await tickAt(platform, friday)
    expect(await mailedTo()).toEqual([])
    expect((await getRun(platform, id))?.value.state).toBe('skipped')
  })

  it('goes as it was edited once that is approved, too', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const id = await approved({ mailAt: friday })
    await publish({ mailAt: friday, content: 'Second words.' })
    await approveLetter(platform, id)
    await tickAt(platform, friday)
    expect(await mailedTo()).toEqual(['ada@example.org'])
    const [mail] = await platform.outbox()
    expect(await textOf(mail?.raw ?? '')).toContain('Second words.')
  })

  it('that waits for its time in spite of a lost job is not mailed with words nobody approved', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const id = await approved({ mailAt: friday })
    platform.setNow(friday)
    const jobs = { ...platform.jobs, enqueue: async () => [] }
    await publish({ mailAt: friday, content: 'Unseen.' }, { ...platform, jobs })
    await tickAt(platform, friday)
    expect(await mailedTo()).toEqual([])
    expect((await getRun(platform, id))?.value).toMatchObject({ state: 'paused' })
  })

  it('on its way goes to everybody as it was approved; a withdrawal still stops it', async () => {
    const mailer = scriptedMailer()
    await start(mailer)
    await confirmReader(platform, 'ada@example.org')
    await confirmReader(platform, 'bob@example.org')
    await confirmReader(platform, 'cyd@example.org')
    const held = new Set(['bob@example.org', 'cyd@example.org'])
    mailer.answer = ({ to }) =>
      held.has(to)
        ? { status: 'deferred', reason: '451 later', retryAfterSeconds: 60, address: true }
        : undefined
    const id = await approved()
    await platform.settle()
    await publish({ content: 'Other words.', title: 'Another title' })
    held.delete('bob@example.org')
    await tickAt(platform, '2026-03-02T09:05:00Z')
    const mails = await Promise.all(mailer.sent.map(({ raw }) => textOf(raw)))
    expect(mailer.sent.map(({ to }) => to).sort()).toEqual(['ada@example.org', 'bob@example.org'])
    for (const mail of mails) {
      expect(mail).toContain('Dear all.')
      expect(mail).not.toContain('Another title')
    }
    held.clear()
    const { postId = '' } = (await getRun(platform, id))?.value ?? {}
    await withdrawPost(platform, postId)
    await tickAt(platform, '2026-03-02T09:10:00Z')
    expect(mailer.sent).toHaveLength(2)
  })

  it('is not asked for again by an edit that changes nothing of it', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await approved({ mailAt: friday })
    await publish({ mailAt: '2026-03-05T08:00:00Z' })
    await tickAt(platform, '2026-03-05T08:00:00Z')
    expect(await mailedTo()).toEqual(['ada@example.org'])
  })
})

describe('a letter whose post is taken back from view while it waits for approval', () => {
  const toLetterRun = async (fields: Record<string, unknown> = {}) =>
    letterRunId(await publish(fields), 0)
  const runOf = async (id: string) => (await getRun(platform, id))?.value

  it.each(['approved today', 'left to its deadline, as `unapproved: send` lets it go'] as const)(
    'for a date to come goes on that date when it is %s',
    async (how) => {
      await start(undefined, how === 'approved today' ? 'skip' : 'send')
      await confirmReader(platform, 'ada@example.org')
      const id = await toLetterRun()
      await publish({ published: friday })
      if (how === 'approved today') await approveLetter(platform, id)
      for (const at of ['2026-03-02T08:10:00Z', '2026-03-04T08:00:00Z', '2026-03-06T07:59:00Z']) {
        await tickAt(platform, at)
        expect(await mailedTo()).toEqual([])
      }
      await tickAt(platform, friday)
      await tickAt(platform, '2026-03-06T08:10:00Z')
      expect(await mailedTo()).toEqual(['ada@example.org'])
      expect(await runOf(id)).toMatchObject({ state: 'done', dueAt: friday })
    },
  )

  it('for a date to come may be approved until that date', async () => {
    await start()
    const id = await toLetterRun()
    await publish({ published: friday })
    await tickAt(platform, '2026-03-04T08:00:00Z')
    expect(await runOf(id)).toMatchObject({ reason: `Waits for approval until ${friday}.` })
    await tickAt(platform, friday)
    expect(await runOf(id)).toMatchObject({ state: 'skipped' })
  })

  it('for a date to come, held by hand and resumed before it, goes on that date', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const id = await toLetterRun()
    await pauseRun(platform, id)
    await tickAt(platform, '2026-03-04T08:00:00Z')
    await publish({ published: friday })
    await resumeRun(platform, id)
    await tickAt(platform, '2026-03-04T08:10:00Z')
    expect(await mailedTo()).toEqual([])
    await tickAt(platform, friday)
    expect(await mailedTo()).toEqual(['ada@example.org'])
  })

  it.each([
    ['approved', approveLetter],
    ['resumed', resumeRun],
  ])('as a draft is not %s before it is out again, and then goes once', async (_, letGo) => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    const id = await toLetterRun()
    if (letGo === resumeRun) await pauseRun(platform, id)
    await publish({ draft: true })
    await expect(letGo(platform, id)).rejects.toMatchObject({
      status: 409,
      code: 'post.hidden',
      message: expect.stringContaining('Publish the post without that'),
    })
    await publish({})
    await letGo(platform, id)
    await tickAt(platform, '2026-03-02T08:10:00Z')
    expect(await mailedTo()).toEqual(['ada@example.org'])
  })

  it('as a draft is over at its deadline, and says why', async () => {
    await start(undefined, 'send')
    await confirmReader(platform, 'ada@example.org')
    const id = await toLetterRun()
    await publish({ draft: true })
    await tickAt(platform, '2026-03-03T08:00:00Z')
    await publish({})
    await tickAt(platform, '2026-03-03T08:10:00Z')
    expect(await mailedTo()).toEqual([])
    const reason = 'Its post was hidden when it was to be mailed.'
    expect(await runOf(id)).toMatchObject({ state: 'skipped', reason })
    await expect(approveLetter(platform, id)).rejects.toThrow('--mail-again')
  })
})
