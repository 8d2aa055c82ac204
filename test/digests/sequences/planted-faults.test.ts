import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { everything, recordKeys } from '../../../functions/keys.ts'
import type { RecordStore } from '../../../functions/platform.ts'
import { type LogEntry, readLog, readLogHead } from '../../../functions/posts/log.ts'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { listInLog } from '../../support/list-in-log.ts'
import { type Actor, type Choice, runStepped } from '../../support/stepped-record-store.ts'
import { faultsOf, ledgerWorld } from '../delivery/ledger-world.ts'
import { playCalmDays } from './calm-days.ts'
import { beginnings, calmSteps, refusedSteps, stormySteps } from './newsroom-steps.ts'
import { storm } from './storm.ts'

/** The searches of this folder are worth what they find: each fault is put in, and must be found. */

const planted = vi.hoisted(() => ({ fault: '' }))

vi.mock(import('../../../functions/digests/delivery/ledger.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    sendClaimed: async (ledger, readerId, note, message) => {
      if (planted.fault === 'settled before the send') {
        await real.publish(ledger.platform, real.rowOf(ledger.platform, note, readerId, 'accepted'))
      }
      return real.sendClaimed(ledger, readerId, note, message)
    },
  }
})

vi.mock(import('../../../functions/subscribers/store.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    putSubscriber: async (platform, value, version) => {
      const { note } = value
      const isFlying = note?.phase === 'fly'
      if (planted.fault === 'judged without take-over' && isFlying && note.sends > 1 && version) {
        return { status: 'stored', version }
      }
      if (planted.fault === 'watermark not moved' && isFlying && note.from !== undefined) {
        return real.putSubscriber(platform, { ...value, watermark: note.from }, version)
      }
      return real.putSubscriber(platform, value, version)
    },
  }
})

vi.mock(import('../../../functions/digests/editions/owed.ts'), async (original) => {
  const real = await original()
  const fromTheBeginning = (reader: Pick<Subscriber, 'categories'>) => ({
    categories: Object.fromEntries(Object.keys(reader.categories).map((slug) => [slug, 0])),
  })
  const seen = <T extends Pick<Subscriber, 'categories'>>(reader: T) =>
    planted.fault === '`since` ignored' ? { ...reader, ...fromTheBeginning(reader) } : reader
  return {
    ...real,
    owedPosts: (reader, ...rest) => real.owedPosts(seen(reader), ...rest),
    floorOf: (reader, from) => real.floorOf(seen(reader), from),
  }
})

vi.mock(import('../../../functions/digests/delivery/claim.ts'), async (original) => {
  const real = await original()
  const { getRow } = await import('../../../functions/digests/runs/run-store.ts')
  const { getSubscriber, putSubscriber } = await import('../../../functions/subscribers/store.ts')
  return {
    ...real,
    deliverTo: async (ledger, readerId) => {
      const { platform, run, chunk } = ledger
      const row =
        planted.fault === 'window given back twice'
          ? (await getRow(platform, run.id, chunk, readerId))?.value
          : undefined
      const item = row && (await getSubscriber(platform, readerId))
      if (item && row.from !== undefined && row.outcome === 'failed' && row.try < run.gen) {
        await putSubscriber(platform, { ...item.value, watermark: row.from }, item.version)
      }
      return real.deliverTo(ledger, readerId)
    },
  }
})

vi.mock(import('../../../functions/posts/log.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    readLog: async ({ records }, feed, { after, to }) => {
      if (planted.fault !== 'rows read before the head') {
        return real.readLog({ records }, feed, { after, to })
      }
      const rows = await records.query<LogEntry>(recordKeys.logRows(feed))
      const { entries } = await real.readLogHead({ records })
      const all = [...rows.records.map(({ value }) => value), ...entries]
      return all.filter(({ n }) => n > after && n <= to)
    },
  }
})

afterEach(() => {
  planted.fault = ''
})

/** Sequences or walks that may pass before a fault counts as not found. */
const most = 200
const options = { numRuns: most, endOnFailure: true, seed: 20_260_302 }

interface Search {
  failed: boolean
  /** Sequences or walks up to the first that fails. */
  numRuns: number
}

const begin = fc.constantFrom(...beginnings)

const calmDays = (): Promise<Search> =>
  fc.check(fc.asyncProperty(begin, calmSteps, playCalmDays), options)

const refusedDays = (): Promise<Search> =>
  fc.check(fc.asyncProperty(begin, refusedSteps, playCalmDays), options)

const stormyDays = (): Promise<Search> =>
  fc.check(
    fc.asyncProperty(begin, stormySteps, async (from, steps) => {
      const days = await storm(from)
      try {
        await days.play(steps)
      } finally {
        await days.close()
      }
    }),
    options,
  )

/** Picks the next step of random walks; a death is a tenth as likely as a step. */
function walker(draws: readonly number[]) {
  let i = 0
  return (choices: Choice[]) => {
    const draw = draws[i++ % draws.length] ?? 0
    const steps = choices.filter(({ kind }) => kind === 'step')
    const kills = choices.filter(({ kind }) => kind === 'kill')
    const from = draw % 10 === 0 && kills.length > 0 ? kills : steps
    return from[Math.floor(draw / 10) % from.length]
  }
}
const draws = fc.array(fc.nat({ max: 10_000 }), { minLength: 64, maxLength: 64 })

/** One reader, two workers of one run and one of the next, a mail of which nothing is known at first. */
async function ledgerWalks(): Promise<Search> {
  const property = fc.asyncProperty(draws, async (drawn) => {
    const mailer = { hasEvidence: true, script: ['broken'] } as const
    const world = ledgerWorld({ mailer, runs: [{ to: 1 }, { to: 2 }] })
    const actors = [
      world.worker('run1', 2),
      world.worker('run1', 2, []),
      world.worker('run2', 1, []),
      world.clockActor(121),
    ]
    const { store } = await runStepped(world.prepare, actors, walker(drawn), { kills: 1 })
    await world.driveToTheEnd(store)
    const end = await world.read(store)
    const twice = end.sent.filter(({ times }) => times > 1).map(({ deliveryId }) => deliveryId)
    expect([...faultsOf(end, mailer), ...twice]).toEqual([])
  })
  return fc.check(property, options)
}

/** A writer that lists, and so trims, beside a reader who asks for everything. */
async function logWalks(): Promise<Search> {
  const ids = ['a', 'b', 'c', 'd', 'e']
  const item = (postId: string) => ({ postId, categories: [], mail: 'digest' as const, again: 0 })
  const prepare = async (store: RecordStore) => {
    for (const id of ids) {
      await store.put({ ...recordKeys.post(id), value: { id, again: 0, categories: [] } })
    }
  }
  const writer: Actor = async (records) => {
    for (const id of ids) {
      await listInLog({ records }, [item(id)], { most: 1, keep: 1, bytes: 100_000 })
    }
  }
  const reader: Actor = async (records) => {
    for (let i = 0; i < 4; i++) {
      const { last } = await readLogHead({ records })
      const found = await readLog({ records }, everything, { after: 0, to: last })
      expect(found.map(({ n }) => n)).toEqual(Array.from({ length: last }, (_, n) => n + 1))
    }
  }
  const property = fc.asyncProperty(draws, async (drawn) => {
    await runStepped(prepare, [writer, reader], walker(drawn))
  })
  return fc.check(property, options)
}

describe('a planted fault is found', { timeout: 300_000 }, () => {
  it.each([
    ['settled before the send', stormyDays],
    ['watermark not moved', calmDays],
    ['watermark not moved', stormyDays],
    ['`since` ignored', calmDays],
    ['`since` ignored', stormyDays],
    ['window given back twice', refusedDays],
    ['settled before the send', ledgerWalks],
    ['judged without take-over', ledgerWalks],
    ['watermark not moved', ledgerWalks],
    ['rows read before the head', logWalks],
  ] as const)('%s', async (fault, search) => {
    planted.fault = fault
    const found = await search()
    expect(found.failed).toBe(true)
    expect(found.numRuns).toBeLessThanOrEqual(most)
  })

  it('and none where none is planted', async () => {
    expect((await ledgerWalks()).failed).toBe(false)
    expect((await logWalks()).failed).toBe(false)
  })
})
