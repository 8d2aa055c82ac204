import { deliverTo } from '../../../functions/digests/delivery/claim.ts'
import {
  deliveryIdOf,
  type Ledger,
  type Parcels,
  publish,
} from '../../../functions/digests/delivery/ledger.ts'
import { noteAccepted } from '../../../functions/digests/feedback/evidence.ts'
import type { Delivery, Run } from '../../../functions/digests/runs/run.ts'
import { changeRun, getRun, putRun } from '../../../functions/digests/runs/run-store.ts'
import { recordKeys } from '../../../functions/keys.ts'
import type { Mailer, RecordStore, SendOutcome } from '../../../functions/platform.ts'
import { defaultSettings } from '../../../functions/settings/settings.ts'
import { getSubscriber, putSubscriber } from '../../../functions/subscribers/store.ts'
import type { Subscriber } from '../../../functions/subscribers/subscriber.ts'
import type { Actor, World } from '../../support/stepped-record-store.ts'

/**
 * A world for searching the ledger: one reader, a few runs, the real steps of a delivery over a
 * store whose every operation is a step, and a mailer whose sending is a step too. The mailbox and
 * the clock are in the store, so that equal states are recognised.
 */

export const readerId = 'a'.repeat(32)
const begin = Date.parse('2026-03-02T08:00:00Z')

export interface MailerRules {
  /** Whether it can prove what it sent: an outbox can, SMTP cannot. */
  hasEvidence: boolean
  unclear?: 'hold' | 'resend'
  /** What becomes of each send of an actor in turn; then `sent`. */
  script?: readonly (SendFate | undefined)[]
}

/** `lost`: it went out, and the answer was lost. `broken`: it did not, and nobody knows. */
export type SendFate = 'sent' | 'lost' | 'broken' | 'rejected' | 'deferred'

/** What went out: how often each delivery was sent, and which posts it held. */
export interface Sent {
  deliveryId: string
  times: number
  posts: number[]
  /** It went out although its row stood when its claim was taken over. */
  isNeedless?: boolean
}

const mailbox = 'mailbox'
/** Claims that were taken over when their row stood already: whoever looks again sends nothing. */
const tooLate = 'taken-over-too-late'
const clockKey = { partition: 'test-clock', sort: 'now' }

export interface LedgerWorldOptions {
  mailer: MailerRules
  runs: readonly Partial<Run>[]
  reader?: Partial<Subscriber>
  /** Numbers of the log that are posts for the digest. */
  posts?: readonly number[]
  /** Ends of earlier tries. */
  rows?: readonly Delivery[]
}

export function ledgerWorld({
  mailer: rules,
  runs,
  reader = {},
  posts = [1, 2],
  rows: earlier = [],
}: LedgerWorldOptions) {
  let clock = begin
  const all = runs.map((run, i) => aRun({ to: i + 1, id: `run${i + 1}`, ...run }))

  // What each worker has read off the clock is as much its state as what it has read from the
  // store: two worlds that differ in nothing else are two.
  const seenClocks = new Map<number, number[]>()

  async function prepare(store: World['store']): Promise<void> {
    clock = begin
    seenClocks.clear()
    const { put, dump } = store
    store.dump = () => `${dump()} ${JSON.stringify([...seenClocks].sort(([a], [b]) => a - b))}`
    store.put = async (record, condition) => {
      if (record.partition !== mailbox) {
        const outcome = await put(record, condition)
        if (outcome.status === 'stored') await noteTakeOver(record.value as Partial<Subscriber>)
        return outcome
      }
      // The irreversible step: checked against the lease at the very moment (failure 16).
      const { until, posts } = record.value as unknown as { until: number; posts: number[] }
      if (clock > until) return { status: 'conflict' }
      const before = await store.get<Sent>(record)
      const times = (before?.value.times ?? 0) + 1
      const isNeedless = (await store.get({ partition: tooLate, sort: record.sort })) !== undefined
      const value = { deliveryId: record.sort, times, posts, ...(isNeedless ? { isNeedless } : {}) }
      return put({ ...record, value: value as never })
    }
    async function noteTakeOver({ id = '', note }: Partial<Subscriber>): Promise<void> {
      if (note?.phase !== 'fly' || note.sends < 2) return
      const row = await store.get<Delivery>(recordKeys.ledgerRow(note.run, note.chunk, id))
      if (!row || row.value.try < note.try) return
      await put({ partition: tooLate, sort: deliveryIdOf(note, id), value: true })
    }
    for (const run of all) await putRun({ records: store }, run, { ifAbsent: true })
    for (const row of earlier) {
      await publish({ records: store }, { ...row, expires: '2027-03-02T08:00:00.000Z' })
    }
    await putSubscriber({ records: store }, { ...aReader(), ...reader }, undefined)
  }

  /** One worker's mailer: its sends are steps of its own store. */
  function mailerOf(records: RecordStore, script: MailerRules['script'] = []): Mailer {
    let sends = 0
    return {
      name: 'a mailer',
      async send(message, until): Promise<SendOutcome> {
        const fate = script[sends++] ?? 'sent'
        if (fate === 'rejected') return { status: 'rejected', reason: 'no' }
        if (fate === 'deferred') {
          return { status: 'deferred', reason: 'later', retryAfterSeconds: 60, address: true }
        }
        if (fate === 'broken') return { status: 'unclear', reason: 'broken' }
        const posts = JSON.parse(Buffer.from(message.raw).toString()) as number[]
        const outcome = await records.put({
          partition: mailbox,
          sort: message.deliveryId,
          value: { until: until.getTime(), posts },
        })
        if (outcome.status === 'conflict') {
          return { status: 'deferred', reason: 'too late', retryAfterSeconds: 60 }
        }
        return fate === 'lost' ? { status: 'unclear', reason: 'lost' } : { status: 'sent' }
      },
      quota: async () => ({}),
      async evidence(deliveryId) {
        if (!rules.hasEvidence) return 'cannot tell'
        const found = await records.get({ partition: mailbox, sort: deliveryId })
        return found ? 'accepted' : 'none'
      },
      evidenceDelaySeconds: 0,
      hasFinalEvidence: rules.hasEvidence,
    }
  }

  function platformOf(
    records: RecordStore,
    name: number,
    script: MailerRules['script'],
  ): Ledger['platform'] {
    const { mail } = defaultSettings
    const seen: number[] = []
    seenClocks.set(name, seen)
    return {
      records,
      mailer: mailerOf(records, script),
      now: () => {
        seen.push(clock)
        return new Date(clock)
      },
      settings: { ...defaultSettings, mail: { ...mail, unclear: rules.unclear ?? 'hold' } },
      log: { info() {}, warn() {}, error() {} },
    }
  }

  const parcels: Parcels = {
    async find(run, reader, { from, to }) {
      const isOwed = (n: number) => n > (reader.categories['*'] ?? Number.POSITIVE_INFINITY)
      const owed =
        run.kind === 'letter'
          ? [run.to].filter(isOwed)
          : posts.filter((n) => n > (from ?? 0) && n <= to && isOwed(n))
      if (owed.length === 0) return undefined
      return (deliveryId) => ({
        deliveryId,
        from: 'us@example.org',
        to: 'ada@example.org',
        raw: Buffer.from(JSON.stringify(owed)),
        kind: 'bulk',
      })
    },
  }

  let names = 0

  /** Visits the reader for a run, as a job would. */
  function worker(runId: string, visits = 1, script = rules.script): Actor {
    const name = names++
    return async (records) => {
      let tokens = 0
      const platform = platformOf(records, name, script)
      for (let i = 0; i < visits; i++) {
        const run = (await getRun({ records }, runId))?.value
        if (run?.state !== 'sending') continue
        const newToken = () => (name * 256 + tokens++).toString(16).padStart(16, '0')
        await deliverTo({ platform, run, chunk: 0, parcels, newToken }, readerId)
      }
    }
  }

  /** Lets a lease run out, or a pause between attempts, while others are at any step. */
  function clockActor(...seconds: number[]): Actor {
    return async (records) => {
      for (const s of seconds) {
        await records.put({ ...clockKey, value: s })
        clock += s * 1000
      }
    }
  }

  /** Changes the reader's item by conditional writes, as every use case does. */
  function readerActor(...changes: ((reader: Subscriber) => Subscriber)[]): Actor {
    return async (records) => {
      for (const change of changes) {
        for (;;) {
          const item = await getSubscriber({ records }, readerId)
          if (!item) return
          const outcome = await putSubscriber({ records }, change(item.value), item.version)
          if (outcome.status === 'stored') break
        }
      }
    }
  }

  /** Proof that comes late, as an event. */
  function evidenceActor(deliveryId: string): Actor {
    const name = names++
    return (records) => noteAccepted(platformOf(records, name, []), deliveryId)
  }

  /** Holds a run, and lets it go on. */
  function pauseActor(runId: string, ...states: Run['state'][]): Actor {
    return async (records) => {
      for (const state of states) await changeRun({ records }, runId, (run) => ({ ...run, state }))
    }
  }

  /** After everything that happened: ticks drive each run until nothing moves any more. */
  async function driveToTheEnd(store: World['store'], runIds = all.map(({ id }) => id)) {
    for (let round = 0; round < 6; round++) {
      for (const runId of runIds) await worker(runId, 1, [])(store)
      clock += 700_000
    }
  }

  async function read(store: World['store']) {
    const rows: Delivery[] = []
    for (const { id } of all) {
      const row = await store.get<Delivery>(recordKeys.ledgerRow(id, 0, readerId))
      if (row) rows.push(row.value)
    }
    const sent = (await store.query<Sent>(mailbox)).records.map(({ value }) => value)
    const reader = (await getSubscriber({ records: store }, readerId))?.value as Subscriber
    return { rows, sent, reader, posts }
  }

  return {
    prepare,
    worker,
    clockActor,
    readerActor,
    evidenceActor,
    pauseActor,
    driveToTheEnd,
    read,
  }
}

/** The books agree with the mailbox, whatever happened. Gives back what is wrong. */
export function faultsOf(
  {
    rows,
    sent,
    reader,
    posts,
  }: {
    rows: readonly Delivery[]
    sent: readonly Sent[]
    reader: Subscriber
    posts: readonly number[]
  },
  { hasEvidence, unclear }: MailerRules,
): string[] {
  const faults: string[] = []
  for (const mail of sent) {
    if (mail.isNeedless) faults.push(`${mail.deliveryId} went out once more beside its row`)
    const row = rows.find(({ id }) => id === mail.deliveryId)
    if (!row) faults.push(`${mail.deliveryId} went out and has no row of its try`)
    else if (row.outcome !== 'accepted' && (hasEvidence || row.outcome !== 'unknown')) {
      faults.push(`${row.id} went out and its row says ${row.outcome}`)
    } else if (row.sends < mail.times && !hasEvidence) {
      faults.push(`${row.id} went out ${mail.times} times and its row says ${row.sends}`)
    }
  }
  for (const row of rows) {
    const isOut = sent.some(({ deliveryId }) => deliveryId === row.id)
    if (row.outcome === 'accepted' && !isOut)
      faults.push(`${row.id} is accepted and never went out`)
    if (row.outcome === 'unknown' && hasEvidence) faults.push(`${row.id} is unknown`)
  }
  const seen = new Set<number>()
  for (const mail of sent) {
    if (mail.times > 1 && !hasEvidence && unclear !== 'resend') {
      faults.push(`${mail.deliveryId} went out ${mail.times} times`)
    }
    for (const n of mail.posts) {
      if (seen.has(n)) faults.push(`post ${n} came twice`)
      seen.add(n)
    }
  }
  const unknown = rows.filter(({ outcome }) => outcome === 'unknown')
  for (const n of posts) {
    const isHeld = unknown.some(({ from = 0, to }) => n > from && n <= to)
    if (n <= reader.watermark && !seen.has(n) && !isHeld) faults.push(`post ${n} is lost`)
  }
  return faults
}

export function aRun(run: Partial<Run>): Run {
  const dueAt = new Date(begin).toISOString()
  return {
    id: 'run',
    schedule: 'daily',
    kind: 'digest',
    dueAt,
    to: 1,
    state: 'sending',
    gen: 0,
    chunks: 1,
    createdAt: dueAt,
    movedAt: dueAt,
    expires: '2027-03-02T08:00:00.000Z',
    ...run,
  }
}

function aReader(): Subscriber {
  return {
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
    createdAt: new Date(begin).toISOString(),
  }
}
