import { expect, it, onTestFinished } from 'vitest'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import { retryRun } from '../../../functions/digests/runs/control-run.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getRun, rowsOf } from '../../../functions/digests/runs/run-store.ts'
import { recordKeys } from '../../../functions/keys.ts'
import { withdrawPost } from '../../../functions/posts/withdraw.ts'
import { unsubscribe } from '../../../functions/subscribers/change-preferences.ts'
import { scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { scriptedMailer } from '../scripted-mailer.ts'

const runId = 'daily-0800-UTC_20260302T080000Z'

it('a retry visits exactly the failed deliveries, and sends what is still owed of each', async () => {
  const mailer = scriptedMailer({ hasEvidence: false })
  const platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  onTestFinished(() => platform.close())
  await tickAt(platform, '2026-03-01T18:00:00Z')
  for (const slug of ['news', 'sport']) await publishArticle(platform, { categories: [slug] })
  const chosen: Record<string, string[]> = {
    'took-1': [],
    'took-2': ['news'],
    'refused-both': ['news', 'sport'],
    'refused-news': ['news'],
    'refused-sport': ['sport'],
    'refused-gone': [],
    'unclear-1': [],
    'unclear-2': ['sport'],
  }
  const readers = new Map<string, string>()
  for (const [name, categories] of Object.entries(chosen)) {
    readers.set(name, await confirmReader(platform, `${name}@example.org`, { categories }))
  }
  await publishArticle(platform, { title: 'Of the harbour', categories: ['news'] })
  const sport = await publishArticle(platform, { title: 'Of the match', categories: ['sport'] })
  mailer.answer = ({ to }) => {
    if (to.startsWith('refused')) return { status: 'rejected', reason: '554 not today' }
    if (to.startsWith('unclear')) return { status: 'unclear', reason: 'the line broke' }
    return undefined
  }
  await tickAt(platform, '2026-03-02T08:00:00Z')
  await tickAt(platform, '2026-03-02T08:03:00Z')
  const run = async () => (await getRun(platform, runId))?.value as Run
  expect(await countsOf(platform, await run())).toMatchObject({
    accepted: 2,
    failed: 4,
    unknown: 2,
  })

  await withdrawPost(platform, sport)
  await unsubscribe(platform, readers.get('refused-gone') ?? '')
  await platform.settle()
  const isFailed = (name: string) => name.startsWith('refused')
  const standing = async () => {
    const rows = await rowsOf(platform, runId, 0)
    const others = [...readers].filter(([name]) => !isFailed(name))
    return Promise.all(
      others.map(async ([, id]) => [
        rows.get(id),
        await platform.records.get(recordKeys.subscriber(id)),
      ]),
    )
  }
  const before = await standing()
  const asked: { to: string; text: string }[] = []
  mailer.answer = ({ to, raw }) => {
    asked.push({ to, text: decoded(raw) })
    return undefined
  }
  await retryRun(platform, runId)
  await platform.settle()

  expect(asked.map(({ to }) => to).sort()).toEqual([
    'refused-both@example.org',
    'refused-news@example.org',
  ])
  for (const { text } of asked) {
    expect(text).toContain('Of the harbour')
    expect(text).not.toContain('Of the match')
  }
  expect(await standing()).toEqual(before)
  const rows = await rowsOf(platform, runId, 0)
  const outcomes = [...readers]
    .filter(([name]) => isFailed(name))
    .map(([name, id]) => [name, rows.get(id)?.outcome, rows.get(id)?.try])
  expect(outcomes).toEqual([
    ['refused-both', 'accepted', 1],
    ['refused-news', 'accepted', 1],
    ['refused-sport', 'empty', 1],
    ['refused-gone', 'suppressed', 1],
  ])
  expect(await countsOf(platform, await run())).toEqual({
    candidates: 8,
    accepted: 4,
    failed: 0,
    unknown: 2,
    empty: 1,
    suppressed: 1,
    pending: 0,
  })
  expect((await run()).state).toBe('done')
})

it('a run that still tries a mailbox says so instead of a retry that does nothing', async () => {
  const mailer = scriptedMailer({ hasEvidence: false })
  const platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  onTestFinished(() => platform.close())
  await tickAt(platform, '2026-03-01T18:00:00Z')
  for (const name of ['refused', 'full']) await confirmReader(platform, `${name}@example.org`)
  await publishArticle(platform, {})
  mailer.answer = ({ to }) =>
    to.startsWith('refused')
      ? { status: 'rejected', reason: '554 not today' }
      : { status: 'deferred', reason: '451 busy', retryAfterSeconds: 3600 }
  await tickAt(platform, '2026-03-02T08:00:00Z')
  await expect(retryRun(platform, runId)).rejects.toMatchObject({
    status: 409,
    code: 'run.under-way',
    message:
      'In this run 1 delivery still goes on: what failed can be retried when the run is done.',
  })
  mailer.answer = () => undefined
  await tickAt(platform, '2026-03-02T09:30:00Z')
  await retryRun(platform, runId)
  await platform.settle()
  const run = (await getRun(platform, runId))?.value as Run
  expect(await countsOf(platform, run)).toMatchObject({ accepted: 2, failed: 0, pending: 0 })
})

/** The plain text of a message. */
function decoded(raw: Uint8Array): string {
  const body = /\r\n\r\n([A-Za-z0-9+/=\r\n]+?)\r\n--/.exec(Buffer.from(raw).toString('latin1'))?.[1]
  return Buffer.from(body ?? '', 'base64').toString('utf8')
}
