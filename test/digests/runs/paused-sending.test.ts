import { describe, expect, it } from 'vitest'
import { newestRuns } from '../../../functions/digests/runs/run-store.ts'
import { type Due, whatIsDue } from '../../../functions/digests/runs/what-is-due.ts'
import { pauseSending, resumeSending } from '../../../functions/sending.ts'
import { tick } from '../../../functions/tick.ts'
import { changeChoices, confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { open, platform, start, titlesMailedTo } from '../running-clock.ts'

const day = (n: number, time = '08:00:00') => `2026-03-${String(n).padStart(2, '0')}T${time}Z`

/** Post A to Post J. */
const posts = Array.from('ABCDEFGHIJ', (letter) => `Post ${letter}`)

/** Ten days of a post and two ticks each. */
async function tenDays(): Promise<void> {
  for (const [i, title] of posts.entries()) {
    await publishArticle(platform, { title })
    await platform.settle()
    await tickAt(platform, day(i + 2))
    await tickAt(platform, day(i + 2, '08:01:00'))
  }
}

function owedByKind({ runs }: Due): Record<string, number | undefined> {
  return Object.fromEntries(runs.map(({ kind, owed }) => [kind, owed]))
}

describe('while all sending is paused', () => {
  it('nothing leaves, and what was published in ten days comes to each reader in one mail', async () => {
    await start()
    await confirmReader(platform, 'daily@example.org')
    await confirmReader(platform, 'instant@example.org', { cadence: 'instant' })
    const mover = await confirmReader(platform, 'mover@example.org')
    await pauseSending(platform)
    await tenDays()
    await changeChoices(platform, mover, { cadence: 'instant' })
    await tickAt(platform, day(11, '09:00:00'))
    expect(await platform.outbox()).toEqual([])
    // The mover, an instant reader by now, is counted once.
    expect(owedByKind(await whatIsDue(platform))).toEqual({ 'catch-up': 1, digest: 1, instant: 1 })
    await resumeSending(platform)
    await tickAt(platform, day(11, '09:01:00'))
    await tickAt(platform, day(11, '09:02:00'))
    for (const name of ['daily', 'instant', 'mover']) {
      expect(await titlesMailedTo(`${name}@example.org`)).toEqual([posts])
    }
    const { records: runs } = await newestRuns(platform, { limit: 50 })
    const kinds = runs.map(({ value }) => value.kind)
    expect(kinds.filter((kind) => kind !== 'catch-up').sort()).toEqual(['digest', 'instant'])
  })

  it('a run that was made before waits, and brings what it was made for', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org')
    await publishArticle(platform, { title: 'Post A' })
    platform.setNow(day(2))
    const { runs } = await tick(platform)
    await pauseSending(platform)
    await tickAt(platform, day(2, '08:10:00'))
    expect(await platform.outbox()).toEqual([])
    await resumeSending(platform)
    await tickAt(platform, day(2, '08:20:00'))
    expect(await titlesMailedTo('ada@example.org')).toEqual([['Post A']])
    expect(runs).toHaveLength(1)
  })

  it('before the first tick ever, too', async () => {
    await open()
    await confirmReader(platform, 'ada@example.org')
    await pauseSending(platform)
    await tenDays()
    await resumeSending(platform)
    await tickAt(platform, day(11, '09:01:00'))
    expect(await titlesMailedTo('ada@example.org')).toEqual([posts])
  })
})
