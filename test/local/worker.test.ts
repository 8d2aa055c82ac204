import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Job } from '../../functions/jobs.ts'
import { jsonLog, logAbout } from '../../functions/json-log.ts'
import { openDatabase } from '../../functions/local/database.ts'
import { startMinuteClock } from '../../functions/local/minute-clock.ts'
import { sqliteJobQueue } from '../../functions/local/sqlite-job-queue.ts'
import { startWorker } from '../../functions/local/worker.ts'
import type { Platform } from '../../functions/platform.ts'

const regenerate = (feed: string): Job => ({ kind: 'regenerate', feed })
const deliver = (chunk: number): Job => ({ kind: 'deliver', runId: 'r', chunk })

const now = () => new Date('2026-03-02T08:00:00Z')

/** A worker whose jobs do what a test says, by a clock that stands. */
function open(run: (job: Job) => Promise<void>) {
  const database = openDatabase(':memory:')
  const jobs = sqliteJobQueue({ database, now })
  const logged: string[] = []
  const platform = {
    now,
    log: jsonLog({ write: (line) => logged.push(line) }),
  } as Platform
  const worker = startWorker(platform, jobs, (_, job) => run(job))
  onTestFinished(async () => {
    await worker.stop(0)
    database.close()
  })
  return { jobs, worker, logged }
}

describe('the worker', () => {
  it('runs a job as soon as it waits', async () => {
    const ran: Job[] = []
    const { jobs } = open(async (job) => void ran.push(job))
    const ids = await jobs.enqueue([regenerate('a'), deliver(1)])
    await jobs.settled(ids)
    expect(ran).toHaveLength(2)
    expect(jobs.unfinished(ids)).toEqual([])
  })

  it('runs what waited before it started', async () => {
    const database = openDatabase(':memory:')
    const jobs = sqliteJobQueue({ database, now })
    const ids = await jobs.enqueue([regenerate('a')])
    const ran: Job[] = []
    const worker = startWorker(
      { now, log: jsonLog({ level: 'silent' }) } as Platform,
      jobs,
      async (_, job) => void ran.push(job),
    )
    await jobs.settled(ids)
    expect(ran).toEqual([regenerate('a')])
    await worker.stop()
    database.close()
  })

  it('never runs equal jobs side by side, and others it does', async () => {
    const begun: string[] = []
    const active: string[] = []
    let mostEqual = 0
    let most = 0
    let gate = Promise.withResolvers<void>()
    const { jobs } = open(async (job) => {
      const feed = job.kind === 'regenerate' ? job.feed : ''
      begun.push(feed)
      active.push(feed)
      mostEqual = Math.max(mostEqual, active.filter((other) => other === feed).length)
      most = Math.max(most, active.length)
      await gate.promise
      active.splice(active.indexOf(feed), 1)
    })
    const first = await jobs.enqueue([regenerate('a'), regenerate('b')])
    await expect.poll(() => begun).toEqual(['a', 'b'])
    // The second `a` is taken before `c`, and `c` does not wait for it.
    const second = await jobs.enqueue([regenerate('a'), regenerate('c')])
    await expect.poll(() => begun).toEqual(['a', 'b', 'c'])
    gate.resolve()
    await jobs.settled([...first, ...second])
    expect(begun).toEqual(['a', 'b', 'c', 'a'])
    expect(mostEqual).toBe(1)

    gate = Promise.withResolvers()
    const many = await jobs.enqueue(Array.from('defghi', regenerate))
    await expect.poll(() => begun.slice(4)).toEqual(['d', 'e', 'f', 'g'])
    gate.resolve()
    await jobs.settled(many)
    expect(begun).toHaveLength(10)
    expect(most).toBe(4)
  })

  it('delivers nothing while mail is held, which begins when what is delivered has ended', async () => {
    const ran: string[] = []
    const first = Promise.withResolvers<void>()
    const { jobs, worker } = open(async (job) => {
      ran.push(job.kind === 'deliver' ? `deliver ${job.chunk}` : job.kind)
      if (job.kind === 'deliver' && job.chunk === 1) await first.promise
    })
    const [one = ''] = await jobs.enqueue([deliver(1)])
    await expect.poll(() => ran).toEqual(['deliver 1'])
    let isHeld = false
    const holding = worker.holdMail().then((goOn) => {
      isHeld = true
      return goOn
    })
    const [two = ''] = await jobs.enqueue([deliver(2)])
    await jobs.settled(await jobs.enqueue([regenerate('a')]))
    expect(isHeld).toBe(false)
    first.resolve()
    const goOn = await holding
    expect(jobs.unfinished([one, two])).toEqual([two])
    const again = await worker.holdMail()
    goOn()
    await jobs.settled(await jobs.enqueue([regenerate('b')]))
    expect(ran).toEqual(['deliver 1', 'regenerate', 'regenerate'])
    again()
    await jobs.settled([two])
    expect(ran.at(-1)).toBe('deliver 2')
  })

  it('gives a failing job back for later, tells the log, and goes on with others', async () => {
    const { jobs, logged } = open(async (job) => {
      if (job.kind === 'regenerate') throw new Error('no such template')
    })
    const ids = await jobs.enqueue([regenerate('a'), deliver(1)])
    await jobs.settled(ids)
    expect(jobs.unfinished(ids)).toEqual([ids[0]])
    expect(jobs.nextDue('urgent')).toEqual(new Date('2026-03-02T08:00:02Z'))
    expect(logged.join()).toContain('no such template')
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({
      level: 'error',
      event: 'job.failed',
      job: ids[0],
      kind: 'regenerate',
    })
  })

  it('logs a job under its own name, not that of the request that enqueued it', async () => {
    const { jobs, logged } = open(async () => {
      throw new Error('no run')
    })
    const ids = await logAbout({ request: 'r1' }, () => jobs.enqueue([regenerate('a'), deliver(1)]))
    await jobs.settled(ids)
    const lines = logged.map((line) => JSON.parse(line))
    expect(lines.map(({ job, kind, run }) => [job, kind, run]).toSorted()).toEqual(
      [
        [ids[0], 'regenerate', undefined],
        [ids[1], 'deliver', 'r'],
      ].toSorted(),
    )
    for (const line of lines) expect(line).not.toHaveProperty('request')
  })

  it('stops without waiting for ever, and takes nothing more', async () => {
    let finish = () => {}
    const started: Job[] = []
    const { jobs, worker } = open(async (job) => {
      started.push(job)
      await new Promise<void>((resolve) => {
        finish = resolve
      })
    })
    await jobs.enqueue([deliver(1)])
    await expect.poll(() => started).toHaveLength(1)
    await worker.stop(20)
    await jobs.enqueue([deliver(2)])
    // A worker that still listened would have asked for it first.
    const left = await jobs.receive('mail', { limit: 2, leaseSeconds: 5 })
    expect(left.map(({ job }) => job)).toEqual([deliver(2)])
    expect(started).toEqual([deliver(1)])
    finish()
  })
})

describe('the clock', () => {
  it('beats at once, then each minute, and never over itself', async () => {
    vi.useFakeTimers({ now: new Date('2026-03-02T08:00:20Z') })
    onTestFinished(() => void vi.useRealTimers())
    const beats: string[] = []
    let takes = 0
    const faults: unknown[] = []
    const clock = startMinuteClock(
      async () => {
        beats.push(new Date().toISOString().slice(11, 19))
        if (beats.length === 2) throw new Error('a fault')
        if (takes) await new Promise((resolve) => setTimeout(resolve, takes))
      },
      (error) => faults.push(error),
    )
    await vi.advanceTimersByTimeAsync(101_000)
    expect(beats).toEqual(['08:00:20', '08:01:00', '08:02:00'])
    expect(faults).toHaveLength(1)
    takes = 90_000
    await vi.advanceTimersByTimeAsync(60_000 * 3)
    expect(beats.slice(3)).toEqual(['08:03:00', '08:05:00'])
    const stopped = clock.stop()
    await vi.advanceTimersByTimeAsync(120_000)
    await stopped
    expect(beats).toHaveLength(5)
  })
})
