import { describe, expect, it } from 'vitest'
import type { Delivery } from '../../../functions/digests/runs/run.ts'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { searchInterleavings } from '../../support/stepped-record-store.ts'
import { deferredDigest, everyPost, isLong, outbox, search, smtp } from './ledger-search.ts'
import { ledgerWorld, readerId } from './ledger-world.ts'

describe('proof that comes late (failure 19)', { timeout: 600_000 }, () => {
  const failed: Subscriber['note'] = {
    ...(deferredDigest.note as NonNullable<Subscriber['note']>),
    phase: 'failed',
  }
  const row: Delivery = {
    id: `run1_0_${readerId}_0`,
    run: 'run1',
    chunk: 0,
    subscriberId: readerId,
    outcome: 'failed',
    try: 0,
    sends: 1,
    from: 0,
    to: 1,
    at: '2026-03-02T07:59:30.000Z',
  }

  const retried = `run1_0_${readerId}_1`

  it('of a failed try ends the retry that is under way, and locks nobody out', async () => {
    for (const script of [[], ['deferred'], ['lost']] as const) {
      const world = ledgerWorld({
        mailer: { ...smtp, script },
        runs: [{ to: 1, gen: 1 }, { to: 2 }],
        reader: { note: failed },
        rows: [row],
      })
      await searchInterleavings(
        world.prepare,
        [
          world.worker('run1', 2),
          world.worker('run2', 1, []),
          world.evidenceActor(row.id),
          world.clockActor(121),
        ],
        async ({ store }) => {
          const before = (await world.read(store)).sent.length
          const proved = (await world.read(store)).rows.find(({ id }) => id === row.id)
          await world.driveToTheEnd(store)
          const end = await world.read(store)
          const say = `${script}: ${JSON.stringify(end, null, 1)}`
          expect(end.rows, say).toHaveLength(2)
          expect(['accepted', 'unknown'], say).toContain(end.rows[1]?.outcome)
          // Whose proof stood at the end of the retry is not mailed the same post by it.
          if (proved?.outcome === 'accepted' && before === 0) {
            expect(end.rows[0], say).toMatchObject({ outcome: 'accepted', id: row.id })
            const again = end.sent.filter(({ deliveryId }) => deliveryId === retried)
            expect(again, say).toEqual([])
          }
          expect(
            end.sent.filter(({ times }) => times > 1),
            say,
          ).toEqual([])
        },
        { kills: 0, preemptions: isLong ? 3 : 2 },
      )
    }
  })
})

describe('a run that is held while another comes to its reader (failure 20)', {
  timeout: 600_000,
}, () => {
  it('brings what it owes when it is resumed: a letter has no next run', async () => {
    for (const script of [[], ['deferred'], ['broken'], ['lost']] as const) {
      await search(
        {
          mailer: { ...outbox, script },
          runs: [{ to: 1, kind: 'letter', schedule: 'letter', id: 'letter_x' }, { to: 2 }],
          posts: [2],
        },
        (world) => [
          world.worker('letter_x', 2),
          world.worker('run2', 2, []),
          world.pauseActor('letter_x', 'paused', 'sending'),
          world.clockActor(121),
        ],
        everyPost(1, 2),
        0,
        isLong ? 3 : 2,
      )
    }
  })

  it('and so does a digest, or the one that came first has brought it', async () => {
    await search(
      { mailer: { ...outbox, script: ['deferred'] }, runs: [{ to: 1 }, { to: 2 }] },
      (world) => [
        world.worker('run1', 2),
        world.worker('run2', 1, []),
        world.pauseActor('run1', 'paused', 'sending'),
      ],
      everyPost(1, 2),
      0,
      isLong ? 3 : 2,
    )
  })
})
