import { describe, expect, it } from 'vitest'
import { everything, recordKeys } from '../../functions/keys.ts'
import type { RecordKey, RecordStore } from '../../functions/platform.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { startingNow, withPreferences } from '../../functions/subscribers/choices.ts'
import {
  categoryRow,
  membershipRows,
  scheduleRow,
} from '../../functions/subscribers/membership-rows.ts'
import { changeSubscriber, removeStray } from '../../functions/subscribers/memberships.ts'
import { scheduleOf } from '../../functions/subscribers/schedule.ts'
import { newReader } from '../../functions/subscribers/subscribe.ts'
import type { Preferences, Subscriber } from '../../functions/subscribers/subscriber.ts'
import {
  type Actor,
  modelRecordStore,
  searchInterleavings,
  type World,
} from '../support/stepped-record-store.ts'
import { aReader, preferencesFor, readerId } from './readers.ts'

const now = () => new Date('2026-03-02T08:00:00Z')
const early = preferencesFor({ at: '06:00' })
const late = preferencesFor({ at: '18:00' })
const named = preferencesFor({ at: '06:00', categories: ['tech'] })

const choose =
  (preferences: Preferences): Actor =>
  (records) =>
    changeSubscriber({ records, now }, readerId, (current, head) =>
      current?.state === 'confirmed'
        ? withPreferences(current, preferences, head, defaultSettings)
        : undefined,
    )

const confirm =
  (preferences: Preferences): Actor =>
  (records) =>
    changeSubscriber({ records, now }, readerId, (current, head) =>
      current?.state === 'confirmed'
        ? undefined
        : startingNow(current ?? newReader(readerId, preferences, now()), preferences, head),
    )

const leave: Actor = (records) =>
  changeSubscriber({ records, now }, readerId, (current) =>
    current?.state === 'confirmed' ? { ...current, state: 'unsubscribed' } : undefined,
  )

const sweep =
  (row: RecordKey): Actor =>
  (records) =>
    removeStray({ records }, row)

const inTurn =
  (...actors: Actor[]): Actor =>
  async (records) => {
    for (const actor of actors) await actor(records)
  }

const earlyRow = scheduleRow(scheduleOf(early).id, readerId)
const lateRow = scheduleRow(scheduleOf(late).id, readerId)

const withReader = (subscriber: Subscriber) => async (store: RecordStore) => {
  await store.put({ ...recordKeys.subscriber(readerId), value: subscriber })
  for (const row of membershipRows(subscriber)) await store.put({ ...row, value: {} })
}

const nameOf = ({ partition, sort }: RecordKey) => `${partition} ${sort}`

function contents(store: World['store']) {
  const items = JSON.parse(store.dump()) as [string, { record: RecordKey & { value: unknown } }][]
  const records = items.map(([, { record }]) => record)
  const reader = records.find(({ partition }) => partition.startsWith('subscribers:'))
  const rows = records.filter(({ partition }) => partition.includes('-members:'))
  const item = reader?.value as Subscriber | undefined
  return {
    item,
    standing: rows.map(nameOf).sort(),
    needed: (item ? membershipRows(item) : []).map(nameOf).sort(),
    rows,
  }
}

/** Fails at the first instant at which the item asks for a row that is not there. */
const guarded =
  (prepare: (store: RecordStore) => Promise<void>) => async (store: World['store']) => {
    await prepare(store)
    const { item, standing } = contents(store)
    const rows = new Set(standing)
    let reader = item
    const check = () => {
      for (const row of reader ? membershipRows(reader) : []) {
        if (!rows.has(nameOf(row))) throw new Error(`there is no row ${nameOf(row)}`)
      }
    }
    const { put, delete: remove } = store
    store.put = async (record, condition) => {
      const outcome = await put(record, condition)
      if (outcome.status === 'conflict') return outcome
      if (record.partition.startsWith('subscribers:')) reader = record.value as Subscriber
      else rows.add(nameOf(record))
      check()
      return outcome
    }
    store.delete = async (key, condition) => {
      const outcome = await remove(key, condition)
      if (outcome.status === 'deleted') rows.delete(nameOf(key))
      check()
      return outcome
    }
  }

/** What planners and ticks do in time: every stray row goes, and none that is needed. */
async function allSwept({ store }: World) {
  for (const row of contents(store).rows) await removeStray({ records: store }, row)
  const { standing, needed } = contents(store)
  expect(standing).toEqual(needed)
}

describe('a reader’s rows, at every instant of every interleaving', () => {
  it.each<[string, (store: RecordStore) => Promise<void>, Actor[], number]>([
    [
      'when one change moves the reader there and another one back',
      withReader(aReader({}, early)),
      [choose(late), choose(early)],
      1,
    ],
    [
      'when a change moves there and back while another moves there',
      withReader(aReader({}, early)),
      [inTurn(choose(late), choose(early)), choose(late)],
      0,
    ],
    [
      'when the reader chooses a category, leaves and returns',
      withReader(aReader({}, early)),
      [choose(named), inTurn(leave, confirm(late))],
      0,
    ],
    [
      'while a planner removes what it takes for a stray',
      withReader(aReader({}, early)),
      [choose(late), sweep(earlyRow), sweep(lateRow)],
      1,
    ],
    [
      'while a planner meets the rows of a reader who is just made',
      async (store) => {
        await store.put({ ...earlyRow, value: {} })
      },
      [confirm(early), sweep(earlyRow), sweep(categoryRow(everything, readerId))],
      0,
    ],
    [
      'when two confirmations race with leaving',
      withReader(aReader({ state: 'pending', categories: {} }, early)),
      [confirm(early), inTurn(confirm(early), leave)],
      0,
    ],
  ])(
    'are never one too few %s',
    async (_title, prepare, actors, kills) => {
      let ends = 0
      await searchInterleavings(
        guarded(prepare),
        actors,
        async (world) => {
          ends += 1
          await allSwept(world)
        },
        { kills },
      )
      expect(ends).toBeGreaterThan(10)
    },
    120_000,
  )

  it('leave nothing behind when nobody is in the way', async () => {
    const store = modelRecordStore()
    for (const actor of [confirm(early), choose(late), choose(named), leave, confirm(late)]) {
      await actor(store)
      const { standing, needed } = contents(store)
      expect(standing).toEqual(needed)
    }
  })
})

describe('removeStray', () => {
  it('leaves a row that the reader’s item asks for', async () => {
    const store = modelRecordStore()
    await withReader(aReader({}, early))(store)
    expect(await removeStray({ records: store }, earlyRow)).toBe(false)
    expect(await store.get(earlyRow)).toBeDefined()
  })

  it('removes one that it does not ask for, and one without a reader', async () => {
    const store = modelRecordStore()
    await withReader(aReader({}, early))(store)
    await store.put({ ...lateRow, value: {} })
    expect(await removeStray({ records: store }, lateRow)).toBe(true)
    expect(await store.get(lateRow)).toBeUndefined()
    expect(await removeStray({ records: store }, lateRow)).toBe(true)
    const other = scheduleRow('daily-0800-UTC', 'f'.repeat(32))
    await store.put({ ...other, value: {} })
    expect(await removeStray({ records: store }, other)).toBe(true)
  })
})
