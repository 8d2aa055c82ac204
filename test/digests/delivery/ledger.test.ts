import { describe, expect, it } from 'vitest'
import type { Delivery } from '../../../functions/digests/runs/run.ts'
import { defaultSettings } from '../../../functions/settings.ts'
import { startingNow } from '../../../functions/subscribers/choices.ts'
import { preferencesOf } from '../../../functions/subscribers/preferences.ts'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { type Actor, searchInterleavings } from '../../support/stepped-record-store.ts'
import {
  faultsOf,
  type LedgerWorldOptions,
  ledgerWorld,
  type MailerRules,
  readerId,
} from './ledger-world.ts'

const outbox: MailerRules = { hasEvidence: true }
const smtp: MailerRules = { hasEvidence: false }

type LedgerWorld = ReturnType<typeof ledgerWorld>

/** Minutes long, every order at all: `BROADSHEET_LONG_TESTS=1`. */
const isLong = Boolean(process.env.BROADSHEET_LONG_TESTS)

/**
 * Searches the orders of the actors' steps and every death, and drives each to its end. In the short
 * run a worker that could go on is overtaken twice at most.
 */
async function search(
  options: LedgerWorldOptions,
  actors: (world: LedgerWorld) => Actor[],
  check: (end: Awaited<ReturnType<LedgerWorld['read']>>) => string[] = () => [],
  kills = 0,
  preemptions = isLong ? Number.POSITIVE_INFINITY : 2,
  /** Sees the world when all actors have ended, before anybody visits the reader again. */
  checkAtOnce: typeof check = () => [],
) {
  const world = ledgerWorld(options)
  const started = performance.now()
  const orders = await searchInterleavings(
    world.prepare,
    actors(world),
    async ({ store }) => {
      const early = checkAtOnce(await world.read(store))
      await world.driveToTheEnd(store)
      const end = await world.read(store)
      const faults = [...early, ...faultsOf(end, options.mailer), ...check(end)]
      if (end.rows.length !== options.runs.length) faults.push('a run has no row')
      if (faults.length > 0)
        throw new Error(`${faults.join('; ')}\n${JSON.stringify(end, null, 1)}`)
    },
    { kills, preemptions },
  )
  if (process.env.SHOW)
    console.log(`ORDERS ${orders} ${Math.round(performance.now() - started)} ms`)
  return orders
}

const everyPost = (...posts: number[]) => {
  return ({ sent }: Awaited<ReturnType<LedgerWorld['read']>>) => {
    const came = sent.flatMap((mail) => mail.posts).sort()
    return JSON.stringify(came) === JSON.stringify(posts) ? [] : [`posts ${came} came`]
  }
}

/** A digest that was refused for now, half a minute ago: the note stands, and no row. */
const deferredDigest: Partial<Subscriber> = {
  watermark: 1,
  note: {
    run: 'run1',
    chunk: 0,
    try: 0,
    from: 0,
    to: 1,
    token: 'first',
    at: '2026-03-02T07:59:30.000Z',
    born: '2026-03-02T07:59:30.000Z',
    phase: 'deferred',
    sends: 1,
    doubt: false,
    retryAfter: '2026-03-02T08:00:30.000Z',
    expires: '2027-03-02T08:00:00.000Z',
  },
}

describe('the ledger, every order of steps searched', { timeout: 180_000 }, () => {
  it('mails each post once, with two workers, a death and a lease that runs out at any step', async () => {
    await search(
      { mailer: outbox, runs: [{ to: 1 }, { to: 2 }] },
      (world) => [world.worker('run1'), world.worker('run1'), world.clockActor(121)],
      everyPost(1, 2),
      1,
    )
  })

  it('mails each post once, with workers of two runs side by side', async () => {
    await search(
      { mailer: outbox, runs: [{ to: 1 }, { to: 2 }] },
      (world) => [world.worker('run1'), world.worker('run2'), world.clockActor(121)],
      everyPost(1, 2),
      1,
    )
  })

  it('never doubles a mail without evidence, and holds as unknown what nobody can tell', async () => {
    await search(
      { mailer: smtp, runs: [{ to: 1 }, { to: 2 }] },
      (world) => [world.worker('run1'), world.worker('run1'), world.clockActor(121)],
      undefined,
      1,
    )
  })

  it('takes no refusal of a second send as proof about the first (failure 3)', async () => {
    await search(
      {
        mailer: { ...smtp, unclear: 'resend', script: ['lost', 'rejected'] },
        runs: [{ to: 1 }, { to: 2 }],
      },
      (world) => [world.worker('run1', 2), world.clockActor(121)],
    )
  })

  it('shows in `sends` that a mail may have gone out twice, as two may judge one claim (failures 2, 15)', async () => {
    await search(
      { mailer: { ...smtp, unclear: 'resend' }, runs: [{ to: 1 }, { to: 2 }] },
      (world) => [world.worker('run1'), world.worker('run1'), world.clockActor(121)],
      undefined,
      1,
    )
  })

  it('says so with the second acceptance, before anybody looks at the reader again', async () => {
    await search(
      { mailer: { ...smtp, unclear: 'resend' }, runs: [{ to: 1 }] },
      (world) => [world.worker('run1'), world.worker('run1'), world.clockActor(121)],
      undefined,
      0,
      undefined,
      ({ rows, sent }) => {
        const twice = new Set(sent.filter(({ times }) => times > 1).map((mail) => mail.deliveryId))
        return rows
          .filter(({ id, outcome, sends }) => twice.has(id) && outcome === 'accepted' && sends < 2)
          .map(({ id }) => `${id} was accepted twice and its row says once`)
      },
    )
  })

  it('sends nothing again whose row came before the claim was taken over', async () => {
    await search({ mailer: { ...smtp, unclear: 'resend' }, runs: [{ to: 1 }] }, (world) => [
      world.worker('run1'),
      world.worker('run1'),
      world.clockActor(121),
    ])
  })

  it('gives the posts of a failed delivery to the next run, whatever dies in between (failure 1)', async () => {
    await search(
      { mailer: { ...outbox, script: ['rejected'] }, runs: [{ to: 1 }, { to: 2 }] },
      (world) => [world.worker('run1'), world.worker('run2')],
      undefined,
      1,
    )
  })

  it('mails nobody whose row says otherwise when the reader comes back (failure 4)', async () => {
    await search(
      { mailer: outbox, runs: [{ to: 1 }, { to: 2 }], reader: { state: 'unsubscribed' } },
      (world) => [
        world.worker('run1'),
        world.worker('run1'),
        world.readerActor((reader) => ({ ...reader, state: 'confirmed' })),
      ],
    )
  })

  it('lets nobody send past the end of a lease that another has judged (failure 16)', async () => {
    await search({ mailer: outbox, runs: [{ to: 1 }, { to: 2 }] }, (world) => [
      world.worker('run1'),
      world.worker('run1'),
      world.readerActor((reader) => ({ ...reader, state: 'unsubscribed' })),
      world.clockActor(121),
    ])
  })

  it('keeps the note of a mail in flight while the reader leaves and comes back (failure 14)', async () => {
    const leave = (reader: Subscriber): Subscriber => ({ ...reader, state: 'unsubscribed' })
    const comeBack = (reader: Subscriber) =>
      startingNow(reader, preferencesOf(reader, defaultSettings), 0)
    await search(
      { mailer: outbox, runs: [{ to: 1 }, { to: 2 }] },
      (world) => [world.worker('run1'), world.readerActor(leave, comeBack)],
      undefined,
      1,
    )
  })

  it('ends as empty for one who moves to another schedule, and moves nothing', async () => {
    const move = (schedule: string) => (reader: Subscriber) => ({ ...reader, schedule })
    await search({ mailer: outbox, runs: [{ to: 1 }, { to: 2, schedule: 'weekly' }] }, (world) => [
      world.worker('run1'),
      world.worker('run2'),
      world.readerActor(move('weekly')),
    ])
  })

  it('lets a later digest take the place of a deferred one, and lose nothing of it', async () => {
    await search(
      { mailer: outbox, runs: [{ to: 1 }, { to: 2 }], reader: deferredDigest },
      (world) => [world.worker('run1'), world.worker('run2'), world.clockActor(31, 121)],
      everyPost(1, 2),
    )
  })

  it('lets no older run and no letter push a deferred digest aside (failure 17)', async () => {
    await search(
      {
        mailer: outbox,
        runs: [
          { to: 1 },
          { to: 0, id: 'older' },
          { to: 2, kind: 'letter', schedule: 'letter', id: 'letter_x' },
        ],
        posts: [1],
        reader: deferredDigest,
      },
      (world) => [
        world.worker('older'),
        world.worker('letter_x'),
        world.worker('run1'),
        world.clockActor(31),
      ],
      everyPost(1, 2),
    )
  })

  it('lets no digest push a deferred letter aside (failure 17)', async () => {
    const note = { ...deferredDigest.note, run: 'letter_x' } as NonNullable<Subscriber['note']>
    const { from: _, ...letterNote } = note
    await search(
      {
        mailer: outbox,
        runs: [{ to: 1, kind: 'letter', schedule: 'letter', id: 'letter_x' }, { to: 2 }],
        posts: [2],
        reader: { watermark: 0, note: letterNote },
      },
      (world) => [world.worker('letter_x'), world.worker('run2'), world.clockActor(31)],
      everyPost(1, 2),
      1,
    )
  })

  it('sends a letter once beside the digests (failure 6)', async () => {
    await search(
      {
        mailer: smtp,
        runs: [{ to: 2 }, { to: 3, kind: 'letter', schedule: 'letter', id: 'letter_x' }],
      },
      (world) => [world.worker('letter_x'), world.worker('run1'), world.worker('letter_x')],
      everyPost(1, 2, 3),
    )
  })

  it('waits out a refusal for now, and a broken connection, without a second copy', async () => {
    for (const script of [['deferred'], ['broken'], ['lost'], ['deferred', 'lost']] as const) {
      await search(
        { mailer: { ...outbox, script }, runs: [{ to: 1 }, { to: 2 }] },
        (world) => [world.worker('run1', 2), world.worker('run2'), world.clockActor(121)],
        everyPost(1, 2),
      )
    }
  })

  it('tries a failed delivery again under a new id, and only what is still owed (failure 5)', async () => {
    await search(
      {
        mailer: { ...outbox, script: ['rejected'] },
        runs: [{ to: 1, gen: 1 }, { to: 2 }],
        reader: {
          note: {
            ...(deferredDigest.note as NonNullable<Subscriber['note']>),
            phase: 'failed',
          },
        },
      },
      (world) => [world.worker('run1'), world.worker('run2'), world.clockActor(121)],
    )
  })
})

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

describe.runIf(isLong)('larger instances of the ledger', () => {
  const minutes = 30 * 60_000
  // Every order of these is a matter of hours: workers are overtaken three times at most.
  const preemptions = 3

  it('three workers and a clock', { timeout: minutes }, async () => {
    for (const mailer of [outbox, smtp, { ...smtp, unclear: 'resend' } as const]) {
      await search(
        { mailer, runs: [{ to: 1 }, { to: 2 }] },
        (world) => [
          world.worker('run1'),
          world.worker('run1'),
          world.worker('run2'),
          world.clockActor(121),
        ],
        undefined,
        0,
        preemptions,
      )
    }
  })

  it('two workers, a reader who leaves and comes back, a clock', { timeout: minutes }, async () => {
    const leave = (reader: Subscriber): Subscriber => ({ ...reader, state: 'unsubscribed' })
    const comeBack = (reader: Subscriber) =>
      startingNow(reader, preferencesOf(reader, defaultSettings), 0)
    await search(
      { mailer: outbox, runs: [{ to: 1 }, { to: 2 }] },
      (world) => [
        world.worker('run1'),
        world.worker('run2'),
        world.readerActor(leave, comeBack),
        world.clockActor(121),
      ],
      undefined,
      0,
      preemptions,
    )
  })

  it('a deferred digest, a later one, a death, a clock', { timeout: minutes }, async () => {
    await search(
      { mailer: outbox, runs: [{ to: 1 }, { to: 2 }], reader: deferredDigest },
      (world) => [world.worker('run1'), world.worker('run2'), world.clockActor(31, 121)],
      everyPost(1, 2),
      1,
      preemptions,
    )
  })
})
