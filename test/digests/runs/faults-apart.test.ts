import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { readClock } from '../../../functions/clock-mark.ts'
import { recordKeys } from '../../../functions/keys.ts'
import type { Platform, RecordStore } from '../../../functions/platform.ts'
import { scheduleOf } from '../../../functions/subscribers/schedule.ts'
import { tick } from '../../../functions/tick.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer

beforeEach(async () => {
  mailer = scriptedMailer()
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  onTestFinished(() => platform.close())
  await tickAt(platform, '2026-03-01T18:00:00Z')
  await confirmReader(platform, 'ada@example.org')
  await confirmReader(platform, 'bob@example.org', { at: '09:00' })
  await publishArticle(platform, { title: 'Post A' })
})

const faultsLogged = () => platform.logged.filter((line) => line.includes('tick.step-failed'))

it('a schedule in a zone that this machine does not know holds up no other; the tick says which', async () => {
  const wanted = { cadence: 'daily', at: '06:00', timeZone: 'Mars/Olympus' } as const
  const schedule = scheduleOf(wanted)
  await platform.records.put({ ...recordKeys.schedule(schedule.id), value: schedule })
  await expect(tickAt(platform, '2026-03-02T09:00:00Z')).rejects.toThrow('a part of the tick')
  await platform.settle()
  expect(mailer.sent.map(({ to }) => to).sort()).toEqual(['ada@example.org', 'bob@example.org'])
  expect(faultsLogged()).toEqual([expect.stringContaining(schedule.id)])
  // It does not count as done.
  expect((await readClock(platform))?.value.at).toBe('2026-03-01T18:00:00.000Z')
})

it('a run that cannot be read holds up no other, and is named', async () => {
  platform.setNow('2026-03-02T09:00:00Z')
  await tick(platform)
  for (const { receipt } of await platform.jobs.receive('work', { limit: 10, leaseSeconds: 60 })) {
    await platform.jobs.complete(receipt)
  }
  const unreadable = recordKeys.run('daily-0800-UTC_20260302T080000Z').partition
  const get: RecordStore['get'] = async (key) => {
    if (key.partition === unreadable) throw new Error('this one cannot be read')
    return platform.records.get(key)
  }
  const ailing: Platform = { ...platform, records: { ...platform.records, get } }
  platform.setNow('2026-03-02T09:03:00Z')
  await expect(tick(ailing)).rejects.toThrow('a part of the tick')
  await platform.settle()
  expect(mailer.sent.map(({ to }) => to)).toEqual(['bob@example.org'])
  expect(faultsLogged()).toEqual([expect.stringContaining('daily-0800-UTC_20260302T080000Z')])
})
