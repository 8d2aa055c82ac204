import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { runJob } from '../functions/jobs.ts'
import { databaseFile } from '../functions/local/backup.ts'
import type { Lane, Mailer, Platform } from '../functions/platform.ts'
import { startingNow } from '../functions/subscribers/choices.ts'
import { membershipRows } from '../functions/subscribers/membership-rows.ts'
import { keepSchedule, scheduleOf } from '../functions/subscribers/schedule.ts'
import { newReader } from '../functions/subscribers/subscribe.ts'
import type { Subscriber } from '../functions/subscribers/subscriber.ts'
import { tick } from '../functions/tick.ts'
import { median, peakMegabytes, timed } from './figure.ts'
import { publishNews } from './readers.ts'
import { type BenchService, openService } from './service.ts'

/** What an audience is taken through, each stage in a process of its own. */
export const stages = { seed, begin, finish, ask }

/** The morning after today's: the readers' run is due then. */
function dueAt(): Date {
  const due = new Date()
  due.setUTCDate(due.getUTCDate() + 1)
  due.setUTCHours(8, 0, 0, 0)
  return due
}

const preferences = {
  categories: [],
  cadence: 'daily',
  at: '08:00',
  timeZone: 'UTC',
  locale: 'en',
} as const

/** Confirmed readers of everything, written past the service in one transaction, in no order of their ids. */
async function seed(folder: string, readers: number): Promise<{ seconds: number }> {
  const service = await openService({ folder })
  const now = service.platform.now()
  await keepSchedule(service.platform, scheduleOf(preferences))
  await tick(service.platform)
  await service.close()

  const database = new DatabaseSync(join(folder, databaseFile))
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -800000; BEGIN')
  const insert = database.prepare(
    "INSERT INTO records (partition, sort, value, version) VALUES (?, ?, ?, 'seed')",
  )
  const ms = await timed(() => {
    for (let n = 0; n < readers; n++) {
      const id = createHash('md5').update(`reader ${n}`).digest('hex')
      const reader: Subscriber = {
        ...startingNow(
          newReader(id, { ...preferences, categories: [] }, now),
          { ...preferences, categories: [] },
          0,
        ),
        email: `reader-${n}@example.org`,
        state: 'confirmed',
        consent: { at: now.toISOString(), source: 'import', from: 'bench' },
      }
      insert.run(`subscribers:${id[0]}`, id, JSON.stringify(reader))
      for (const { partition, sort } of membershipRows(reader)) insert.run(partition, sort, '{}')
    }
    database.exec('COMMIT')
  })
  database.close()
  const again = await openService({ folder })
  await publishNews(again)
  await again.platform.machine.drain()
  await again.close()
  return { seconds: ms / 1000 }
}

/** What a part of a run cost its process. */
export interface Cost {
  planSeconds: number
  sendSeconds: number
  /** For sending. */
  cpuSeconds: number
  peakMegabytes: number
}

/** Makes the run, cuts its audience and sends to half of it. */
function begin(folder: string, readers: number): Promise<Cost> {
  return costOf(folder, {
    plan: async (platform) => {
      await tick(platform)
      await drain(platform, ['work'])
    },
    send: ({ platform, sent }) => drain(platform, ['mail'], () => sent() >= readers / 2),
  })
}

/** Sends to all others. */
function finish(folder: string, readers: number): Promise<Cost> {
  return costOf(folder, {
    plan: async () => {},
    send: async ({ platform, service }) => {
      await drain(platform, ['mail'])
      const response = await service.api('GET', '/api/v1/runs')
      const { items } = (await response.json()) as {
        items: { state: string; counts: { accepted: number; failed: number } }[]
      }
      const { accepted = 0, failed = 0 } = items[0]?.counts ?? {}
      if (accepted + failed !== readers || items[0]?.state !== 'done')
        throw new Error(`not all was sent: ${JSON.stringify(items[0])}`)
    },
  })
}

interface Sending {
  /** At the instant at which the run is due, with a mailer that counts and does nothing. */
  platform: Platform
  service: BenchService
  sent(): number
}

async function costOf(
  folder: string,
  {
    plan,
    send,
  }: { plan: (platform: Platform) => Promise<void>; send: (sending: Sending) => Promise<void> },
): Promise<Cost> {
  const service = await openService({ folder })
  let sent = 0
  const mailer: Mailer = {
    name: 'outbox',
    send: async () => {
      sent++
      // Some addresses are gone, as in life: they stand in the books by name.
      return sent % 200 === 0 ? { status: 'rejected', reason: '550 5.1.1' } : { status: 'sent' }
    },
    quota: async () => ({}),
    evidence: async () => 'cannot tell',
    evidenceDelaySeconds: 0,
    hasFinalEvidence: false,
  }
  const platform: Platform = { ...service.platform.machine.at(dueAt()), mailer }
  const planMs = await timed(() => plan(platform))
  const before = process.cpuUsage()
  const sendMs = await timed(() => send({ platform, service, sent: () => sent }))
  const { user, system } = process.cpuUsage(before)
  const peak = peakMegabytes()
  await service.close()
  return {
    planSeconds: planMs / 1000,
    sendSeconds: sendMs / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakMegabytes: peak,
  }
}

/** Two jobs at a time, as a worker has them. */
async function drain(
  platform: Platform,
  lanes: readonly Lane[],
  isEnough: () => boolean = () => false,
): Promise<void> {
  for (let isDry = false; !isDry && !isEnough(); ) {
    isDry = true
    for (const lane of lanes) {
      const received = await platform.jobs.receive(lane, { limit: 2, leaseSeconds: 120 })
      if (received.length > 0) isDry = false
      await Promise.all(
        received.map(async ({ job, receipt }) => {
          await runJob(platform, job)
          await platform.jobs.complete(receipt)
        }),
      )
    }
  }
}

/** Milliseconds, the median of nine, of each kind of answer. */
export type Answers = Record<string, number>

async function ask(folder: string): Promise<Answers> {
  const service = await openService({ folder })
  const found = await answers(service)
  await service.close()
  return found
}

async function answers(service: BenchService): Promise<Answers> {
  const get = async (path: string) => (await service.api('GET', path)).json()
  const { items } = (await get('/api/v1/runs')) as { items: { id: string }[] }
  const run = `/api/v1/runs/${items[0]?.id}`
  const page = (await get(`${run}/deliveries?limit=50`)) as { items: { subscriberId: string }[] }
  const far = await farCursor(service, run)
  const paths: Record<string, string> = {
    runs: '/api/v1/runs',
    run,
    deliveries: `${run}/deliveries?limit=50`,
    'deliveries far in': `${run}/deliveries?limit=50&cursor=${far}`,
    'deliveries that failed': `${run}/deliveries?state=failed&limit=50`,
    'deliveries unknown': `${run}/deliveries?state=unknown&limit=50`,
    'deliveries pending': `${run}/deliveries?state=pending&limit=50`,
    'deliveries empty': `${run}/deliveries?state=empty&limit=50`,
    'a reader’s deliveries': `/api/v1/subscribers/${page.items[0]?.subscriberId}/deliveries`,
  }
  const found: Answers = {}
  for (const [name, path] of Object.entries(paths)) {
    const times: number[] = []
    for (let i = 0; i < 9; i++) times.push(await timed(() => get(path)))
    found[name] = median(times)
  }
  return found
}

async function farCursor(service: BenchService, run: string): Promise<string> {
  const { counts } = (await (await service.api('GET', run)).json()) as {
    counts: { candidates: number }
  }
  return `${Math.floor(counts.candidates / 500 / 2)}.250`
}
