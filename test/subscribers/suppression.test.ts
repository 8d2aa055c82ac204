import { describe, expect, it } from 'vitest'
import { eraseSubscriber } from '../../functions/subscribers/erase.ts'
import { membershipRows } from '../../functions/subscribers/membership-rows.ts'
import type { Subscriber } from '../../functions/subscribers/subscriber.ts'
import { noteBounce, suppress } from '../../functions/subscribers/suppression.ts'
import { noted, readersPlatform } from './readers-platform.ts'

const ada = 'ada@example.org'

describe('suppress', () => {
  it('ends all mail and keeps the first reason', async () => {
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

describe('noteBounce', () => {
  it.each<[('soft' | 'ok')[], Subscriber['state']]>([
    [['soft', 'soft'], 'confirmed'],
    [['soft', 'soft', 'soft'], 'suppressed'],
    [['soft', 'ok', 'soft', 'ok', 'soft'], 'suppressed'],
    [['soft', 'soft', 'ok', 'ok', 'ok', 'soft'], 'confirmed'],
    [['soft', 'ok', 'ok', 'ok', 'ok', 'soft', 'soft'], 'confirmed'],
  ])('after %j the reader is %s', async (bounces, state) => {
    const { platform, join, idOf, readerOf } = await readersPlatform()
    await join(ada)
    for (const [i, what] of bounces.entries()) {
      await noteBounce(platform, idOf(ada), { delivery: `d${i}`, what })
    }
    expect((await readerOf(ada))?.state).toBe(state)
  })

  it('writes nothing for a reader who never bounced', async () => {
    const { platform, join, idOf } = await readersPlatform()
    await join(ada)
    const watched = noted(platform)
    await noteBounce(watched.platform, idOf(ada), { delivery: 'd', what: 'ok' })
    expect(watched.writes).toEqual([])
  })

  it('counts a delivery once, however often and in whatever order it is told of', async () => {
    const { platform, join, idOf, readerOf } = await readersPlatform()
    await join(ada)
    const note = (delivery: string) => noteBounce(platform, idOf(ada), { delivery, what: 'soft' })
    for (const delivery of ['a', 'a', 'b', 'a', 'b', 'b']) await note(delivery)
    expect(await readerOf(ada)).toMatchObject({
      state: 'confirmed',
      bounces: [
        { delivery: 'a', what: 'soft' },
        { delivery: 'b', what: 'soft' },
      ],
    })
    await note('c')
    expect(await readerOf(ada)).toMatchObject({ state: 'suppressed', reason: 'soft-bounces' })
  })
})
