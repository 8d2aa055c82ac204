import { afterEach, describe, expect, it } from 'vitest'
import { noteAccepted } from '../../../functions/digests/feedback/evidence.ts'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import type { SendOutcome } from '../../../functions/platform.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
let asked: string[]
afterEach(() => platform.close())

/** A daily run whose one mail came to `first`, by a mailer that can prove nothing itself. */
async function runThatBegins(first: SendOutcome, unclear: 'hold' | 'resend' = 'hold') {
  mailer = scriptedMailer({ hasEvidence: false })
  asked = []
  mailer.answer = ({ deliveryId }) => (asked.push(deliveryId) === 1 ? first : undefined)
  platform = await scratchPlatform({
    now: '2026-03-01T18:00:00Z',
    mailer,
    settings: { mail: { unclear } },
  })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  await confirmReader(platform, 'ada@example.org')
  await publishArticle(platform, {})
  await tickAt(platform, '2026-03-02T08:00:00Z')
}

async function anHour() {
  for (let m = 1; m < 60; m++) {
    await tickAt(platform, `2026-03-02T08:${String(m).padStart(2, '0')}:00Z`)
  }
  const run = (await getRun(platform, 'daily-0800-UTC_20260302T080000Z'))?.value as Run
  return countsOf(platform, run)
}

describe('proof that is handed in while a delivery has no end yet', () => {
  const unclear = { status: 'unclear', reason: 'the line broke' } as const
  const deferred = { status: 'deferred', reason: '451 4.3.0', retryAfterSeconds: 300 } as const
  it.each([
    ['whose answer got lost, and would be held', unclear, 'hold'],
    ['whose answer got lost, and would be sent again', unclear, 'resend'],
    ['that was put off', deferred, 'hold'],
  ] as const)('ends one %s, and no second mail goes out', async (_, first, policy) => {
    await runThatBegins(first, policy)
    await noteAccepted(platform, asked[0] ?? '')
    expect(await anHour()).toMatchObject({ accepted: 1, unknown: 0, failed: 0, pending: 0 })
    expect(asked).toHaveLength(1)
  })
})
