import { describe, expect, it } from 'vitest'
import { deliverTo } from '../../../functions/digests/delivery/claim.ts'
import type { Ledger } from '../../../functions/digests/delivery/ledger.ts'
import { noteAccepted } from '../../../functions/digests/feedback/evidence.ts'
import type { Delivery } from '../../../functions/digests/runs/run.ts'
import { putRun } from '../../../functions/digests/runs/run-store.ts'
import { recordKeys } from '../../../functions/keys.ts'
import type { Mailer, RecordStore, SendOutcome } from '../../../functions/platform.ts'
import { defaultSettings, type Settings } from '../../../functions/settings/settings.ts'
import { putSubscriber } from '../../../functions/subscribers/store.ts'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { type Actor, searchInterleavings, type World } from '../../support/stepped-record-store.ts'
import { aRun, readerId } from './ledger-world.ts'

/**
 * The publisher puts another mailer in the place of the one before, while a mail of that one may be on
 * its way. What went out is kept in the store, by mailer: one knows nothing of what another sent.
 */

const begin = Date.parse('2026-03-02T08:00:00Z')
const run = aRun({ id: 'run1', to: 1 })
const deliveryId = `run1_0_${readerId}_0`

const ada: Subscriber = {
  id: readerId,
  email: 'ada@example.org',
  state: 'confirmed',
  categories: { '*': 0 },
  cadence: 'daily',
  at: '08:00',
  timeZone: 'UTC',
  locale: 'en',
  schedule: 'daily',
  watermark: 0,
  createdAt: '2026-03-01T08:00:00.000Z',
}

type Fate = 'sent' | 'lost' | 'broken' | 'deferred' | 'rejected'

interface Kind {
  name: string
  hasEvidence: boolean
  /** What becomes of its first send; then `sent`. */
  fate: Fate
}

const keyOf = (name: string) => ({ partition: 'mailbox', sort: name })

function mailerOf(records: RecordStore, { name, hasEvidence, fate }: Kind): Mailer {
  let sends = 0
  return {
    name,
    async send(): Promise<SendOutcome> {
      const what = sends++ === 0 ? fate : 'sent'
      if (what === 'deferred') return { status: 'deferred', reason: 'x', retryAfterSeconds: 1 }
      if (what === 'rejected') return { status: 'rejected', reason: 'no' }
      if (what === 'broken') return { status: 'unclear', reason: 'broken' }
      await records.add(keyOf(name), 1)
      return what === 'lost' ? { status: 'unclear', reason: 'lost' } : { status: 'sent' }
    },
    quota: async () => ({}),
    evidence: async () => {
      if (!hasEvidence) return 'cannot tell'
      return (await records.get(keyOf(name))) ? 'accepted' : 'none'
    },
    evidenceDelaySeconds: 0,
    hasFinalEvidence: hasEvidence,
  }
}

/** Visits the reader with one mailer after the other, each past the lease of the visit before. */
function visitor(kinds: readonly Kind[], from = 0, settings = defaultSettings): Actor {
  return async (records) => {
    for (const [i, kind] of kinds.entries()) await visit(records, kind, from + i, settings)
  }
}

let tokens = 0

async function visit(
  records: RecordStore,
  kind: Kind,
  turn: number,
  settings = defaultSettings,
): Promise<void> {
  const ledger: Ledger = {
    platform: {
      records,
      mailer: mailerOf(records, kind),
      now: () => new Date(begin + turn * 300_000),
      settings,
      log: { info() {}, warn() {}, error() {} },
    },
    run,
    chunk: 0,
    parcels: {
      find: async () => (id) => ({
        deliveryId: id,
        from: 'us@example.org',
        to: 'ada@example.org',
        raw: new Uint8Array(),
        kind: 'bulk',
      }),
    },
    newToken: () => `token${tokens++}`.padEnd(16, '-'),
  }
  await deliverTo(ledger, readerId)
}

async function prepare(store: World['store']): Promise<void> {
  await putRun({ records: store }, run, { ifAbsent: true })
  await putSubscriber({ records: store }, ada, undefined)
}

async function readEnd(store: World['store']) {
  const row = await store.get<Delivery>(recordKeys.ledgerRow('run1', 0, readerId))
  const counts = []
  for (const name of ['smtp', 'outbox', 'ses']) {
    counts.push((await store.get<{ count: number }>(keyOf(name)))?.value.count ?? 0)
  }
  return { outcome: row?.value.outcome, sent: counts.reduce((a, b) => a + b, 0), row: row?.value }
}

const smtp = (fate: Fate): Kind => ({ name: 'smtp', hasEvidence: false, fate })
const outbox = (fate: Fate = 'sent'): Kind => ({ name: 'outbox', hasEvidence: true, fate })
const ses = (fate: Fate): Kind => ({ name: 'ses', hasEvidence: false, fate })

describe('after a change of the mailer', () => {
  it.each<[string, Kind[], object]>([
    ['SMTP lost the answer', [smtp('lost'), outbox()], { outcome: 'unknown', sent: 1 }],
    ['SMTP broke', [smtp('broken'), outbox()], { outcome: 'unknown', sent: 0 }],
    ['SES lost the answer', [ses('lost'), outbox()], { outcome: 'unknown', sent: 1 }],
    ['SMTP put it off', [smtp('deferred'), outbox()], { outcome: 'accepted', sent: 1 }],
    [
      'SMTP put it off, the outbox broke, and is asked again',
      [smtp('deferred'), outbox('broken'), outbox()],
      { outcome: 'accepted', sent: 1 },
    ],
    ['the outbox broke', [outbox('broken'), smtp('sent')], { outcome: 'unknown', sent: 0 }],
    ['nothing changed', [outbox('broken'), outbox()], { outcome: 'accepted', sent: 1 }],
    ['nothing changed either', [outbox('lost'), outbox()], { outcome: 'accepted', sent: 1 }],
  ])('no mail goes out twice by it: %s', async (_, kinds, wanted) => {
    let ends = 0
    await searchInterleavings(prepare, [visitor(kinds)], async ({ store }) => {
      expect(await readEnd(store)).toMatchObject(wanted)
      ends++
    })
    expect(ends).toBe(1)
  })

  it('and none where a worker dies at any step before it, or after it', async () => {
    let ends = 0
    for (const before of [
      smtp('sent'),
      smtp('lost'),
      smtp('broken'),
      ses('lost'),
      outbox('lost'),
    ]) {
      // The first worker dies somewhere and is not there any more: what then comes has the new mailer.
      await searchInterleavings(
        prepare,
        [
          async (records) => {
            const isNew = await records.add({ partition: 'lives', sort: 'first' }, 1)
            await visit(records, isNew > 1 ? outbox() : before, isNew > 1 ? 1 : 0)
            await visit(records, outbox(), 2)
          },
        ],
        async ({ store }) => {
          await visitor([outbox(), outbox()], 3)(store)
          const end = await readEnd(store)
          ends++
          expect(end.sent, JSON.stringify(end)).toBeLessThanOrEqual(1)
          if (end.outcome === 'accepted') expect(end.sent).toBe(1)
          else expect(end.outcome).toBe('unknown')
        },
        { kills: 2 },
      )
    }
    expect(ends).toBeGreaterThan(20)
  })

  it('a refusal by the new one proves nothing about the old one, where it may try again', async () => {
    const resend: Settings = {
      ...defaultSettings,
      mail: { ...defaultSettings.mail, unclear: 'resend' },
    }
    const visits = visitor([smtp('lost'), outbox('rejected')], 0, resend)
    await searchInterleavings(prepare, [visits], async ({ store }) => {
      expect(await readEnd(store)).toMatchObject({ outcome: 'unknown', sent: 1 })
    })
  })

  it('late evidence still settles what it left unknown', async () => {
    await searchInterleavings(prepare, [visitor([smtp('lost'), outbox()])], async ({ store }) => {
      const now = () => new Date(begin)
      await noteAccepted({ records: store, now, settings: defaultSettings }, deliveryId)
      expect(await readEnd(store)).toMatchObject({ outcome: 'accepted', sent: 1 })
    })
  })
})
