import { afterEach, describe, expect, it } from 'vitest'
import { recordKeys } from '../../../functions/keys.ts'
import type { Platform, RecordKey } from '../../../functions/platform.ts'
import { getSubscriber } from '../../../functions/subscribers/store.ts'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { changeChoices, confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
afterEach(() => platform.close())

async function start() {
  mailer = scriptedMailer()
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  await confirmReader(platform, 'other@example.org', { cadence: 'instant' })
}

/**
 * The same service for one who is slow: right after the first look at the log's head that follows a
 * look at a reader, a post comes out and its run is over.
 */
function overtaken(): Platform {
  const { records } = platform
  const head = JSON.stringify(recordKeys.logHead)
  let hasReader = false
  let isOvertaken = false
  const get = async <T>(key: RecordKey) => {
    const found = await records.get<T>(key)
    const isHead = JSON.stringify(key) === head
    if (isHead && hasReader && !isOvertaken) {
      isOvertaken = true
      await publishArticle(platform, { title: 'Post A', categories: ['news'] })
      await platform.settle()
      await tickAt(platform, '2026-03-01T18:00:30Z')
      expect(mailer.sent.map(({ to }) => to)).toEqual(['other@example.org'])
    }
    if (key.partition.startsWith('subscribers:') && found) hasReader = true
    return found
  }
  return { ...platform, records: { ...records, get } }
}

/** Either their choice began after the post, or it came. */
async function expectNothingLost(id: string): Promise<void> {
  for (let m = 10; m < 20; m++) await tickAt(platform, `2026-03-01T18:${m}:00Z`)
  const reader = (await getSubscriber(platform, id))?.value as Subscriber
  const isOwed =
    reader.watermark < 1 && ['news', '*'].some((slug) => (reader.categories[slug] ?? 1) < 1)
  const came = mailer.sent.filter(({ to }) => to === 'ada@example.org').length
  expect(isOwed).toBe(false)
  expect(came).toBeLessThanOrEqual(1)
}

describe('a post that is listed and mailed at once while a reader’s choice is being written', () => {
  it('is not owed to one who confirms', async () => {
    await start()
    const ada = await confirmReader(overtaken(), 'ada@example.org', { cadence: 'instant' })
    await expectNothingLost(ada)
  })

  it('comes to one who moves from daily to instant', async () => {
    await start()
    const ada = await confirmReader(platform, 'ada@example.org')
    await changeChoices(overtaken(), ada, { cadence: 'instant' })
    await expectNothingLost(ada)
  })

  it('is not owed to one who adds its category', async () => {
    await start()
    const rust = { cadence: 'instant' as const, categories: ['rust'] }
    const ada = await confirmReader(platform, 'ada@example.org', rust)
    await changeChoices(overtaken(), ada, { categories: ['rust', 'news'] })
    await expectNothingLost(ada)
  })
})
