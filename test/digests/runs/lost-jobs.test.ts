import { expect, it, onTestFinished, vi } from 'vitest'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { getBook, getRun } from '../../../functions/digests/runs/run-store.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { scriptedMailer } from '../scripted-mailer.ts'

// What two minutes can send would be more than these readers.
vi.mock(import('../../../functions/digests/runs/ahead.ts'), async () => ({
  chunksAhead: async () => 2,
}))

const runId = 'daily-0800-UTC_20260302T080000Z'

it('a lost job holds up nobody for long, though hundreds before it were refused for an hour', async () => {
  const mailer = scriptedMailer()
  const platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  onTestFinished(() => platform.close())
  await tickAt(platform, '2026-03-01T18:00:00Z')
  const readers: string[] = []
  for (let i = 0; i < 2010; i++) readers.push(await confirmReader(platform, `r${i}@example.org`))
  await publishArticle(platform, { title: 'One' })
  await platform.settle()
  // More of the first and the second five hundred than their books name.
  readers.sort()
  const refused = new Set([...readers.slice(0, 110), ...readers.slice(500, 610)])
  const later = { status: 'deferred', reason: '450 4.2.0 later', retryAfterSeconds: 3600 } as const
  mailer.answer = ({ deliveryId }) =>
    refused.has(/_([0-9a-f]{32})_/.exec(deliveryId)?.[1] ?? '')
      ? { ...later, address: true }
      : undefined

  let lost = 0
  loseJobs(platform, (chunk) => chunk === 4 && lost++ === 0)
  for (const minute of ['00', '01', '02', '03', '04']) {
    await tickAt(platform, `2026-03-02T08:${minute}:00Z`)
  }
  expect(lost).toBeGreaterThan(0)
  expect(mailer.sent).toHaveLength(2010 - 220)
  const run = (await getRun(platform, runId))?.value as Run
  expect(await countsOf(platform, run)).toMatchObject({ accepted: 1790, pending: 220, failed: 0 })
  expect((await getBook(platform, runId, 0))?.value.passed).toMatchObject({ open: 110 })

  mailer.answer = () => undefined
  await tickAt(platform, '2026-03-02T09:40:00Z')
  await tickAt(platform, '2026-03-02T09:41:00Z')
  expect(mailer.sent).toHaveLength(2010)
  expect((await getRun(platform, runId))?.value.state).toBe('done')
})

/** The queue loses some of the jobs it is given. */
function loseJobs(platform: ScratchPlatform, isLost: (chunk: number) => boolean): void {
  const { enqueue } = platform.jobs
  platform.jobs.enqueue = (jobs, options) =>
    enqueue(
      jobs.filter((job) => !(job.kind === 'deliver' && isLost(job.chunk))),
      options,
    )
}
