import { simpleParser } from 'mailparser'
import { afterEach, describe, expect, it } from 'vitest'
import { pauseRun } from '../../../functions/digests/runs/control-run.ts'
import { pauseSending, resumeSending } from '../../../functions/sending.ts'
import type { Preferences } from '../../../functions/subscribers/subscriber.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
afterEach(() => platform.close())

const titles = async () => {
  const mails = await Promise.all(mailer.sent.map(({ raw }) => simpleParser(Buffer.from(raw))))
  return mails.map(({ text = '' }) => [...new Set(text.match(/Post [A-Z]\b/g))].sort())
}

/** Post A is put off by the server in the first run; the ledger is kept for thirty days. */
async function putOff(reader: Partial<Preferences>, due: string): Promise<string> {
  mailer = scriptedMailer()
  const settings = { keep: { runsDays: 30 } }
  platform = await scratchPlatform({ now: '2025-12-20T18:00:00Z', mailer, settings })
  await tickAt(platform, '2025-12-20T18:00:00Z')
  await confirmReader(platform, 'ada@example.org', reader)
  await publishArticle(platform, { title: 'Post A' })
  mailer.answer = () => ({ status: 'deferred', reason: '451 4.3.0', retryAfterSeconds: 300 })
  const { runs } = await tickAt(platform, due)
  mailer.answer = () => undefined
  return runs[0]?.id ?? ''
}

describe('a mail that was put off, and whose run was held until the ledger forgot it', () => {
  it('gives its posts to the next run', async () => {
    const run = await putOff({ cadence: 'monthly', day: '1' }, '2026-01-01T08:00:00Z')
    await pauseRun(platform, run)
    await publishArticle(platform, { title: 'Post B' })
    await tickAt(platform, '2026-02-01T08:00:00Z')
    await tickAt(platform, '2026-02-01T08:05:00Z')
    expect(await titles()).toEqual([['Post A', 'Post B']])
  })

  it('gives them back when all sending was held', async () => {
    await putOff({}, '2025-12-21T08:00:00Z')
    await pauseSending(platform)
    await tickAt(platform, '2026-01-25T07:00:00Z')
    await resumeSending(platform)
    await tickAt(platform, '2026-01-25T07:05:00Z')
    await publishArticle(platform, { title: 'Post B' })
    await tickAt(platform, '2026-01-25T08:00:00Z')
    await tickAt(platform, '2026-01-26T08:00:00Z')
    expect((await titles()).flat().sort()).toEqual(['Post A', 'Post B'])
  })
})
