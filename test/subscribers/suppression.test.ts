import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eraseSubscriber } from '../../functions/subscribers/erase.ts'
import { importSubscribers } from '../../functions/subscribers/import-subscribers.ts'
import { membershipRows } from '../../functions/subscribers/membership-rows.ts'
import { changeSubscriber } from '../../functions/subscribers/memberships.ts'
import type { Subscriber } from '../../functions/subscribers/subscriber.ts'
import {
  noteSoftBounce,
  type SuppressionReason,
  suppress,
} from '../../functions/subscribers/suppression.ts'
import { readersPlatform } from './readers-platform.ts'

const ada = 'ada@example.org'

describe('suppress', () => {
  it('ends all mail and keeps the weightiest reason', async () => {
    const { platform, join, idOf, readerOf } = await readersPlatform()
    const reader = await join(ada)
    await suppress(platform, idOf(ada), 'hard-bounce')
    await suppress(platform, idOf(ada), 'complaint')
    expect(await readerOf(ada)).toMatchObject({ state: 'suppressed', reason: 'hard-bounce' })
    const rows = await platform.records.getMany(membershipRows(reader))
    expect(rows.every((row) => row === undefined)).toBe(true)
  })

  it('leaves an erased reader erased, and an unknown one unknown', async () => {
    const { platform, join, idOf, readerOf } = await readersPlatform()
    await join(ada)
    await eraseSubscriber(platform, idOf(ada))
    await suppress(platform, idOf(ada), 'complaint')
    expect((await readerOf(ada))?.reason).toBe('erased')
    await suppress(platform, idOf('nobody@example.org'), 'complaint')
    expect(await readerOf('nobody@example.org')).toBeUndefined()
  })
})

describe('soft bounces', () => {
  it.each<[('soft' | 'ok')[], Subscriber['state']]>([
    [['soft', 'soft'], 'confirmed'],
    [['soft', 'soft', 'soft'], 'suppressed'],
    [['soft', 'ok', 'soft', 'ok', 'soft'], 'suppressed'],
    [['soft', 'soft', 'ok', 'ok', 'ok', 'soft'], 'confirmed'],
    [['soft', 'ok', 'ok', 'ok', 'ok', 'soft', 'soft'], 'confirmed'],
  ])('after mails that went %j the reader is %s', async (mails, state) => {
    const { platform, join, idOf, readerOf } = await readersPlatform()
    await join(ada)
    for (const [i, what] of mails.entries()) {
      if (what === 'soft') await noteSoftBounce(platform, idOf(ada), i + 1)
    }
    expect((await readerOf(ada))?.state).toBe(state)
  })

  it('of long ago are neither counted nor kept', async () => {
    const { platform, join, idOf, readerOf } = await readersPlatform()
    await join(ada)
    const mailed = (mails: number) =>
      changeSubscriber(platform, idOf(ada), (current) => current && { ...current, mails })
    await mailed(3)
    await noteSoftBounce(platform, idOf(ada), 2)
    await mailed(300)
    await noteSoftBounce(platform, idOf(ada), 3)
    await noteSoftBounce(platform, idOf(ada), 299)
    expect(await readerOf(ada)).toMatchObject({ state: 'confirmed', softBounces: [299] })
  })
})

type Event = { what: 'soft'; mail: number } | { what: SuppressionReason }

const events = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ what: fc.constant('soft' as const), mail: fc.nat(40) }) },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constantFrom('hard-bounce' as const, 'complaint' as const) }),
    },
  ),
  { maxLength: 14 },
)

/** A list, and the same events once more in another order, some of them more than once. */
const twice = events.chain((list) =>
  fc.tuple(
    fc.constant(list as Event[]),
    fc.subarray(list as Event[]).chain((again) =>
      fc.shuffledSubarray([...(list as Event[]), ...again], {
        minLength: list.length + again.length,
      }),
    ),
  ),
)

describe('what is known of an address', () => {
  it('is the same whatever order its events come in, and however often each', async () => {
    const { platform, join, idOf, readerOf } = await readersPlatform()
    const start = await join(ada)
    const outcomeOf = async (list: readonly Event[]) => {
      await changeSubscriber(platform, idOf(ada), () => start)
      for (const event of list) {
        if (event.what === 'soft') await noteSoftBounce(platform, idOf(ada), event.mail)
        else await suppress(platform, idOf(ada), event.what)
      }
      return readerOf(ada)
    }
    let suppressed = 0
    await fc.assert(
      fc.asyncProperty(twice, async ([list, other]) => {
        const one = await outcomeOf(list)
        expect(await outcomeOf(other)).toEqual(one)
        if (one?.state === 'suppressed') suppressed++
      }),
      { numRuns: 150 },
    )
    expect(suppressed).toBeGreaterThan(10)
  })

  it('is never forgotten by an import, whatever the file says', async () => {
    const { platform, join, idOf, readerOf } = await readersPlatform()
    const start = await join(ada)
    const row = fc.record({
      email: fc.constantFrom(ada, 'ADA@example.org', ' ada@EXAMPLE.org', 'bob@example.org'),
      cadence: fc.constantFrom('instant', 'daily', 'weekly', ''),
      confirmedAt: fc.constantFrom('', '2020-01-01T00:00:00Z', '2026-03-02T07:59:59Z'),
      consent: fc.constantFrom('', 'a form', 'they begged for it'),
    })
    const reasons = fc.constantFrom<SuppressionReason>('hard-bounce', 'complaint', 'soft-bounces')
    await fc.assert(
      fc.asyncProperty(
        reasons,
        fc.array(row, { minLength: 1, maxLength: 6 }),
        async (reason, rows) => {
          await changeSubscriber(platform, idOf(ada), () => start)
          await suppress(platform, idOf(ada), reason)
          const before = await readerOf(ada)
          const file = [
            'email,cadence,confirmedAt,consent',
            ...rows.map((one) => Object.values(one).join(',')),
          ].join('\n')
          const chunks = new Blob([`${file}\n`]).stream()
          for await (const line of importSubscribers(platform, chunks)) {
            if (line.id === idOf(ada)) expect(line.outcome).toMatch(/suppressed|refused/)
          }
          await platform.settle()
          expect(await readerOf(ada)).toEqual(before)
        },
      ),
      { numRuns: 40 },
    )
  })
})
