import type { Log, Machine, Mailer, ObjectStore, Platform, ReadableOutbox } from '../platform.ts'
import type { Settings } from '../settings/settings.ts'
import { backupFolder } from './backup.ts'
import type { LocalDatabase } from './database.ts'
import { drain, runThese } from './run-jobs.ts'
import type { SecretsFile } from './secrets-file.ts'
import type { SqliteJobQueue } from './sqlite-job-queue.ts'
import type { SqliteRecordStore } from './sqlite-record-store.ts'

/** What all clocks of one machine have in common. */
export interface MachineParts {
  /** The data folder. */
  folder: string
  database: LocalDatabase
  objects: ObjectStore
  records: SqliteRecordStore
  jobs: SqliteJobQueue
  mailerAt: (now: () => Date) => Mailer
  outbox: ReadableOutbox
  /** Whether `mailerAt` puts mails there. */
  keepsMails: boolean
  settings: Settings
  secrets: Pick<SecretsFile, 'secrets' | 'rotateLinks'>
  log: Log
  version: string
  /** Whether a worker runs the jobs in this process. */
  isWorking: () => boolean
  alone: Machine['alone']
  isEnding: () => boolean
}

export type MachinePlatform = Platform & Required<Pick<Platform, 'machine'>>

/** The service on one machine by a clock. `stands` marks one that `machine.at` made. */
export function machinePlatform(
  parts: MachineParts,
  now: () => Date,
  stands = false,
): MachinePlatform {
  const jobs = stands ? parts.jobs.at(now) : parts.jobs
  const platform: MachinePlatform = {
    objects: parts.objects,
    records: stands ? parts.records.at(now) : parts.records,
    jobs,
    mailer: parts.mailerAt(now),
    now,
    settings: parts.settings,
    secrets: parts.secrets.secrets,
    log: parts.log,
    settled: async (ids) => {
      // A worker goes by the real clock and may not see what a standing one made.
      if (stands || !parts.isWorking()) await runThese(platform, jobs, ids)
      else await jobs.settled(ids)
    },
    isLocal: true,
    version: parts.version,
    outbox: parts.outbox,
    isEnding: parts.isEnding,
    rotateLinks: async () => parts.secrets.rotateLinks(),
    machine: {
      at: (instant) => machinePlatform(parts, () => new Date(instant), true),
      alone: parts.alone,
      drain: () => drain(platform, jobs),
      backup: (target) => backupFolder(parts.folder, target, parts.database, now()),
      ...(parts.keepsMails ? { outbox: parts.outbox } : {}),
    },
  }
  return platform
}
