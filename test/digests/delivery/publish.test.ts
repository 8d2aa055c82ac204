import { afterEach, beforeEach, expect, it } from 'vitest'
import { publish } from '../../../functions/digests/delivery/ledger.ts'
import type { Delivery, DeliveryState } from '../../../functions/digests/runs/run.ts'
import { getRow } from '../../../functions/digests/runs/run-store.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'

let platform: ScratchPlatform
beforeEach(async () => {
  platform = await scratchPlatform()
})
afterEach(() => platform.close())

type Entry = [outcome: DeliveryState, attempt: number, sends: number]

function rowOf([outcome, attempt, sends]: Entry): Delivery & { expires: string } {
  return {
    id: `run_0_ada_${attempt}`,
    run: 'run',
    chunk: 0,
    subscriberId: 'ada',
    outcome,
    try: attempt,
    sends,
    to: 1,
    at: '2026-03-02T08:00:00.000Z',
    expires: '2027-03-02T08:00:00.000Z',
  }
}

it.each<{ why: string; rows: Entry[]; stands: Entry }>([
  {
    why: 'the first end stands',
    rows: [
      ['accepted', 0, 1],
      ['failed', 0, 1],
    ],
    stands: ['accepted', 0, 1],
  },
  {
    why: 'empty stays empty',
    rows: [
      ['empty', 0, 0],
      ['accepted', 0, 1],
    ],
    stands: ['empty', 0, 0],
  },
  {
    why: 'suppressed stays',
    rows: [
      ['suppressed', 0, 0],
      ['accepted', 1, 1],
    ],
    stands: ['suppressed', 0, 0],
  },
  {
    why: 'proof settles what nobody could tell',
    rows: [
      ['unknown', 0, 1],
      ['accepted', 0, 1],
    ],
    stands: ['accepted', 0, 1],
  },
  {
    why: 'proof outweighs a refusal',
    rows: [
      ['failed', 0, 2],
      ['accepted', 0, 1],
    ],
    stands: ['accepted', 0, 2],
  },
  {
    why: 'nobody can tell is no news',
    rows: [
      ['accepted', 0, 1],
      ['unknown', 0, 2],
    ],
    stands: ['accepted', 0, 1],
  },
  {
    why: 'a retry replaces what failed',
    rows: [
      ['failed', 0, 1],
      ['accepted', 1, 1],
    ],
    stands: ['accepted', 1, 1],
  },
  {
    why: 'an earlier try replaces nothing',
    rows: [
      ['failed', 1, 1],
      ['accepted', 0, 1],
    ],
    stands: ['failed', 1, 1],
  },
  {
    why: 'a later try replaces nothing but what failed',
    rows: [
      ['unknown', 0, 1],
      ['accepted', 1, 1],
    ],
    stands: ['unknown', 0, 1],
  },
  {
    why: 'two acceptances are two sends',
    rows: [
      ['accepted', 0, 1],
      ['accepted', 0, 1],
    ],
    stands: ['accepted', 0, 2],
  },
  {
    why: 'the larger count stays',
    rows: [
      ['accepted', 0, 3],
      ['accepted', 0, 1],
    ],
    stands: ['accepted', 0, 3],
  },
])(
  'a settled delivery stays as it is, but for proof and a later try: $why',
  async ({ rows, stands }) => {
    for (const row of rows) await publish(platform, rowOf(row))
    const {
      outcome,
      try: attempt,
      sends,
    } = (await getRow(platform, 'run', 0, 'ada'))?.value as Delivery
    expect([outcome, attempt, sends]).toEqual(stands)
  },
)
