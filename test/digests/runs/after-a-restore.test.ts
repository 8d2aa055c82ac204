import { afterEach, describe, expect, it } from 'vitest'
import { owner } from '../../../functions/api/api-keys.ts'
import { createApp } from '../../../functions/app.ts'
import { resumeRun } from '../../../functions/digests/runs/control-run.ts'
import { skipOwed } from '../../../functions/digests/runs/skip-owed.ts'
import { whatIsDue } from '../../../functions/digests/runs/what-is-due.ts'
import { recordKeys } from '../../../functions/keys.ts'
import type { Mailer, NewRecord } from '../../../functions/platform.ts'
import { pauseSending, resumeSending } from '../../../functions/sending.ts'
import { newReader } from '../../../functions/subscribers/subscribe.ts'
import { tick } from '../../../functions/tick.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'

let platform: ScratchPlatform
afterEach(() => platform?.close())

/** A paused service with a daily and an instant reader, to whom one post is owed. */
async function paused(mailer?: Mailer) {
  platform = await scratchPlatform({
    now: '2026-03-02T09:00:00Z',
    ...(mailer ? { mailer } : {}),
  })
  await tickAt(platform, '2026-03-02T09:00:00Z')
  await confirmReader(platform, 'ada@example.org', { categories: [] })
  await confirmReader(platform, 'ian@example.org', { cadence: 'instant' })
  await pauseSending(platform)
  await publishArticle(platform, { title: 'News', categories: ['news'] })
}

const receivers = async () => (await platform.outbox()).map(({ to }) => to).sort()

/** Every record, to see that a reading wrote nothing. */
async function everything() {
  const partitions = ['clock', 'open-runs', 'log', 'schedules']
  return Promise.all(partitions.map(async (name) => (await platform.records.query(name)).records))
}

describe('what is due', () => {
  it('names what the next tick would make, for how many, up to which post; and writes nothing', async () => {
    await paused()
    platform.setNow('2026-03-03T08:05:00Z')
    const before = await everything()
    const due = await whatIsDue(platform)
    expect(await everything()).toEqual(before)
    expect(due).toEqual({
      last: 1,
      runs: [
        {
          id: 'instant_1',
          schedule: 'instant',
          kind: 'instant',
          dueAt: '2026-03-03T08:05:00Z',
          to: 1,
          readers: 1,
          isAtLeast: false,
          owed: 1,
        },
        {
          id: 'daily-0800-UTC_20260303T080000Z',
          schedule: 'daily-0800-UTC',
          kind: 'digest',
          dueAt: '2026-03-03T08:00:00Z',
          to: 1,
          readers: 1,
          isAtLeast: false,
          owed: 1,
        },
      ],
    })
  })

  it('shows the same as open runs where a tick had made them, and nothing once they are done', async () => {
    await paused()
    await resumeSending(platform)
    platform.setNow('2026-03-03T08:05:00Z')
    await tick(platform)
    await pauseSending(platform)
    await tickAt(platform, '2026-03-03T08:06:00Z')
    expect(await receivers()).toEqual([])
    expect((await whatIsDue(platform)).runs).toMatchObject([
      { schedule: 'daily-0800-UTC', state: 'sending', to: 1, readers: 1 },
      { schedule: 'instant', state: 'sending', to: 1, readers: 1 },
    ])
    await resumeSending(platform)
    await tickAt(platform, '2026-03-03T08:10:00Z')
    expect(await receivers()).toEqual(['ada@example.org', 'ian@example.org'])
    expect(await whatIsDue(platform)).toEqual({ last: 1, runs: [] })
  })

  it('leaves out a schedule whose readers are owed nothing, and those who may not be mailed', async () => {
    await paused()
    await confirmReader(platform, 'eve@example.org', { at: '07:00' })
    const letter = await publishArticle(platform, { categories: ['news'], mail: 'letter' })
    platform.setNow('2026-03-03T08:05:00Z')
    const { runs } = await whatIsDue(platform)
    // Eve came after the post: only the letter is for her.
    expect(runs.map(({ schedule, readers, owed }) => [schedule, readers, owed])).toEqual([
      ['instant', 1, 1],
      ['letter', 3, 3],
      ['daily-0800-UTC', 1, 1],
    ])
    expect(runs[1]?.id).toBe(`letter_${letter}`)
  })
})

describe('what is due by the clock alone', () => {
  it('names posts whose date has come and that no tick has listed, and lists none', async () => {
    await paused()
    const news = { categories: ['news'], published: '2026-03-02T10:00:00Z' }
    await publishArticle(platform, { ...news, title: 'Scheduled' })
    const letter = await publishArticle(platform, { ...news, title: 'A letter', mail: 'letter' })
    platform.setNow('2026-03-02T11:00:00Z')
    const before = await everything()
    const due = await whatIsDue(platform)
    expect(await everything()).toEqual(before)
    expect(due.last).toBe(3)
    expect(due.runs.map(({ id, to, owed }) => [id, to, owed])).toEqual([
      ['instant_3', 3, 1],
      [`letter_${letter}`, expect.any(Number), 2],
    ])
    await resumeSending(platform)
    await tickAt(platform, '2026-03-02T11:00:00Z')
    const sent = (await platform.outbox()).map(({ deliveryId }) => deliveryId.split('_')[0])
    expect(sent.sort()).toEqual(['instant', 'letter', 'letter'])
  })

  it('names a letter that its deadline lets go, as one on its way', async () => {
    await awaiting()
    expect((await whatIsDue(platform)).runs).toMatchObject([{ state: 'paused', owed: 1 }])
    platform.setNow('2026-03-04T09:00:00Z')
    expect((await whatIsDue(platform)).runs).toMatchObject([{ state: 'planned', owed: 1 }])
  })
})

/** A paused service with a letter that goes unless somebody holds it within a day. */
async function awaiting() {
  platform = await scratchPlatform({
    now: '2026-03-02T09:00:00Z',
    settings: { mail: { approval: 24, unapproved: 'send' } },
  })
  await tickAt(platform, '2026-03-02T09:00:00Z')
  await confirmReader(platform, 'ada@example.org')
  await publishArticle(platform, { mail: 'letter' })
  await tickAt(platform, '2026-03-02T09:01:00Z')
  await pauseSending(platform)
}

describe('counting everything listed so far as delivered', () => {
  const skipAll = async () => {
    let came = await skipOwed(platform)
    while (came.after) came = await skipOwed(platform, came)
    return came
  }

  it('mails nobody what was owed, and everybody what comes after it', async () => {
    await paused()
    // One run is made, the other is not yet.
    await tickAt(platform, '2026-03-02T10:00:00Z')
    platform.setNow('2026-03-03T08:05:00Z')
    expect(await skipAll()).toEqual({ to: 1, readers: 2 })
    await resumeSending(platform)
    await tickAt(platform, '2026-03-03T08:06:00Z')
    await tickAt(platform, '2026-03-03T08:10:00Z')
    expect(await receivers()).toEqual([])
    expect((await whatIsDue(platform)).runs).toEqual([])

    await publishArticle(platform, { title: 'Later news', categories: ['news'] })
    await platform.settle()
    await tickAt(platform, '2026-03-04T08:00:00Z')
    expect(await receivers()).toEqual(['ada@example.org', 'ian@example.org'])
    for (const { raw } of await platform.outbox()) expect(raw).toContain('Subject: ')
  })

  it('also keeps back a delivery that was refused for now, whatever becomes of its claim', async () => {
    const sent: string[] = []
    let isBusy = true
    await paused({
      name: 'busy',
      evidenceDelaySeconds: 0,
      hasFinalEvidence: true,
      send: async ({ to }) => {
        if (isBusy) return { status: 'deferred', reason: 'busy', retryAfterSeconds: 60 }
        sent.push(to)
        return { status: 'sent' }
      },
      quota: async () => ({}),
      evidence: async () => 'none',
    })
    await resumeSending(platform)
    await tickAt(platform, '2026-03-03T08:05:00Z')
    await pauseSending(platform)
    isBusy = false
    await skipAll()
    await resumeSending(platform)
    for (const at of ['08:10', '08:30', '12:00']) await tickAt(platform, `2026-03-03T${at}:00Z`)
    await tickAt(platform, '2026-03-04T08:00:00Z')
    expect(sent).toEqual([])
    await publishArticle(platform, { title: 'Later', categories: ['news'] })
    await platform.settle()
    await tickAt(platform, '2026-03-05T08:00:00Z')
    expect(sent.sort()).toEqual(['ada@example.org', 'ian@example.org'])
  })

  it('counts what came out by its date since the backup, also before any tick', async () => {
    await paused()
    await publishArticle(platform, { categories: ['news'], published: '2026-03-02T10:00:00Z' })
    platform.setNow('2026-03-03T12:00:00Z')
    expect(await skipAll()).toEqual({ to: 2, readers: 2 })
    await resumeSending(platform)
    for (const at of ['03T12:01', '04T08:00']) await tickAt(platform, `2026-03-${at}:00Z`)
    expect(await receivers()).toEqual([])
  })

  it('holds a letter that waits for approval, beyond its deadline', async () => {
    await awaiting()
    platform.setNow('2026-03-04T03:00:00Z')
    await skipAll()
    await resumeSending(platform)
    for (const at of ['04T03:01', '06T08:00']) await tickAt(platform, `2026-03-${at}:00Z`)
    expect(await receivers()).toEqual([])
    const [held] = (await whatIsDue(platform)).runs
    expect(held).toMatchObject({ state: 'paused', reason: expect.stringContaining('Resume') })
    await resumeRun(platform, held?.id ?? '')
    await platform.settle()
    expect(await receivers()).toEqual(['ada@example.org'])
  })

  it('holds letters whose time came since the backup, and leaves those to come', async () => {
    await paused()
    const letter = (title: string, mailAt: string) =>
      publishArticle(platform, { title, categories: ['news'], mail: 'letter', mailAt })
    const past = await letter('Past', '2026-03-03T08:00:00Z')
    const seen = await letter('Let go by a tick before', '2026-03-02T10:00:00Z')
    const toCome = await letter('To come', '2026-03-06T08:00:00Z')
    await tickAt(platform, '2026-03-02T10:00:00Z')
    platform.setNow('2026-03-03T12:00:00Z')
    await skipAll()
    await resumeSending(platform)
    await tickAt(platform, '2026-03-03T12:10:00Z')
    expect(await receivers()).toEqual([])
    const held = (await whatIsDue(platform)).runs.filter(({ state }) => state === 'paused')
    expect(held.map(({ id }) => id).sort()).toEqual([`letter_${past}`, `letter_${seen}`].sort())
    await tickAt(platform, '2026-03-06T08:00:00Z')
    const runs = (await platform.outbox()).map(({ deliveryId }) => deliveryId.split('_')[1])
    expect(runs).toEqual([toCome, toCome])
  })

  it('holds letters that were on their way, and lets a person send one after all', async () => {
    await paused()
    const letter = await publishArticle(platform, { categories: ['news'], mail: 'letter' })
    await tickAt(platform, '2026-03-02T10:00:00Z')
    await skipAll()
    await resumeSending(platform)
    await tickAt(platform, '2026-03-02T10:10:00Z')
    expect(await receivers()).toEqual([])
    const { runs } = await whatIsDue(platform)
    expect(runs).toMatchObject([{ id: `letter_${letter}`, state: 'paused', readers: 2 }])
    await resumeRun(platform, `letter_${letter}`)
    await platform.settle()
    expect(await receivers()).toEqual(['ada@example.org', 'ian@example.org'])
  })

  it('goes through thousands of readers a part at a time, and may be begun again', async () => {
    await paused()
    const ids = Array.from({ length: 2500 }, (_, i) =>
      (i * 7919 + 1).toString(16).padStart(32, '0'),
    )
    const shuffled = ids.map((id) => `${id.slice(-1)}${id.slice(1)}`)
    const wanted = { categories: [], cadence: 'daily', at: '08:00', timeZone: 'UTC', locale: 'en' }
    await platform.records.putMany(
      shuffled.map((id) => ({
        ...recordKeys.subscriber(id),
        value: newReader(id, wanted as Parameters<typeof newReader>[1], platform.now()),
      })) as unknown as NewRecord[],
    )
    const first = await skipOwed(platform)
    expect(first).toMatchObject({ to: 1, readers: 1000, after: expect.any(String) })
    const second = await skipOwed(platform, first)
    const third = await skipOwed(platform, second)
    expect([second.readers, third]).toEqual([1000, { to: 1, readers: 502 }])
    expect(await skipAll()).toEqual({ to: 1, readers: 502 })
  })

  it('is refused while mails may be on their way', async () => {
    await paused()
    await resumeSending(platform)
    const app = createApp(platform)
    const skip = (body: unknown) =>
      app.request('/api/v1/sending/skip', { method: 'POST', body: JSON.stringify(body) }, owner)
    const refused = await skip({})
    expect([refused.status, (await refused.json()).code]).toEqual([409, 'sending.not-paused'])
    expect((await skip({ after: '../../x' })).status).toBe(422)
  })
})
