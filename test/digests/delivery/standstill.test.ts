import { afterEach, describe, expect, it } from 'vitest'
import { deliverChunk } from '../../../functions/digests/delivery/deliver.ts'
import { makeDueRuns } from '../../../functions/digests/runs/make-runs.ts'
import { planRun } from '../../../functions/digests/runs/plan.ts'
import { smtpMailer } from '../../../functions/local/smtp-mailer.ts'
import { noRoom } from '../../../functions/no-room.ts'
import type { Platform } from '../../../functions/platform.ts'
import { fakeProvider } from '../../support/fake-provider.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { simulatedClock } from '../../support/simulated-clock.ts'
import { smtpSink } from '../../support/smtp-sink.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'

let scratch: ScratchPlatform
afterEach(() => scratch.close())

const runId = 'daily-0800-UTC_20260302T080000Z'

/** A digest of one post is due to so many readers. */
async function start(readers: number, perSecond?: number): Promise<void> {
  scratch = await scratchPlatform({
    now: '2026-03-01T18:00:00Z',
    ...(perSecond === undefined ? {} : { settings: { mail: { limits: { perSecond } } } }),
  })
  await tickAt(scratch, '2026-03-01T18:00:00Z')
  for (let i = 0; i < readers; i++) await confirmReader(scratch, `reader${i}@example.org`)
  await publishArticle(scratch, { title: 'Post A' })
  scratch.setNow('2026-03-02T08:00:00Z')
  await makeDueRuns(scratch, new Date('2026-03-02T07:59:00Z'))
  await planRun(scratch, runId)
}

describe('a line that stands still for three seconds', () => {
  it.each([
    [14, 90],
    [50, 250],
    [160, 450],
  ])('at %i a second lets no crowd go when it moves on', async (perSecond, readers) => {
    await start(readers)
    const clock = simulatedClock(Date.parse('2026-03-02T08:00:00Z'))
    const provider = fakeProvider(clock, { perSecond })
    const [from, to] = [clock.now() + 1500, clock.now() + 4500]
    const mailer: Platform['mailer'] = {
      ...provider,
      async send(message, until, leave) {
        if (leave && !(await leave())) return noRoom
        if (clock.now() >= from) await clock.sleep(to - clock.now())
        return provider.send(message, until)
      },
    }
    const platform = { ...scratch, mailer, now: () => new Date(clock.now()) }
    await clock.runUntil(deliverChunk(platform, runId, 0, clock))
    expect(provider.throttled).toEqual([])
    expect(provider.most()).toBeLessThanOrEqual(perSecond)
    // It goes on at full speed after half a second.
    const after = provider.taken.filter((at) => at >= to + 500 && at < to + 1300)
    expect(after.length).toBeGreaterThanOrEqual(0.8 * 0.85 * perSecond)
  })
})

it.each([300, 1000, 5000])(
  'a rate of %i a second holds up no line that carries four mails at a time',
  async (perSecond) => {
    const readers = 400
    await start(readers)
    const clock = simulatedClock(Date.parse('2026-03-02T08:00:00Z'))
    const waiting: (() => void)[] = []
    let free = 4
    const taken: number[] = []
    const mailer: Platform['mailer'] = {
      ...fakeProvider(clock, { perSecond }),
      // As SMTP does: its instant is waited for with a connection in hand, after twenty milliseconds.
      async send(_message, _until, leave) {
        while (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
        free--
        await clock.sleep(20)
        const mayLeave = await leave?.()
        if (mayLeave) taken.push(clock.now())
        free++
        waiting.shift()?.()
        return mayLeave ? { status: 'sent' } : noRoom
      },
    }
    await clock.runUntil(
      deliverChunk({ ...scratch, mailer, now: () => new Date(clock.now()) }, runId, 0, clock),
    )
    expect(taken.length).toBe(readers)
    const seconds = ((taken.at(-1) ?? 0) - (taken[0] ?? 0)) / 1000
    expect(readers / seconds).toBeGreaterThan(130)
  },
)

it('a mail server that stands still for three seconds gets no crowd of mails afterwards', async () => {
  await start(40, 14)
  const taken: number[] = []
  let standsUntil = 0
  const sink = await smtpSink({
    options: {
      onMailFrom(_address, _session, callback) {
        if (taken.length === 10 && standsUntil === 0) standsUntil = Date.now() + 3000
        setTimeout(callback, Math.max(0, standsUntil - Date.now()))
      },
      onData(stream, _session, callback) {
        stream.resume()
        stream.on('end', () => {
          taken.push(Date.now())
          callback(null, 'Ok')
        })
      },
    },
  })
  const mailer = smtpMailer({ url: sink.url, now: scratch.now })
  await deliverChunk({ ...scratch, mailer }, runId, 0)
  mailer.close()
  await sink.close()
  expect(taken.length).toBeGreaterThan(14)
  const crowds = taken.map((at) => taken.filter((t) => t >= at && t < at + 1000).length)
  expect(Math.max(...crowds)).toBeLessThanOrEqual(14)
})
