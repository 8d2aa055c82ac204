import { afterEach, expect, it } from 'vitest'
import { countsOf } from '../../../functions/digests/runs/books.ts'
import { newestRuns } from '../../../functions/digests/runs/run-store.ts'
import type { Mailer } from '../../../functions/platform.ts'
import { tick } from '../../../functions/tick.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'

let platform: ScratchPlatform
afterEach(() => platform.close())

const readers = 100

it('a digest and two letters that are due at the same instant all come with one tick', async () => {
  let mails = 0
  const mailer: Mailer = {
    name: 'slow',
    async send() {
      await new Promise((resolve) => setTimeout(resolve, 15))
      mails++
      return { status: 'sent' }
    },
    quota: async () => ({}),
    evidence: async () => 'cannot tell',
    evidenceDelaySeconds: 0,
    hasFinalEvidence: false,
  }
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  for (let i = 0; i < readers; i++) await confirmReader(platform, `reader${i}@example.org`)
  const mailAt = '2026-03-02T08:00:00Z'
  await publishArticle(platform, { title: 'Post A' })
  await publishArticle(platform, { title: 'Letter A', mail: 'letter', mailAt })
  await publishArticle(platform, { title: 'Letter B', mail: 'letter', mailAt })
  platform.setNow(mailAt)
  await tick(platform, { driveAll: true })
  await platform.machine.drain()
  const { records: runs } = await newestRuns(platform, { limit: 10 })
  for (const { value } of runs) {
    expect(await countsOf(platform, value)).toMatchObject({ accepted: readers, pending: 0 })
  }
  expect([runs.length, mails]).toEqual([3, 3 * readers])
})
