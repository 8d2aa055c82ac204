import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Job } from '../../functions/jobs.ts'
import { openDatabase } from '../../functions/local/database.ts'
import { sqliteJobQueue } from '../../functions/local/sqlite-job-queue.ts'
import { jobQueueContract } from '../contracts/job-queue.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

function openOn(file: string) {
  let present = Date.parse('2026-03-02T08:00:00Z')
  const now = () => new Date(present)
  const database = openDatabase(file)
  return {
    jobs: sqliteJobQueue({ database, now }),
    advance: async (ms: number) => {
      present += ms
    },
    close: async () => database.close(),
  }
}

jobQueueContract('SQLite', async () => openOn(':memory:'))

function open() {
  const opened = openOn(':memory:')
  onTestFinished(opened.close)
  return opened
}

const regenerate = (feed: string): Job => ({ kind: 'regenerate', feed })
const lease = { limit: 1, leaseSeconds: 30 }

describe('equal jobs', () => {
  it('that wait are one', async () => {
    const { jobs } = open()
    const ids = await jobs.enqueue([regenerate('a'), regenerate('b'), regenerate('a')])
    expect(ids[2]).toBe(ids[0])
    expect(await jobs.enqueue([regenerate('b')])).toEqual([ids[1]])
    expect(await jobs.receive('urgent', { limit: 10, leaseSeconds: 30 })).toHaveLength(2)
  })

  it('are two when one is delayed or was given back', async () => {
    const { jobs } = open()
    const [delayed] = await jobs.enqueue([regenerate('a')], { delaySeconds: 60 })
    const [now] = await jobs.enqueue([regenerate('a')])
    expect(now).not.toBe(delayed)
    const [received] = await jobs.receive('urgent', lease)
    await jobs.release(received?.receipt ?? '')
    expect((await jobs.enqueue([regenerate('a')]))[0]).not.toBe(now)
  })

  it('from a clock that is ahead do not hold back one from a clock that is not', async () => {
    const { jobs } = open()
    const ahead = jobs.at(() => new Date('2026-04-01T00:00:00Z'))
    const [id] = await ahead.enqueue([regenerate('a')])
    expect(await jobs.receive('urgent', lease)).toEqual([])
    expect(await jobs.enqueue([regenerate('a')])).toEqual([id])
    expect((await jobs.receive('urgent', lease)).map((job) => job.id)).toEqual([id])
  })
})

it('keeps jobs over a restart', async () => {
  const file = join(temporaryFolder(), 'j.sqlite')
  const first = openOn(file)
  await first.jobs.enqueue([regenerate('a')])
  await first.close()
  const second = openOn(file)
  onTestFinished(second.close)
  expect((await second.jobs.receive('urgent', lease))[0]?.job).toEqual(regenerate('a'))
})

it('brings the jobs that wait longest first', async () => {
  const { jobs, advance } = open()
  for (const feed of ['a', 'b', 'c']) {
    await jobs.enqueue([regenerate(feed)])
    await advance(10)
  }
  const received = await jobs.receive('urgent', { limit: 2, leaseSeconds: 30 })
  expect(received.map(({ job }) => job)).toEqual([regenerate('a'), regenerate('b')])
})

it('changes nothing by a receipt whose lease ran out', async () => {
  const { jobs, advance } = open()
  await jobs.enqueue([regenerate('a')])
  const [late] = await jobs.receive('urgent', { limit: 1, leaseSeconds: 1 })
  await advance(2000)
  await jobs.complete(late?.receipt ?? '')
  await jobs.release(late?.receipt ?? '')
  const [again] = await jobs.receive('urgent', lease)
  expect(again?.receives).toBe(2)
  await jobs.complete(late?.receipt ?? '')
  await advance(31_000)
  expect((await jobs.receive('urgent', lease))[0]?.receives).toBe(3)
})

it('says why a job died, and puts all back that are dead', async () => {
  const { jobs } = open()
  await jobs.enqueue([regenerate('a'), regenerate('b')])
  for (let n = 0; n < 5; n++) {
    for (const { receipt } of await jobs.receive('urgent', { limit: 10, leaseSeconds: 30 })) {
      await jobs.release(receipt, { reason: `try ${n + 1}` })
    }
  }
  expect((await jobs.deadLetters()).map(({ reason }) => reason)).toEqual(['try 5', 'try 5'])
  expect(await jobs.deadLetters({ limit: 1 })).toHaveLength(1)
  expect(await jobs.redrive(['12345'])).toBe(0)
  expect(await jobs.redrive()).toBe(2)
  expect(await jobs.receive('urgent', { limit: 10, leaseSeconds: 30 })).toHaveLength(2)
})

describe('a worker in the same process', () => {
  it('is told at once which lane has work', async () => {
    const { jobs } = open()
    const told: string[] = []
    const stop = jobs.onWaiting((lane) => told.push(lane))
    await jobs.enqueue([regenerate('a'), { kind: 'plan', runId: 'r' }, regenerate('b')])
    expect(told).toEqual(['urgent', 'work'])
    const [received] = await jobs.receive('urgent', lease)
    await jobs.release(received?.receipt ?? '')
    expect(told).toEqual(['urgent', 'work', 'urgent'])
    stop()
    await jobs.enqueue([regenerate('c')])
    expect(told).toHaveLength(3)
  })

  it('knows when the next job is due', async () => {
    const { jobs } = open()
    expect(jobs.nextDue('urgent')).toBeUndefined()
    await jobs.enqueue([regenerate('a')], { delaySeconds: 60 })
    expect(jobs.nextDue('urgent')).toEqual(new Date('2026-03-02T08:01:00Z'))
  })

  it('settles jobs that are done, dead, failed once or unknown', async () => {
    const { jobs } = open()
    const ids = await jobs.enqueue([regenerate('done'), regenerate('failed')])
    let isSettled = false
    const settled = jobs.settled([...ids, 'unknown', ...ids]).then(() => {
      isSettled = true
    })
    const received = await jobs.receive('urgent', { limit: 10, leaseSeconds: 30 })
    await jobs.complete(received[0]?.receipt ?? '')
    expect(isSettled).toBe(false)
    await jobs.release(received[1]?.receipt ?? '', { delaySeconds: 60 })
    await settled
    await jobs.settled([ids[0] ?? ''])
    await jobs.settled([])
  })

  it('leaves alone what another clock has leased', async () => {
    const { jobs } = open()
    await jobs.enqueue([regenerate('a'), regenerate('b')])
    const ahead = jobs.at(() => new Date('2026-04-01T00:00:00Z'))
    const [first] = await jobs.receive('urgent', lease)
    const others = await ahead.receive('urgent', { limit: 10, leaseSeconds: 30 })
    expect(others.map(({ job }) => job)).toEqual([regenerate('b')])
    expect(await ahead.take([first?.id ?? ''], { leaseSeconds: 30 })).toEqual([])
    await jobs.complete(first?.receipt ?? '')
    await ahead.complete(others[0]?.receipt ?? '')
    expect(await ahead.receive('urgent', lease)).toEqual([])
  })
})
