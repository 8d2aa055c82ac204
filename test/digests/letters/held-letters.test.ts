import { afterEach, describe, expect, it } from 'vitest'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import { pauseRun, resumeRun } from '../../../functions/digests/runs/control-run.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import { letterRunId } from '../../../functions/keys.ts'
import { getSubscriber } from '../../../functions/subscribers/store.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
afterEach(() => platform.close())

const runsDays = 30
const readers = ['ada@example.org', 'grace@example.org', 'joan@example.org']

async function start(mail: { approval?: number; unapproved?: 'send' | 'skip' } = {}) {
  mailer = scriptedMailer()
  const settings = { keep: { runsDays }, mail }
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer, settings })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  const ids: string[] = []
  for (const reader of readers) ids.push(await confirmReader(platform, reader))
  return ids
}

/** A tick each third day, up to an instant. */
async function daysUpTo(instant: string) {
  for (let at = platform.now().getTime(); at < Date.parse(instant); at += 3 * 86_400_000) {
    await tickAt(platform, new Date(at).toISOString())
  }
  await tickAt(platform, instant)
}

describe('a letter that is held for longer than runs are kept', () => {
  it('goes when it is let go, if it was waiting', async () => {
    await start({ approval: 720 })
    const id = await publishArticle(platform, { mail: 'letter' })
    await tickAt(platform, '2026-03-01T18:01:00Z')
    await pauseRun(platform, letterRunId(id, 0))
    await daysUpTo('2026-07-02T18:00:00Z')
    await resumeRun(platform, letterRunId(id, 0))
    await platform.settle()
    expect(mailer.sent.map(({ to }) => to).sort()).toEqual(readers)
  })

  it('goes at the end of the time for approval, as long as that may be', async () => {
    await start({ approval: 720, unapproved: 'send' })
    await publishArticle(platform, { mail: 'letter' })
    await daysUpTo('2026-03-31T17:59:00Z')
    expect(mailer.sent).toEqual([])
    await tickAt(platform, '2026-03-31T18:00:00Z')
    expect(mailer.sent).toHaveLength(readers.length)
  })

  it('goes on for those who have not got it, and for nobody else, if it was on its way', async () => {
    const [, , third] = (await start()).sort()
    let asked = 0
    mailer.answer = () =>
      ++asked < 3 ? undefined : { status: 'deferred', reason: 'full', retryAfterSeconds: 60 }
    const id = await publishArticle(platform, { mail: 'letter' })
    const runId = letterRunId(id, 0)
    await platform.settle()
    await tickAt(platform, '2026-03-01T18:01:00Z')
    expect(mailer.sent).toHaveLength(2)
    await pauseRun(platform, runId)
    mailer.answer = () => undefined
    // Two of them have other mail meanwhile, and their notes no longer tell of the letter.
    await publishArticle(platform, { title: 'Post B' })
    await daysUpTo('2026-03-20T18:00:00Z')
    const digests = mailer.sent.length - 2
    await daysUpTo('2026-07-02T18:00:00Z')
    await resumeRun(platform, runId)
    await platform.settle()
    await tickAt(platform, '2026-07-02T18:05:00Z')
    await tickAt(platform, '2026-07-02T18:10:00Z')
    const letters = mailer.sent.filter(({ deliveryId }) => deliveryId.startsWith(runId))
    expect(letters.map(({ to }) => to).sort()).toEqual(readers)
    expect(mailer.sent).toHaveLength(digests + 3)
    const run = (await getRun(platform, runId))?.value as Run
    expect(run.state).toBe('done')
    expect(await countsOf(platform, run)).toMatchObject({ candidates: 3, accepted: 3 })
    expect((await getSubscriber(platform, third as string))?.value.note?.run).toBe(runId)
  })
})
