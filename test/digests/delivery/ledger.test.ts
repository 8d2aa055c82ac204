import { describe, it } from 'vitest'
import { defaultSettings } from '../../../functions/settings/settings.ts'
import { startingNow } from '../../../functions/subscribers/choices.ts'
import { preferencesOf } from '../../../functions/subscribers/preferences.ts'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { deferredDigest, everyPost, isLong, outbox, search, smtp } from './ledger-search.ts'

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
