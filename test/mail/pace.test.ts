import { afterEach, describe, expect, it } from 'vitest'
import { openPace } from '../../functions/mail/pace.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { type ScratchPlatform, scratchPlatform } from '../support/scratch-platform.ts'
import { modelRecordStore } from '../support/stepped-record-store.ts'
import { hour, rateOf, second, sendBulk, type World, worldWith } from './pace-world.ts'

describe('the pace of five processes', () => {
  it.each([
    [1, 40],
    [14, 40],
    [160, 20],
    [830, 10],
  ])(
    'use a quota of %i a second by 95 in 100 and more, and exceed it in no second of the provider’s',
    async (perSecond, seconds) => {
      const world = worldWith({ perSecond })
      const until = world.clock.now() + seconds * second
      const failed = await world.clock.runUntil(sendBulk(world, { until }))
      const { provider } = world
      expect(provider.throttled).toEqual([])
      expect(provider.most()).toBeLessThanOrEqual(perSecond)
      expect(rateOf(provider.taken) / perSecond).toBeGreaterThanOrEqual(0.95)
      expect(failed).toBe(0)
      // A write for some mails, however many processes there are, and few when nothing may leave.
      expect(world.writes() / seconds).toBeLessThan(perSecond / 2 + 40)
    },
    60_000,
  )

  it.each([14, 160])(
    'send no burst at %i a second after all of them stood still for half a second',
    async (perSecond) => {
      const world = worldWith({ perSecond })
      const { clock, provider } = world
      const started = clock.now()
      // A full disk's hiccup, a collection of garbage: claims end together.
      const stall = { from: started + 5000, to: started + 5500 }
      await clock.runUntil(sendBulk(world, { until: started + 10_000, stall }))
      expect(provider.throttled).toEqual([])
      expect(provider.most()).toBeLessThanOrEqual(perSecond)
      expect(rateOf(provider.taken) / perSecond).toBeGreaterThan(0.85)
    },
    60_000,
  )

  it('use it as well when they have hardly more hands than needed', async () => {
    const world = worldWith({ perSecond: 160 })
    const until = world.clock.now() + 20 * second
    await world.clock.runUntil(sendBulk(world, { until, atATime: 12 }))
    expect(world.provider.most()).toBeLessThanOrEqual(160)
    expect(rateOf(world.provider.taken) / 160).toBeGreaterThanOrEqual(0.95)
  }, 60_000)

  it.each([
    [14, 5],
    [14, 1],
    [160, 5],
    [160, 1],
    [830, 5],
  ])(
    'use %i a second as well when claims take long (%i processes)',
    async (perSecond, processes) => {
      const world = worldWith({ perSecond })
      const started = world.clock.now()
      const until = started + 20 * second
      await world.clock.runUntil(sendBulk(world, { until, processes, claimMs: [100, 250] }))
      expect(world.provider.throttled).toEqual([])
      // The first claims take long, too.
      const taken = world.provider.taken.filter((at) => at > started + 3 * second)
      expect(rateOf(taken) / perSecond).toBeGreaterThanOrEqual(0.95)
    },
    60_000,
  )

  it.each([
    [1, 600],
    [1, 1100],
    [2, 600],
    [5, 600],
  ])(
    'use %i a second as well when a mail is ready only %i ms after its right was given',
    async (perSecond, readyMs) => {
      const world = worldWith({ perSecond }, { delay: [100, 140], answer: [100, 300] })
      const started = world.clock.now()
      const until = started + 120 * second
      const claimMs = [0.75 * readyMs, 1.25 * readyMs] as const
      const few = { processes: 1, atATime: 16, claimMs }
      const failed = await world.clock.runUntil(sendBulk(world, { until, ...few }))
      expect(world.provider.throttled).toEqual([])
      const taken = world.provider.taken.filter((at) => at > started + 5 * second)
      expect(rateOf(taken) / perSecond).toBeGreaterThanOrEqual(0.93)
      // Few find no instant in time and come again.
      expect(failed / taken.length).toBeLessThan(0.05)
    },
    60_000,
  )

  it.each([
    [14, 160],
    [160, 14],
  ])(
    'follow a quota of %i that becomes %i within 60 seconds',
    async (before, after) => {
      const world = worldWith({ perSecond: before })
      const { clock, provider } = world
      const changeAt = clock.now() + 10 * second
      const until = changeAt + 80 * second
      // What a provider says may be 45 seconds old.
      const told = provider.quota
      provider.quota = async () =>
        clock.now() < changeAt + 45 * second ? { perSecond: before } : told()
      const changing = clock.sleep(10 * second).then(() => {
        provider.limits = { perSecond: after }
      })
      await clock.runUntil(Promise.all([sendBulk(world, { until, atATime: 16 }), changing]))
      const followed = changeAt + 60 * second
      expect(provider.throttled.filter((at) => at > followed)).toEqual([])
      expect(rateOf(provider.taken.filter((at) => at > followed)) / after).toBeGreaterThanOrEqual(
        0.95,
      )
    },
    60_000,
  )

  it('go on by themselves when a used-up day has passed, and never ask for more than a day holds', async () => {
    const perDay = 3000
    const world = worldWith({ perSecond: 14, perDay })
    const { clock, provider } = world
    const started = clock.now()
    await clock.runUntil(sendBulk(world, { until: started + 51 * hour, processes: 3, atATime: 4 }))
    expect(provider.throttled).toEqual([])
    // All of each day's share was used within minutes, three times.
    const within = (from: number, to: number) =>
      provider.taken.filter((at) => at >= started + from && at < started + to).length
    for (const day of [0, 1, 2]) {
      // Mails of the same ten minutes leave the count together.
      const from = day * (24 * hour + 600 * second)
      expect(within(from, from + hour) / perDay).toBeGreaterThan(0.95)
    }
  }, 60_000)

  it('leave what other senders of the account use of the day', async () => {
    const world = worldWith({ perSecond: 50, perDay: 1000 })
    const { clock, provider } = world
    provider.quota = async () => ({
      perSecond: 50,
      perDay: 1000,
      sentLastDay: 600 + provider.taken.length,
    })
    await clock.runUntil(sendBulk(world, { until: clock.now() + 60 * second, processes: 3 }))
    expect(provider.taken.length).toBeLessThanOrEqual(400)
    expect(provider.taken.length).toBeGreaterThan(350)
  })
})

describe('what a person waits for', () => {
  it.each([
    [1, 2],
    [14, 25],
    [160, 100],
  ])(
    'leaves within 10 seconds while bulk uses all of %i a second, and both together keep to it',
    async (perSecond, mails) => {
      const world = worldWith({ perSecond })
      const { clock, provider } = world
      const until = clock.now() + 20 * second
      const waited: number[] = []
      const confirm = async (after: number) => {
        await clock.sleep(after)
        const asked = clock.now()
        const right = await world.openProcess().takeAhead()
        if (typeof right === 'string') throw new Error(right)
        expect(await right.leave()).toBe(true)
        waited.push(clock.now() - asked)
        await provider.send({} as never, new Date(0))
        right.answered()
      }
      const confirming = Array.from({ length: mails }, (_, i) => confirm(3000 + (i % 5) * 700))
      await clock.runUntil(Promise.all([sendBulk(world, { until }), ...confirming]))
      expect(Math.max(...waited)).toBeLessThan(10 * second)
      expect(provider.throttled).toEqual([])
      expect(provider.most()).toBeLessThanOrEqual(perSecond)
      expect(rateOf(provider.taken) / perSecond).toBeGreaterThanOrEqual(0.94)
    },
    60_000,
  )

  it('leaves half of the pace to bulk, however many come at once', async () => {
    const world = worldWith({ perSecond: 14 })
    const { clock, provider } = world
    let late = 0
    let ahead = 0
    const confirm = async () => {
      const right = await world.openProcess().takeAhead()
      if (typeof right === 'string') {
        late++
        return
      }
      if (!(await right.leave())) return
      ahead++
      await provider.send({} as never, new Date(0))
      right.answered()
    }
    const until = clock.now() + 9 * second
    await clock.runUntil(
      Promise.all([sendBulk(world, { until }), ...Array.from({ length: 300 }, confirm)]),
    )
    expect(ahead).toBeGreaterThan(50)
    expect(provider.taken.length - ahead).toBeGreaterThan(40)
    // They are told at once and come again.
    expect(late).toBe(300 - ahead)
    expect(provider.most()).toBeLessThanOrEqual(14)
  })

  it('may use what bulk leaves of a day', async () => {
    const world = worldWith({ perDay: 200 })
    const { clock, provider } = world
    const pace = world.openProcess()
    await clock.runUntil(sendBulk(world, { until: clock.now() + 10 * second, processes: 2 }))
    expect(provider.taken).toHaveLength(194)
    const outcomes: string[] = []
    for (let i = 0; i < 8; i++) {
      const right = await clock.runUntil(pace.takeAhead())
      outcomes.push(typeof right === 'string' ? right : 'right')
    }
    expect(outcomes.filter((outcome) => outcome === 'right')).toHaveLength(6)
    expect(outcomes.at(-1)).toBe('spent')
  })
})

describe('a right to send', () => {
  it('that is given back is the next one’s, and costs nothing of the day', async () => {
    const world = worldWith({ perSecond: 2, perDay: 100 })
    const { clock } = world
    const pace = world.openProcess()
    const started = clock.now()
    await clock.runUntil(
      (async () => {
        for (let i = 0; i < 500; i++) {
          const right = await pace.take(5000)
          if (typeof right === 'string') throw new Error(right)
          await clock.sleep(2)
          right.giveBack()
        }
        await pace.release()
      })(),
    )
    // Readers who are owed nothing are gone through much faster than mail may leave.
    expect(clock.now() - started).toBeLessThan(30 * second)
    let left = 0
    await clock.runUntil(
      (async () => {
        while (typeof (await pace.take(60_000)) !== 'string') if (++left === 97) break
      })(),
    )
    expect(left).toBe(97)
  })

  it('is not given out while the provider wants quiet', async () => {
    const world = worldWith({ perSecond: 100 })
    const { clock } = world
    const pace = world.openProcess()
    const started = clock.now()
    expect(pace.hold(3)).toBe(true)
    expect(pace.hold(3)).toBe(false)
    await clock.runUntil(pace.take(10_000))
    expect(clock.now() - started).toBeGreaterThanOrEqual(3000)
    pace.hold(3)
    expect(await clock.runUntil(pace.take(1000))).toBe('late')
  })

  it('comes again after the clock was set back by a day', async () => {
    const world = worldWith({ perSecond: 50 })
    const { clock, provider } = world
    let shift = 0
    const jumping: World = {
      ...world,
      clock: { ...clock, now: () => clock.now() + shift },
    }
    const platform = {
      records: modelRecordStore(),
      mailer: provider,
      settings: defaultSettings,
      now: () => new Date(jumping.clock.now()),
    }
    const pace = openPace(platform, jumping.clock)
    let rights = 0
    await clock.runUntil(
      (async () => {
        for (const by of [0, -24 * hour, 24 * hour]) {
          shift += by
          for (let i = 0; i < 20; i++) {
            const right = await pace.take(5000)
            if (typeof right === 'string') throw new Error(right)
            if (await right.leave()) rights++
            right.answered()
          }
        }
      })(),
    )
    expect(rights).toBe(60)
  })
})

describe('in real time', () => {
  let platform: ScratchPlatform
  afterEach(() => platform.close())

  it('two processes’ worth of workers on one database never send more than 200 within a second', async () => {
    platform = await scratchPlatform()
    const sent: number[] = []
    const mailer = { ...platform.mailer, quota: async () => ({ perSecond: 200 }) }
    // More than a second's, however long a busy machine takes for them.
    const enough = 300
    await Promise.all(
      Array.from({ length: 2 }, async () => {
        const pace = openPace({ ...platform, mailer })
        const work = async () => {
          while (sent.length < enough) {
            const right = await pace.take(5000)
            if (typeof right === 'string' || !(await right.leave())) continue
            sent.push(Date.now())
            right.answered()
          }
        }
        await Promise.all(Array.from({ length: 20 }, work))
      }),
    )
    let most = 0
    for (let first = 0, last = 0; last < sent.length; last++) {
      while ((sent[last] as number) - (sent[first] as number) >= 1000) first++
      most = Math.max(most, last - first + 1)
    }
    expect(most).toBeLessThanOrEqual(200)
  })
})
