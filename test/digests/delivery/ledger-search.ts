import { expect } from 'vitest'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { type Actor, searchInterleavings } from '../../support/stepped-record-store.ts'
import { faultsOf, type LedgerWorldOptions, ledgerWorld, type MailerRules } from './ledger-world.ts'

export const outbox: MailerRules = { hasEvidence: true }

export const smtp: MailerRules = { hasEvidence: false }

export type LedgerWorld = ReturnType<typeof ledgerWorld>

/** Minutes long, every order at all: `BROADSHEET_LONG_TESTS=1`. */
export const isLong = Boolean(process.env.BROADSHEET_LONG_TESTS)

/**
 * Searches the orders of the actors' steps and every death, and drives each to its end. In the short
 * run a worker that could go on is overtaken twice at most.
 */
export async function search(
  options: LedgerWorldOptions,
  actors: (world: LedgerWorld) => Actor[],
  check: (end: Awaited<ReturnType<LedgerWorld['read']>>) => string[] = () => [],
  kills = 0,
  preemptions = isLong ? Number.POSITIVE_INFINITY : 2,
  /** Sees the world when all actors have ended, before anybody visits the reader again. */
  checkAtOnce: typeof check = () => [],
): Promise<void> {
  const world = ledgerWorld(options)
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
  expect(orders).toBeGreaterThan(0)
}

export const everyPost = (...posts: number[]) => {
  return ({ sent }: Awaited<ReturnType<LedgerWorld['read']>>) => {
    const came = sent.flatMap((mail) => mail.posts).sort()
    return JSON.stringify(came) === JSON.stringify(posts) ? [] : [`posts ${came} came`]
  }
}

/** A digest that was refused for now, half a minute ago: the note stands, and no row. */
export const deferredDigest: Partial<Subscriber> = {
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
