import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pauseRun } from '../../../functions/digests/runs/control-run.ts'
import { listOpenRuns } from '../../../functions/digests/runs/run-store.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { changeChoices, confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T18:00:00Z') })
})
afterEach(async () => {
  vi.useRealTimers()
  await platform.close()
})

/** Daily readers who are owed a post. */
async function owedReaders(count: number): Promise<string[]> {
  mailer = scriptedMailer()
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push(await confirmReader(platform, `r${i}@example.org`))
  await publishArticle(platform, {})
  await platform.settle()
  return ids
}

async function moveToInstant(ids: readonly string[]): Promise<void> {
  for (const id of ids) await changeChoices(platform, id, { cadence: 'instant' })
}

async function ticks(minutes: number): Promise<void> {
  for (let m = 0; m < minutes; m++) {
    const at = new Date(Date.parse('2026-03-01T18:10:00Z') + m * 60_000).toISOString()
    vi.setSystemTime(at)
    await tickAt(platform, at)
  }
}

const openCatchUps = async () =>
  (await listOpenRuns(platform)).filter(({ kind }) => kind === 'catch-up').length

describe('readers who moved to instant while posts were owed', () => {
  it('wait in one run while the day’s quota is used up', async () => {
    const ids = await owedReaders(30)
    mailer.quota = async () => ({ perDay: 10 })
    await moveToInstant(ids)
    await ticks(20)
    expect(await openCatchUps()).toBe(1)
  })

  it('are not mailed past the guard by the next run', async () => {
    const ids = await owedReaders(450)
    let asked = 0
    mailer.answer = () =>
      ++asked % 10 === 0 ? { status: 'rejected', reason: '550 5.1.1', address: true } : undefined
    await moveToInstant(ids)
    await ticks(1)
    const before = asked
    expect(before).toBeLessThan(450)
    await ticks(5)
    expect(asked).toBe(before)
  })

  it('are served though a run that is held had claimed their mail', async () => {
    const ids = await owedReaders(1)
    mailer.answer = () => ({ status: 'deferred', reason: '451 4.3.0', retryAfterSeconds: 300 })
    const { runs } = await tickAt(platform, '2026-03-02T08:00:00Z')
    await pauseRun(platform, runs[0]?.id ?? '')
    mailer.answer = () => undefined
    await moveToInstant(ids)
    await tickAt(platform, '2026-03-02T08:10:00Z')
    await tickAt(platform, '2026-03-02T08:20:00Z')
    expect(mailer.sent).toHaveLength(1)
  })
})
