import { afterEach, describe, expect, it } from 'vitest'
import { listDeliveries } from '../../../functions/digests/delivery/list-deliveries.ts'
import { noteAccepted } from '../../../functions/digests/feedback/evidence.ts'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import { retryRun } from '../../../functions/digests/runs/control-run.ts'
import type { Delivery, Run } from '../../../functions/digests/runs/run.ts'
import { getRun } from '../../../functions/digests/runs/run-store.ts'
import { recordKeys } from '../../../functions/keys.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
afterEach(() => platform.close())

const morning = '2026-03-02T08:00:00Z'
const runId = 'daily-0800-UTC_20260302T080000Z'
const run = async () => (await getRun(platform, runId))?.value as Run
const counts = async () => countsOf(platform, await run())
const after = (minutes: number) => new Date(Date.parse(morning) + minutes * 60_000).toISOString()

async function start(names: string[]): Promise<string[]> {
  mailer = scriptedMailer({ hasEvidence: false })
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  const ids = []
  for (const name of names) ids.push(await confirmReader(platform, `${name}@example.org`))
  await publishArticle(platform, { title: 'Post A' })
  return ids
}

const states = async () => {
  const page = await listDeliveries(platform, await run(), { limit: 100 })
  return Object.fromEntries(page.items.map(({ subscriberId, state }) => [subscriberId, state]))
}

describe('the books of a run', () => {
  it('follow evidence that comes after it ended', async () => {
    const [ada = '', bob = '', eve = ''] = await start(['ada', 'bob', 'eve'])
    mailer.answer = ({ to }) => {
      if (to.startsWith('ada')) return { status: 'unclear', reason: 'broke' }
      if (to.startsWith('bob')) return { status: 'rejected', reason: 'no' }
      return undefined
    }
    await tickAt(platform, morning)
    await tickAt(platform, after(3))
    expect((await run()).state).toBe('done')
    expect(await counts()).toMatchObject({ candidates: 3, accepted: 1, failed: 1, unknown: 1 })
    await noteAccepted(platform, `${runId}_0_${ada}_0`)
    expect(await counts()).toMatchObject({ candidates: 3, accepted: 2, failed: 1, unknown: 0 })
    await noteAccepted(platform, `${runId}_0_${bob}_0`)
    await noteAccepted(platform, `${runId}_0_${ada}_0`)
    expect(await counts()).toMatchObject({ candidates: 3, accepted: 3, failed: 0, unknown: 0 })
    expect(await states()).toEqual({ [ada]: 'accepted', [bob]: 'accepted', [eve]: 'accepted' })
  })

  it('follow it while the run goes on, through a retry and its end', async () => {
    const [ada = '', bob = '', eve = '', kim = ''] = await start(['ada', 'bob', 'eve', 'kim'])
    mailer.answer = ({ to }) => {
      if (to.startsWith('ada')) return { status: 'unclear', reason: 'broke' }
      if (to.startsWith('eve')) {
        return { status: 'deferred', reason: 'full', retryAfterSeconds: 3600, address: true }
      }
      return to.startsWith('kim') ? undefined : { status: 'rejected', reason: 'no' }
    }
    await tickAt(platform, morning)
    await tickAt(platform, after(3))
    // Who waits for an hour does not keep the others from being looked up.
    expect(await counts()).toMatchObject({ accepted: 1, failed: 1, unknown: 1, pending: 1 })
    await noteAccepted(platform, `${runId}_0_${ada}_0`)
    expect(await counts()).toMatchObject({ accepted: 2, failed: 1, unknown: 0, pending: 1 })
    mailer.answer = ({ to }) =>
      to.startsWith('bob') ? { status: 'rejected', reason: 'still no' } : undefined
    await tickAt(platform, after(100))
    expect(await counts()).toMatchObject({ candidates: 4, accepted: 3, failed: 1 })

    await retryRun(platform, runId)
    expect(await counts()).toMatchObject({ candidates: 4, accepted: 3, failed: 0, pending: 1 })
    await platform.settle()
    expect((await run()).state).toBe('done')
    expect(await counts()).toMatchObject({ candidates: 4, accepted: 3, failed: 1, pending: 0 })
    await noteAccepted(platform, `${runId}_0_${bob}_1`)
    expect(await counts()).toMatchObject({ candidates: 4, accepted: 4, failed: 0 })
    expect(new Set(Object.keys(await states()))).toEqual(new Set([ada, bob, eve, kim]))
  })

  it('are right although the worker died between the mark of late evidence and the row', async () => {
    const [ada = ''] = await start(['ada', 'bob'])
    mailer.answer = ({ to }) =>
      to.startsWith('ada') ? { status: 'unclear', reason: 'broke' } : undefined
    await tickAt(platform, morning)
    await tickAt(platform, after(3))
    await platform.records.put({ ...recordKeys.lateChange(runId, 0, ada), value: {} })
    expect(await counts()).toMatchObject({ candidates: 2, accepted: 1, unknown: 1 })
    const row = await platform.records.get<Delivery>(recordKeys.ledgerRow(runId, 0, ada))
    expect(row?.value.outcome).toBe('unknown')
  })

  it('are read from the chunks and rows where a crash left a chunk without its book', async () => {
    await start(['ada', 'bob'])
    await tickAt(platform, morning)
    const { totals: _, ...open } = await run()
    await platform.records.delete(recordKeys.chunkBook(runId, 0))
    expect(await countsOf(platform, { ...open, state: 'sending' })).toMatchObject({
      candidates: 2,
      accepted: 2,
    })
    const page = await listDeliveries(platform, open, { state: 'accepted', limit: 10 })
    expect(page.items).toHaveLength(2)
  })
})
