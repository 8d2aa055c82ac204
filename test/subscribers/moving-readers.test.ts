import { afterEach, describe, expect, it } from 'vitest'
import { pauseRun, resumeRun } from '../../functions/digests/runs/control-run.ts'
import { makeLetterRuns } from '../../functions/digests/runs/make-runs.ts'
import { getRun, rowsOf } from '../../functions/digests/runs/run-store.ts'
import { runJob } from '../../functions/jobs.ts'
import { letterRunId, recordKeys } from '../../functions/keys.ts'
import type { Platform } from '../../functions/platform.ts'
import { pauseSending, resumeSending } from '../../functions/sending.ts'
import { normaliseAddress, subscriberIdOf } from '../../functions/subscribers/address.ts'
import { moveReader } from '../../functions/subscribers/change-address.ts'
import { subscribeAgain, unsubscribe } from '../../functions/subscribers/change-preferences.ts'
import { eraseSubscriber } from '../../functions/subscribers/erase.ts'
import { preferencesOf } from '../../functions/subscribers/preferences.ts'
import { getSubscriber } from '../../functions/subscribers/store.ts'
import type { Subscriber } from '../../functions/subscribers/subscriber.ts'
import { suppress } from '../../functions/subscribers/suppression.ts'
import { confirmReader, publishArticle, tickAt } from '../digests/newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../digests/scripted-mailer.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { everyByte } from './readers-platform.ts'

const ada = 'ada@example.org'
const moved = 'ada@new.example'

let platform: ScratchPlatform
let mailer: ScriptedMailer
afterEach(() => platform?.close())

/** A service whose clock has struck, with one reader. */
async function begin(wanted: Parameters<typeof confirmReader>[2] = {}): Promise<string> {
  mailer = scriptedMailer()
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  return confirmReader(platform, ada, wanted)
}

const idOf = (email: string) => subscriberIdOf(platform, normaliseAddress(email))
const itemOf = async (id: string) => (await getSubscriber(platform, id))?.value
const sentTo = () => mailer.sent.map(({ to }) => to)

/** The new address says yes. */
async function move(from: string, to = moved, on: Platform = platform): Promise<string> {
  const outcome = await moveReader(on, idOf(to), {
    email: normaliseAddress(to),
    wanted: preferencesOf((await itemOf(from)) as Subscriber, platform.settings),
    nonce: 'n'.repeat(16),
    consent: { at: platform.now().toISOString(), source: 'form' },
    changeFrom: from,
    expires: '2027-01-01T00:00:00.000Z',
  })
  return outcome.status
}

async function ticks(...instants: string[]): Promise<void> {
  for (const instant of instants) await tickAt(platform, instant)
}

/** A change of address that waits, the old item being closed already. */
async function waitForDigest(): Promise<string> {
  const id = await begin()
  await publishArticle(platform, { title: 'One' })
  mailer.answer = () => ({
    status: 'deferred',
    reason: '451 4.2.0 later',
    retryAfterSeconds: 60,
    address: true,
  })
  await tickAt(platform, '2026-03-02T08:00:00Z')
  expect(await move(id)).toBe('waiting')
  return id
}

/** One that waits for a letter, the old item being a reader still. */
async function waitForLetter(): Promise<{ id: string; run: string }> {
  const id = await begin()
  await pauseSending(platform)
  const post = await publishArticle(platform, { title: 'A letter', mail: 'letter' })
  await platform.settle()
  await tickAt(platform, '2026-03-01T18:03:00Z')
  expect(await move(id)).toBe('waiting')
  return { id, run: letterRunId(post, 0) }
}

describe('one who is erased while a change of address waits', () => {
  it.each([
    ['for the end of a digest', waitForDigest],
    ['for a letter', async () => (await waitForLetter()).id],
  ])('%s is gone, with both addresses', async (_, waiting) => {
    const id = await waiting()
    await eraseSubscriber(platform, id)
    expect(await everyByte(platform)).not.toContain(moved)
    mailer.answer = () => undefined
    await resumeSending(platform)
    for (let i = 1; i < 8; i++) await tickAt(platform, `2026-03-02T08:${i * 5 + 10}:00Z`)
    await publishArticle(platform, { title: 'Two' })
    await tickAt(platform, '2026-03-03T08:00:00Z')
    expect(await itemOf(idOf(moved))).toBeUndefined()
    expect(await itemOf(id)).toMatchObject({ state: 'suppressed', reason: 'erased' })
    expect(sentTo()).toEqual([])
  })

  it.each([
    ['just before the new item is opened', 'before'],
    ['just after it', 'after'],
    ['after the mover died just behind it', 'crash'],
  ])('%s is gone all the same', async (_, when) => {
    const id = await begin()
    const opens = ({ sort }: { sort: string }, value: unknown) =>
      sort === idOf(moved) && (value as Subscriber).state === 'confirmed'
    let isDone = false
    const erase = async () => {
      isDone = true
      await eraseSubscriber(platform, id)
    }
    const on: Platform = {
      ...platform,
      records: {
        ...platform.records,
        async put(record, condition) {
          const isIt = !isDone && record.partition.startsWith('subscribers:')
          const isOpening = isIt && opens(record, record.value)
          if (isOpening && when === 'before') await erase()
          const outcome = await platform.records.put(record, condition)
          if (isOpening && when === 'after') await erase()
          if (isOpening && when === 'crash') throw new Error('died')
          return outcome
        },
      },
    }
    if (when === 'crash') {
      await expect(move(id, moved, on)).rejects.toThrow('died')
      await erase()
    } else {
      expect(await move(id, moved, on)).toBe('refused')
    }
    await ticks('2026-03-01T18:01:00Z')
    expect(isDone).toBe(true)
    expect((await itemOf(idOf(moved)))?.email).toBeUndefined()
    expect((await itemOf(id))?.email).toBeUndefined()
    expect(await everyByte(platform)).not.toContain(moved)
  })
})

it.each([
  ['a digest', waitForDigest],
  ['a letter', async () => (await waitForLetter()).id],
])(
  'one who leaves and comes back while a change waits for %s stays at the old address',
  async (_, waiting) => {
    const id = await waiting()
    await unsubscribe(platform, id)
    await subscribeAgain(platform, id)
    mailer.answer = () => undefined
    await resumeSending(platform)
    await ticks('2026-03-02T12:00:00Z', '2026-03-02T12:03:00Z')
    expect((await itemOf(id))?.state).toBe('confirmed')
    expect(await itemOf(idOf(moved))).toBeUndefined()
  },
)

describe('a letter and a change of address', () => {
  it('the letter comes once, and the next one to the new address', async () => {
    const { id } = await waitForLetter()
    await resumeSending(platform)
    await ticks('2026-03-01T18:06:00Z', '2026-03-01T18:07:00Z')
    expect(sentTo()).toEqual([ada])
    expect(await itemOf(id)).toMatchObject({ reason: 'erased', movedTo: idOf(moved) })
    await publishArticle(platform, { title: 'Another', mail: 'letter' })
    await ticks('2026-03-01T18:10:00Z')
    expect(sentTo()).toEqual([ada, moved])
  })

  it('one that the old mailbox refuses for good does not lose the reader', async () => {
    const { id } = await waitForLetter()
    await suppress(platform, id, 'hard-bounce')
    await ticks('2026-03-01T18:06:00Z')
    const reader = await itemOf(idOf(moved))
    expect(reader).toMatchObject({ state: 'confirmed', email: moved })
    expect(reader).not.toHaveProperty('reason')
  })

  it('after a complaint about it nothing is sent to the new address', async () => {
    const { id } = await waitForLetter()
    await suppress(platform, id, 'complaint')
    await ticks('2026-03-01T18:06:00Z')
    expect(await itemOf(idOf(moved))).toBeUndefined()
  })

  it('one that is held for more than a day holds no change of address; its row says what became of it', async () => {
    const { id, run } = await waitForLetter()
    await pauseRun(platform, run)
    await resumeSending(platform)
    await ticks('2026-03-02T17:00:00Z')
    expect((await itemOf(id))?.state).toBe('confirmed')
    await ticks('2026-03-02T18:04:00Z')
    expect((await itemOf(idOf(moved)))?.state).toBe('confirmed')
    await resumeRun(platform, run)
    await ticks('2026-03-02T18:10:00Z')
    expect(sentTo()).toEqual([])
    expect([...(await rowsOf(platform, run, 0)).values()]).toMatchObject([
      { subscriberId: id, outcome: 'suppressed' },
    ])
  })

  it.each([
    ['is for readers of another category', { categories: ['sport'] }],
    ['waits for its time', { categories: ['news'], mailAt: '2026-03-05T08:00:00Z' }],
  ])('one that %s holds no change of address', async (_, post) => {
    const id = await begin({ categories: ['news'] })
    await confirmReader(platform, 'bea@example.org')
    await pauseSending(platform)
    await publishArticle(platform, { title: 'A letter', mail: 'letter', ...post })
    await ticks('2026-03-01T18:03:00Z')
    await move(id)
    await ticks('2026-03-01T18:04:00Z')
    expect((await itemOf(idOf(moved)))?.state).toBe('confirmed')
  })

  it('of two changes the last one counts', async () => {
    const { id } = await waitForLetter()
    expect(await move(id, 'ada@other.example')).toBe('waiting')
    await resumeSending(platform)
    await ticks('2026-03-01T18:06:00Z', '2026-03-01T18:07:00Z')
    expect(await itemOf(idOf(moved))).toBeUndefined()
    expect((await itemOf(idOf('ada@other.example')))?.state).toBe('confirmed')
  })

  it('comes once to one who moves, in the order of the ids, from before the planner to behind it', async () => {
    await begin()
    const emails = Array.from({ length: 519 }, (_, i) => `r${i}@example.org`)
    for (const email of emails) await confirmReader(platform, email)
    const ids = [ada, ...emails].map(idOf).sort()
    const first = ids[0] as string
    const old = [ada, ...emails].find((email) => idOf(email) === first) as string
    let fresh = ''
    for (let i = 0; fresh === '' || idOf(fresh) < (ids[510] as string); i++) {
      fresh = `new${i}@example.org`
    }
    const post = await publishArticle(platform, { title: 'A letter', mail: 'letter' })
    await makeLetterRuns(platform)
    const run = letterRunId(post, 0)
    const dying: Platform = {
      ...platform,
      records: {
        ...platform.records,
        async put(record, condition) {
          if (record.sort === recordKeys.chunk(run, 1).sort) throw new Error('died')
          return platform.records.put(record, condition)
        },
      },
    }
    await runJob(dying, { kind: 'plan', runId: run }).catch(() => {})
    await runJob(platform, { kind: 'deliver', runId: run, chunk: 0 })
    expect(sentTo()).toContain(old)
    expect(await move(first, fresh)).toBe('waiting')
    await ticks('2026-03-01T18:03:00Z', '2026-03-01T18:06:00Z', '2026-03-01T18:09:00Z')
    expect((await getRun(platform, run))?.value.state).toBe('done')
    expect((await itemOf(idOf(fresh)))?.state).toBe('confirmed')
    expect(sentTo().filter((to) => to === old || to === fresh)).toHaveLength(1)
  }, 120_000)
})

describe('a digest and a change of address', () => {
  it('that was planned for the old address comes to the new one soon, not with the next', async () => {
    const id = await begin({ cadence: 'monthly', day: '2' })
    await publishArticle(platform, { title: 'One' })
    await pauseSending(platform)
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect(await move(id)).toBe('moved')
    await resumeSending(platform)
    await ticks('2026-03-02T08:03:00Z', '2026-03-02T08:06:00Z')
    expect(sentTo()).toEqual([moved])
    await ticks('2026-04-02T08:00:00Z')
    expect(sentTo()).toEqual([moved])
  })

  it('that the old address puts off comes to the new one soon', async () => {
    await waitForDigest()
    mailer.answer = () => undefined
    await ticks('2026-03-02T08:10:00Z', '2026-03-02T08:11:00Z', '2026-03-02T08:12:00Z')
    expect(sentTo()).toEqual([moved])
  })

  it('does not come early to one who moves between two of them', async () => {
    const id = await begin({ cadence: 'weekly', day: 'fri' })
    await publishArticle(platform, { title: 'One' })
    expect(await move(id)).toBe('moved')
    await ticks('2026-03-02T08:00:00Z', '2026-03-02T08:03:00Z')
    expect(sentTo()).toEqual([])
    await ticks('2026-03-06T08:00:00Z')
    expect(sentTo()).toEqual([moved])
  })
})
