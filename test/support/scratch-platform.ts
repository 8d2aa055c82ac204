import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jsonLog } from '../../functions/json-log.ts'
import { openDatabase } from '../../functions/local/database.ts'
import { fileObjectStore } from '../../functions/local/file-object-store.ts'
import { machinePlatform } from '../../functions/local/machine.ts'
import { outboxFolder } from '../../functions/local/outbox-folder.ts'
import { outboxMailer } from '../../functions/local/outbox-mailer.ts'
import { leaseSeconds } from '../../functions/local/run-jobs.ts'
import { sqliteJobQueue } from '../../functions/local/sqlite-job-queue.ts'
import { sqliteRecordStore } from '../../functions/local/sqlite-record-store.ts'
import type { Machine, Mailer, Platform, ReadableOutbox } from '../../functions/platform.ts'
import { defaultSettings, type Settings } from '../../functions/settings/settings.ts'

export interface ScratchPlatform extends Platform {
  setNow(instant: string | Date): void
  advance(ms: number): void
  /** Runs the job queue dry; throws what the first failing job throws. */
  settle(): Promise<void>
  /** The mails sent so far, by delivery id; none when a mailer was given. */
  readonly outbox: ReadableOutbox &
    (() => Promise<{ deliveryId: string; to: string; raw: string }[]>)
  close(): Promise<void>
  readonly machine: Machine
  /** The data folder; `objects/` and `outbox/` are in it. */
  readonly folder: string
  /** Every line logged, as JSON. */
  readonly logged: string[]
}

export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T

export interface ScratchPlatformOptions {
  settings?: DeepPartial<Settings>
  /** @default '2026-03-02T08:00:00Z', a Monday */
  now?: string
  mailer?: Mailer
}

/**
 * The local platform on an empty temporary folder and a database in memory, with a clock that
 * stands until a test moves it. Jobs run when `settle` or `platform.settled` asks for it.
 */
export async function scratchPlatform(
  options: ScratchPlatformOptions = {},
): Promise<ScratchPlatform> {
  const folder = mkdtempSync(join(tmpdir(), 'broadsheet-'))
  const mails = join(folder, 'outbox')
  mkdirSync(mails)
  let present = new Date(options.now ?? '2026-03-02T08:00:00Z')
  const now = () => new Date(present)
  const database = openDatabase(':memory:')
  const jobs = sqliteJobQueue({ database, now })
  const logged: string[] = []
  let links = [{ id: 'k1', key: 'a scratch key of links, the first' }]
  const settings = scratchSettings(options.settings)
  const { mailer } = options
  const kept = outboxFolder(mails)
  const platform = machinePlatform(
    {
      folder,
      database,
      objects: fileObjectStore({
        folder: join(folder, 'objects'),
        places: { outbox: mails, inbox: join(folder, 'inbox') },
        syncs: false,
      }),
      records: sqliteRecordStore({ database, now }),
      jobs,
      mailerAt: (clock) =>
        mailer ??
        outboxMailer({
          folder: mails,
          now: clock,
          syncs: false,
        }),
      outbox: kept,
      keepsMails: true,
      settings,
      secrets: {
        secrets: {
          subscribers: 'a scratch key of subscribers',
          get links() {
            return links
          },
        },
        rotateLinks: () => {
          const n = links.length + 1
          links = [{ id: `k${n}`, key: `a scratch key of links, number ${n}` }, ...links]
        },
      },
      log: jsonLog({ write: (line) => logged.push(line) }),
      version: '0.0.0-scratch',
      isWorking: () => false,
      isEnding: () => false,
      alone: (work) => work(),
    },
    now,
  )

  async function settle(): Promise<void> {
    const { runJob } = await import('../../functions/jobs.ts')
    for (let isDry = false; !isDry; ) {
      isDry = true
      for (const lane of ['urgent', 'work', 'mail'] as const) {
        for (const { job, receipt } of await jobs.receive(lane, { limit: 10, leaseSeconds })) {
          isDry = false
          await runJob(scratch, job)
          await jobs.complete(receipt)
        }
      }
    }
  }

  const readMails = async () =>
    readdirSync(mails)
      .filter((name) => name.endsWith('.eml'))
      .sort()
      .map((name) => {
        const raw = readFileSync(join(mails, name), 'utf8')
        return { deliveryId: name.slice(0, -'.eml'.length), to: recipientOf(raw), raw }
      })

  const scratch: ScratchPlatform = {
    ...platform,
    folder,
    logged,
    setNow: (instant) => {
      present = new Date(instant)
    },
    advance: (ms) => {
      present = new Date(present.getTime() + ms)
    },
    settle,
    outbox: Object.assign(readMails, kept),
    close: async () => {
      database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return scratch
}

/** The settings of a test: the defaults at `https://news.example`, and what it changes of them. */
export function scratchSettings(changes: DeepPartial<Settings> = {}): Settings {
  const base = merged<Settings>(defaultSettings, { site: { baseUrl: 'https://news.example' } })
  return merged<Settings>(base, changes)
}

/** The address in the `To` header of a raw message. */
export function recipientOf(raw: string): string {
  const header = /^To:[ \t]*((?:.*\r?\n[ \t])*.*)/im.exec(raw)?.[1] ?? ''
  return (/<([^<>]*)>[^<>]*$/.exec(header)?.[1] ?? header).trim()
}

function merged<T>(base: T, over: DeepPartial<T>): T {
  if (!isPlain(base) || !isPlain(over)) return over as T
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    if (value !== undefined)
      result[key] = key in result ? merged<unknown>(result[key], value) : value
  }
  return result as T
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
