import { afterEach, expect, it } from 'vitest'
import { deliverTo } from '../../../functions/digests/delivery/claim.ts'
import { openParcels } from '../../../functions/digests/editions/parcels.ts'
import { noteFeedback } from '../../../functions/digests/feedback/note-feedback.ts'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import { pauseRun, resumeRun, retryRun } from '../../../functions/digests/runs/control-run.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun, listOpenRuns } from '../../../functions/digests/runs/run-store.ts'
import { letterRunId } from '../../../functions/keys.ts'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
afterEach(() => platform.close())

const runId = 'daily-0800-UTC_20260302T080000Z'
const refused = { status: 'rejected', reason: '554 not now' } as const

async function start(options: Parameters<typeof scriptedMailer>[0] = {}) {
  const mailer = scriptedMailer(options)
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  return mailer
}

async function runOf(id: string): Promise<Run> {
  return (await getRun(platform, id))?.value as Run
}

it('a reader whose failed mail proves to have come, while it is retried, gets the next ones', async () => {
  const mailer = await start()
  const ada = await confirmReader(platform, 'ada@example.org')
  await publishArticle(platform, { title: 'One' })
  mailer.answer = () => refused
  await tickAt(platform, '2026-03-02T08:00:00Z')
  mailer.answer = () => undefined
  const { send } = mailer
  mailer.send = async (message, until) => {
    await noteFeedback(platform, { kind: 'delivered', deliveryId: `${runId}_0_${ada}_0` })
    return send(message, until)
  }
  await retryRun(platform, runId)
  await platform.settle()
  mailer.send = send
  expect(await countsOf(platform, await runOf(runId))).toMatchObject({ accepted: 1, pending: 0 })

  await publishArticle(platform, { title: 'Two' })
  await tickAt(platform, '2026-03-03T08:00:00Z')
  expect(mailer.sent).toHaveLength(2)
  expect(await listOpenRuns(platform)).toEqual([])
})

it('a letter that is held while a digest comes to its readers reaches them when it is resumed', async () => {
  const mailer = await start()
  for (let i = 0; i < 5; i++) await confirmReader(platform, `reader${i}@example.org`)
  let asked = 0
  mailer.answer = () => (++asked > 2 ? { status: 'unclear', reason: 'broken' } : undefined)
  const id = letterRunId(await publishArticle(platform, { mail: 'letter' }), 0)
  await tickAt(platform, '2026-03-01T18:00:30Z')
  await pauseRun(platform, id)
  mailer.answer = () => undefined
  await publishArticle(platform, { title: 'For the digest' })
  await tickAt(platform, '2026-03-02T08:00:00Z')
  await tickAt(platform, '2026-03-02T08:03:00Z')
  expect(await countsOf(platform, await runOf(id))).toMatchObject({ accepted: 2, pending: 3 })

  await resumeRun(platform, id)
  await tickAt(platform, '2026-03-02T09:00:00Z')
  expect(await countsOf(platform, await runOf(id))).toMatchObject({ accepted: 5, pending: 0 })
  const letters = mailer.sent.filter(({ deliveryId }) => deliveryId.startsWith('letter'))
  expect(new Set(letters.map(({ to }) => to)).size).toBe(5)
  expect(mailer.sent).toHaveLength(10)
})

it('a mail that a worker claimed and then overslept is sent by the next, also without evidence', async () => {
  const mailer = await start({ hasEvidence: false })
  await confirmReader(platform, 'ada@example.org')
  await publishArticle(platform, {})
  platform.setNow('2026-03-02T08:00:00Z')
  const { put } = platform.records
  let hasSlept = false
  const sleepy: ScratchPlatform['records']['put'] = async (record, condition) => {
    const outcome = await put(record, condition)
    const { note } = record.value as unknown as Subscriber
    if (note?.phase === 'fly' && !hasSlept) {
      hasSlept = true
      platform.advance(70_000)
    }
    return outcome
  }
  platform.records.put = sleepy
  await tickAt(platform, '2026-03-02T08:00:00Z')
  platform.records.put = put
  expect(hasSlept).toBe(true)
  for (let minute = 4; minute < 13; minute += 3) {
    await tickAt(platform, `2026-03-02T08:${String(minute).padStart(2, '0')}:00Z`)
  }
  expect(mailer.sent).toHaveLength(1)
  expect(await countsOf(platform, await runOf(runId))).toMatchObject({ accepted: 1, unknown: 0 })
})

it('a clock that was a day ahead holds up no mail that was put off meanwhile', async () => {
  const mailer = await start()
  await confirmReader(platform, 'ada@example.org', { cadence: 'instant' })
  const later = { status: 'deferred', reason: '451', retryAfterSeconds: 60, address: true } as const
  mailer.answer = () => later
  platform.setNow('2026-03-02T18:01:00Z')
  await publishArticle(platform, {})
  await tickAt(platform, '2026-03-02T18:01:00Z')
  mailer.answer = () => undefined
  for (let minute = 2; minute < 12; minute += 2) {
    await tickAt(platform, `2026-03-01T18:${String(minute).padStart(2, '0')}:00Z`)
  }
  expect(mailer.sent).toHaveLength(1)
})

it('a worker that is late with a retry mails nobody who has been mailed by another (failure 5)', async () => {
  const mailer = await start()
  const ada = await confirmReader(platform, 'ada@example.org')
  mailer.answer = () => refused
  const id = letterRunId(await publishArticle(platform, { mail: 'letter' }), 0)
  await tickAt(platform, '2026-03-01T18:01:00Z')
  mailer.answer = () => undefined
  await retryRun(platform, id)
  const run = await runOf(id)
  await platform.settle()
  // Her note is the digest's by now: only the row tells.
  await publishArticle(platform, {})
  await tickAt(platform, '2026-03-02T08:00:00Z')
  const parcels = openParcels(platform)
  await deliverTo({ platform, run, chunk: 0, parcels, newToken: () => 'late' }, ada)
  expect(mailer.sent).toHaveLength(2)
})

it('a claim that was stored although its answer says otherwise is sent all the same', async () => {
  const mailer = await start({ hasEvidence: false })
  await confirmReader(platform, 'ada@example.org')
  await publishArticle(platform, {})
  const { put } = platform.records
  let lost = 0
  // A client that hears no answer repeats its write, and meets what it wrote.
  platform.records.put = async (record, condition) => {
    const outcome = await put(record, condition)
    const { note } = record.value as unknown as Subscriber
    return note?.phase === 'fly' && lost++ === 0 ? { status: 'conflict' } : outcome
  }
  await tickAt(platform, '2026-03-02T08:00:00Z')
  platform.records.put = put
  expect(lost).toBeGreaterThan(0)
  expect(mailer.sent).toHaveLength(1)
  expect(await countsOf(platform, await runOf(runId))).toMatchObject({ accepted: 1, unknown: 0 })
})

it('a second retry leaves alone who proved to have the mail, also when the first died at its end', async () => {
  const mailer = await start()
  const ada = await confirmReader(platform, 'ada@example.org')
  mailer.answer = () => refused
  const id = letterRunId(await publishArticle(platform, { mail: 'letter' }), 0)
  await tickAt(platform, '2026-03-01T18:01:00Z')
  // The first retry is refused, too, and dies before it writes that down as a row.
  const { put } = platform.records
  platform.records.put = async (record, condition) => {
    if ((record.value as { try?: number; outcome?: string }).outcome === 'failed') {
      throw new Error('died')
    }
    return put(record, condition)
  }
  await retryRun(platform, id)
  await platform.settle().catch(() => {})
  platform.records.put = put
  await noteFeedback(platform, { kind: 'delivered', deliveryId: `${id}_0_${ada}_0` })
  const before = mailer.sent.length
  mailer.answer = () => undefined
  const run = { ...(await runOf(id)), gen: 2 }
  const parcels = openParcels(platform)
  await deliverTo({ platform, run, chunk: 0, parcels, newToken: () => 'second' }, ada)
  expect(mailer.sent).toHaveLength(before)
})
