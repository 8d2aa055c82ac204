import { simpleParser } from 'mailparser'
import { afterEach, describe, expect, it } from 'vitest'
import { retryRun } from '../../../functions/digests/runs/control-run.ts'
import { changeSubscriber } from '../../../functions/subscribers/memberships.ts'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { changeChoices, confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
let asked: number
afterEach(() => platform.close())

/** A daily reader is owed a post, moves to instant, and the server refuses the mail. */
async function start(): Promise<string> {
  mailer = scriptedMailer()
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  const ada = await confirmReader(platform, 'ada@example.org')
  await publishArticle(platform, { title: 'Post A' })
  await platform.settle()
  asked = 0
  mailer.answer = () => {
    asked++
    return { status: 'rejected', reason: '554 5.7.1 rejected by policy' }
  }
  return ada
}

const moveToInstant = (ada: string) => changeChoices(platform, ada, { cadence: 'instant' })

/** The ids of the runs that a quarter of an hour of ticks makes. */
async function runsOfTicks(): Promise<string[]> {
  const made: string[] = []
  for (let minute = 10; minute < 25; minute++) {
    const { runs } = await tickAt(platform, `2026-03-01T18:${minute}:00Z`)
    made.push(...runs.map(({ id }) => id))
  }
  return made
}

const titlesSent = () =>
  Promise.all(
    mailer.sent.map(async ({ raw }) => {
      const { text = '' } = await simpleParser(Buffer.from(raw))
      return [...new Set(text.match(/Post [A-Z]\b/g))].sort()
    }),
  )

describe('one who moves to instant and is refused', () => {
  it('is not written to every minute, and has all of it with the next post', async () => {
    const ada = await start()
    await moveToInstant(ada)
    expect(await runsOfTicks()).toHaveLength(1)
    expect(asked).toBe(1)
    mailer.answer = () => undefined
    await publishArticle(platform, { title: 'Post B' })
    await platform.settle()
    await tickAt(platform, '2026-03-01T18:30:00Z')
    expect(await titlesSent()).toEqual([['Post A', 'Post B']])
  })

  it('gets it by a retry, too', async () => {
    const ada = await start()
    await moveToInstant(ada)
    const [run = ''] = await runsOfTicks()
    mailer.answer = () => undefined
    await retryRun(platform, run)
    await platform.settle()
    expect(await titlesSent()).toEqual([['Post A']])
  })

  it('is tried once even if the refusal was of a digest before', async () => {
    const ada = await start()
    await tickAt(platform, '2026-03-02T08:00:00Z')
    mailer.answer = () => undefined
    await moveToInstant(ada)
    await tickAt(platform, '2026-03-02T08:05:00Z')
    expect(await titlesSent()).toEqual([['Post A']])
  })

  it('makes one run, not one a minute, when no mail can carry the address', async () => {
    const ada = await start()
    await changeSubscriber(platform, ada, (current) => ({
      ...(current as Subscriber),
      email: 'a\r\nb@example.org',
    }))
    await moveToInstant(ada)
    expect(await runsOfTicks()).toHaveLength(1)
    expect(asked).toBe(0)
  })
})
