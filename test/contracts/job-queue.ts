import { describe, expect, it } from 'vitest'
import type { Job } from '../../functions/jobs.ts'
import type { JobQueue, Lane, ReceivedJob } from '../../functions/platform.ts'

export interface OpenJobQueue {
  jobs: JobQueue
  /** Lets so much time pass, by moving a clock or by waiting: cases use a few seconds. */
  advance(ms: number): Promise<void>
  close(): Promise<void>
}

const regenerate = (feed: string): Job => ({ kind: 'regenerate', feed })
const deliver = (chunk: number): Job => ({ kind: 'deliver', runId: 'r', chunk })

/**
 * What `JobQueue` promises, and no more: jobs come in any order, a receive may bring fewer than
 * there are, equal jobs may be merged, and a job may come twice.
 */
export function jobQueueContract(name: string, open: () => Promise<OpenJobQueue>): void {
  async function using(test: (queue: OpenJobQueue) => Promise<void>): Promise<void> {
    const queue = await open()
    try {
      await test(queue)
    } finally {
      await queue.close()
    }
  }

  /** Receives until `count` different jobs have come or nothing more does. */
  async function take(
    jobs: JobQueue,
    lane: Lane,
    { count = 10, leaseSeconds = 30 } = {},
  ): Promise<ReceivedJob[]> {
    const found = new Map<string, ReceivedJob>()
    for (let empty = 0; empty < 3 && found.size < count; ) {
      const received = await jobs.receive(lane, { limit: Math.min(count, 10), leaseSeconds })
      expect(received.length).toBeLessThanOrEqual(10)
      for (const job of received) found.set(job.id, job)
      empty = received.length === 0 ? empty + 1 : 0
    }
    return [...found.values()]
  }

  describe(`${name} as a job queue`, () => {
    it('brings each job to its lane, with the id that it was given', () =>
      using(async ({ jobs }) => {
        const ids = await jobs.enqueue([
          regenerate('a'),
          deliver(1),
          { kind: 'plan', runId: 'r' },
          regenerate('報'),
        ])
        expect(ids).toHaveLength(4)
        expect(ids.every((id) => id.length > 0)).toBe(true)
        const urgent = await take(jobs, 'urgent', { count: 2 })
        expect(urgent.map(({ job }) => job)).toEqual(
          expect.arrayContaining([regenerate('a'), regenerate('報')]),
        )
        expect(urgent.map(({ id }) => id).toSorted()).toEqual([ids[0], ids[3]].toSorted())
        expect(urgent.every(({ receives }) => receives === 1)).toBe(true)
        expect((await take(jobs, 'mail', { count: 1 })).map(({ job }) => job)).toEqual([deliver(1)])
        expect((await take(jobs, 'work', { count: 1 })).map(({ id }) => id)).toEqual([ids[2]])
      }))

    it('takes many at once, and none', () =>
      using(async ({ jobs }) => {
        expect(await jobs.enqueue([])).toEqual([])
        const wanted = Array.from({ length: 43 }, (_, i) => deliver(i))
        const ids = await jobs.enqueue(wanted)
        expect(new Set(ids).size).toBe(43)
        const found = await take(jobs, 'mail', { count: 43 })
        expect(found.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
        expect(new Map(ids.map((id, i) => [id, wanted[i]]))).toEqual(
          new Map(found.map(({ id, job }) => [id, job])),
        )
      }))

    it('brings a completed job no more', () =>
      using(async ({ jobs, advance }) => {
        await jobs.enqueue([regenerate('a')])
        const [job] = await take(jobs, 'urgent', { count: 1, leaseSeconds: 1 })
        await jobs.complete(job?.receipt ?? '')
        await jobs.complete(job?.receipt ?? '')
        await advance(2000)
        expect(await take(jobs, 'urgent')).toEqual([])
        expect(await jobs.deadLetters()).toEqual([])
      }))

    it('brings a job to one worker while its lease runs, and again after it', () =>
      using(async ({ jobs, advance }) => {
        await jobs.enqueue([regenerate('a')])
        const [first] = await take(jobs, 'urgent', { count: 1, leaseSeconds: 2 })
        expect(await take(jobs, 'urgent')).toEqual([])
        await advance(3000)
        const [second] = await take(jobs, 'urgent', { count: 1 })
        expect(second).toMatchObject({ id: first?.id, job: regenerate('a'), receives: 2 })
        expect(second?.receipt).not.toBe(first?.receipt)
      }))

    it('gives each of many receivers jobs of its own', () =>
      using(async ({ jobs }) => {
        await jobs.enqueue(Array.from({ length: 40 }, (_, i) => deliver(i)))
        const rounds = await Promise.all(
          Array.from({ length: 8 }, () => jobs.receive('mail', { limit: 10, leaseSeconds: 30 })),
        )
        const ids = rounds.flat().map(({ id }) => id)
        expect(new Set(ids).size).toBe(ids.length)
      }))

    it('brings a job that was given back after its delay, and counts the receive', () =>
      using(async ({ jobs, advance }) => {
        await jobs.enqueue([regenerate('a')])
        const [first] = await take(jobs, 'urgent', { count: 1 })
        await jobs.release(first?.receipt ?? '', { delaySeconds: 2, reason: 'busy' })
        expect(await take(jobs, 'urgent')).toEqual([])
        await advance(3000)
        const [second] = await take(jobs, 'urgent', { count: 1 })
        expect(second?.receives).toBe(2)
        await jobs.release(second?.receipt ?? '')
        expect((await take(jobs, 'urgent', { count: 1 }))[0]?.receives).toBe(3)
      }))

    it('delays a job when asked to, at most 900 seconds', () =>
      using(async ({ jobs, advance }) => {
        await jobs.enqueue([regenerate('later')], { delaySeconds: 2 })
        expect(await take(jobs, 'urgent')).toEqual([])
        await advance(3000)
        expect((await take(jobs, 'urgent', { count: 1 }))[0]?.job).toEqual(regenerate('later'))
        await expect(jobs.enqueue([regenerate('x')], { delaySeconds: 901 })).rejects.toThrow(Error)
        await expect(jobs.enqueue([regenerate('x')], { delaySeconds: -1 })).rejects.toThrow(Error)
      }))

    it('never merges a job with one that was received already', () =>
      using(async ({ jobs }) => {
        await jobs.enqueue([regenerate('a')])
        const [first] = await take(jobs, 'urgent', { count: 1 })
        const [id] = await jobs.enqueue([regenerate('a')])
        expect(id).not.toBe(first?.id)
        expect((await take(jobs, 'urgent', { count: 1 }))[0]?.id).toBe(id)
      }))

    it(
      'ends a job that always fails in the dead letters, where it can be put back',
      () =>
        using(async ({ jobs, advance }) => {
          const [id = ''] = await jobs.enqueue([regenerate('poison'), deliver(7)])
          for (let n = 1; n <= 5; n++) {
            const [received] = await take(jobs, 'urgent', { count: 1, leaseSeconds: 1 })
            expect(received).toMatchObject({ id, receives: n })
            if (n === 3) await jobs.release(received?.receipt ?? '', { reason: 'no feed' })
            else await advance(1500)
          }
          expect(await take(jobs, 'urgent', { count: 1 })).toEqual([])
          const [letter, ...others] = await jobs.deadLetters()
          expect(others).toEqual([])
          expect(letter).toMatchObject({ lane: 'urgent', job: regenerate('poison') })
          expect(letter?.diedAt).toBeInstanceOf(Date)
          // A look holds them for a moment where the queue cannot be listed.
          await advance(3000)
          expect(await jobs.redrive([letter?.id ?? ''])).toBe(1)
          const [again] = await take(jobs, 'urgent', { count: 1 })
          expect(again).toMatchObject({ job: regenerate('poison'), receives: 1 })
          await advance(3000)
          expect(await jobs.deadLetters()).toEqual([])
          expect(await jobs.redrive()).toBe(0)
          expect((await take(jobs, 'mail', { count: 1 }))[0]?.job).toEqual(deliver(7))
        }),
      60_000,
    )
  })
}
