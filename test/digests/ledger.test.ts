import { describe, expect, it } from 'vitest'
import type { Subscriber } from '../../functions/subscribers/subscriber.ts'
import { type Actor, searchInterleavings } from '../support/stepped-record-store.ts'
import { faultsOf, type LedgerWorldOptions, ledgerWorld, type MailerRules } from './ledger-world.ts'

const outbox: MailerRules = { hasEvidence: true }
const smtp: MailerRules = { hasEvidence: false }

type LedgerWorld = ReturnType<typeof ledgerWorld>

/** Searches every order of the actors' steps and every death, and drives each to its end. */
async function search(
  options: LedgerWorldOptions,
  actors: (world: LedgerWorld) => Actor[],
  check: (end: Awaited<ReturnType<LedgerWorld['read']>>) => string[] = () => [],
  kills = 0,
) {
  const world = ledgerWorld(options)
  return searchInterleavings(
    world.prepare,
    actors(world),
    async ({ store }) => {
      await world.driveToTheEnd(store)
      const end = await world.read(store)
      const faults = [...faultsOf(end, options.mailer), ...check(end)]
      if (end.rows.length !== options.runs.length) faults.push('a run has no row')
      if (faults.length > 0) throw new Error(`${faults.join('; ')}\n${JSON.stringify(end, null, 1)}`)
    },
    { kills },
  )
}

const everyPost = (...posts: number[]) => {
  return ({ sent }: Awaited<ReturnType<LedgerWorld['read']>>) => {
    const came = sent.flatMap((mail) => mail.posts).sort()
    return JSON.stringify(came) === JSON.stringify(posts) ? [] : [`posts ${came} came`]
  }
}

const leave = (reader: Subscriber): Subscriber => ({ ...reader, state: 'unsubscribed' })
const comeBack = (head: number) => (reader: Subscriber): Subscriber => ({
  ...reader,
  state: 'confirmed',
  categories: { '*': head },
})

describe('the ledger, every order of steps searched', () => {
  it('mails each post once, with two workers, a crash and a lease that runs out at any step', async () => {
    const runs = await search(
      { mailer: outbox, runs: [{ to: 1 }, { to: 2 }] },
      (world) => [world.worker('run1'), world.worker('run1'), world.clockActor(121)],
      everyPost(1, 2),
      1,
    )
    console.log('searched', runs)
    expect(runs).toBeGreaterThan(100)
  })
})
