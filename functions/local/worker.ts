import { logAbout } from '../json-log.ts'
import type { Lane, Platform, ReceivedJob } from '../platform.ts'
import { leaseSeconds, type RunJob, runReceived } from './run-jobs.ts'
import type { SqliteJobQueue } from './sqlite-job-queue.ts'

export interface Worker {
  /**
   * Receives nothing more and resolves when what runs has ended, or after `graceMs` (15,000): what
   * still runs then is received again when its lease has run out.
   */
  stop(graceMs?: number): Promise<void>
  /**
   * Delivers nothing until the answer is called; resolves when what is being delivered has ended.
   * The other lanes go on: a confirmation waits for nobody.
   */
  holdMail(): Promise<() => void>
}

/** Jobs of a lane that run side by side. One thread does them all: more only helps where they wait. */
const concurrency: Record<Lane, number> = { urgent: 4, work: 2, mail: 2 }
const longestSleepMs = 60_000
const afterFaultMs = 5000

/**
 * Runs jobs as soon as they wait. Equal jobs never run side by side here: the second goes after the
 * first and then mostly finds nothing to do.
 */
export function startWorker(platform: Platform, jobs: SqliteJobQueue, runJob?: RunJob): Worker {
  const running = new Map<string, Promise<void>>()
  const active: Record<Lane, number> = { urgent: 0, work: 0, mail: 0 }
  const pumping = new Map<Lane, Promise<void>>()
  const again = new Set<Lane>()
  const timers = new Map<Lane, NodeJS.Timeout>()
  let isStopping = false
  let holds = 0

  function run(lane: Lane, received: ReceivedJob): void {
    const text = JSON.stringify(received.job)
    const action = () => runReceived(platform, jobs, received, runJob ? { run: runJob } : {})
    const mine = (running.get(text) ?? Promise.resolve())
      .then(action)
      .catch((error: unknown) => platform.log.error('worker.failed', error, { job: received.id }))
      .finally(() => {
        active[lane]--
        if (running.get(text) === mine) running.delete(text)
        void pump(lane)
      })
    active[lane]++
    running.set(text, mine)
  }

  function pump(lane: Lane): Promise<void> {
    const current = pumping.get(lane)
    if (current) {
      again.add(lane)
      return current
    }
    const mine = receiveAll(lane).then(() => {
      pumping.delete(lane)
      // Called for when it had just looked for the last time.
      return again.has(lane) ? pump(lane) : undefined
    })
    pumping.set(lane, mine)
    return mine
  }

  async function receiveAll(lane: Lane): Promise<void> {
    clearTimeout(timers.get(lane))
    try {
      do {
        again.delete(lane)
        const free = concurrency[lane] - active[lane]
        if (isStopping || free <= 0 || (lane === 'mail' && holds > 0)) return
        const received = await jobs.receive(lane, { limit: free, leaseSeconds })
        for (const job of received) run(lane, job)
        if (received.length > 0) again.add(lane)
      } while (again.has(lane))
      sleep(lane, (jobs.nextDue(lane)?.getTime() ?? Infinity) - platform.now().getTime())
    } catch (error) {
      platform.log.error('worker.cannot-receive', error, { lane })
      sleep(lane, afterFaultMs)
    }
  }

  function sleep(lane: Lane, ms: number): void {
    if (isStopping) return
    const wait = Math.min(Math.max(ms, 20), longestSleepMs)
    timers.set(
      lane,
      setTimeout(() => void pump(lane), wait),
    )
  }

  // Not under the name of the request that enqueues.
  const stopListening = jobs.onWaiting((lane) => void logAbout({}, () => pump(lane)))
  for (const lane of Object.keys(concurrency) as Lane[]) void pump(lane)

  return {
    stop: async (graceMs = 15_000) => {
      isStopping = true
      stopListening()
      for (const timer of timers.values()) clearTimeout(timer)
      let timer: NodeJS.Timeout | undefined
      await Promise.race([
        Promise.all(running.values()),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, graceMs)
        }),
      ])
      clearTimeout(timer)
    },
    holdMail: async () => {
      holds++
      // What was received just before comes to run only then.
      await pumping.get('mail')
      while (active.mail > 0) await Promise.all(running.values())
      return () => {
        holds--
        void pump('mail')
      }
    },
  }
}
