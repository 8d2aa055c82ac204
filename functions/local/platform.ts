import fs from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { createApiKey, findApiKey, revokeApiKey } from '../api/api-keys.ts'
import { jsonLog } from '../json-log.ts'
import type { Log, Mailer } from '../platform.ts'
import type { Settings } from '../settings/settings.ts'
import { databaseFile } from './backup.ts'
import { openDatabase } from './database.ts'
import { fileObjectStore } from './file-object-store.ts'
import { openFormat } from './folder-format.ts'
import { lockFolder } from './folder-lock.ts'
import { keyLock } from './key-lock.ts'
import { type MachineParts, type MachinePlatform, machinePlatform } from './machine.ts'
import { outboxFolder, pruneOutbox } from './outbox-folder.ts'
import { outboxMailer } from './outbox-mailer.ts'
import { openSecrets } from './secrets-file.ts'
import { smtpMailer } from './smtp-mailer.ts'
import { sqliteJobQueue } from './sqlite-job-queue.ts'
import { sqliteRecordStore } from './sqlite-record-store.ts'
import { startWorker, type Worker } from './worker.ts'

export interface LocalPlatformOptions {
  /** The data folder; made when absent. */
  data: string
  settings: Settings
  /** @default the real clock */
  now?: () => Date
  /** `BROADSHEET_SECRET`. */
  secret?: string
  /** @default lines of JSON on stderr */
  log?: Log
  /** Puts decorators around the ports, such as metrics or faults. */
  decorate?: (parts: MachineParts) => MachineParts
}

/** The service on one machine, holding the lock of its data folder until `close`. */
export interface LocalPlatform extends MachinePlatform {
  readonly folder: string
  /** The key that the command line uses by itself. */
  readonly localKey: string
  /** `public/` was not made durable when the machine went down: its documents must be rendered again. */
  readonly isAfterPowerCut: boolean
  /** Runs jobs as they come, in this process, until it is stopped. There is one at a time. */
  startWorker(): Worker
  /** Removes what has been kept long enough. Cheap when there is nothing. */
  tidy(): Promise<void>
  /** Stops the worker, makes durable what waits, gives the folder free. */
  close(): Promise<void>
}

/**
 * Opens a data folder: objects in `objects/`, records and jobs in `broadsheet.sqlite`, mails in
 * `outbox/` or by SMTP, secrets in `secrets.json`. A new folder gets all of it.
 *
 * @throws ServiceError `folder.locked`, `folder.newer`, `secrets.*`, `smtp.*`
 * @example
 * const platform = await localPlatform({ data: 'data', settings: defaultSettings })
 */
export async function localPlatform(options: LocalPlatformOptions): Promise<LocalPlatform> {
  const { settings, now = () => new Date(), decorate = (parts) => parts } = options
  fs.mkdirSync(options.data, { recursive: true, mode: 0o700 })
  const folder = fs.realpathSync.native(options.data)
  const lock = lockFolder(folder)
  try {
    openFormat(folder)
    const secrets = openSecrets(join(folder, 'secrets.json'), options.secret)
    const database = openDatabase(join(folder, databaseFile))
    const inbox = join(folder, 'inbox')
    const outbox = join(folder, 'outbox')
    const mailer = mailerOf(settings, outbox, now)
    let worker: Worker | undefined
    let isEnding = false
    const turns = keyLock()

    const parts = decorate({
      folder,
      database,
      objects: fileObjectStore({ folder: join(folder, 'objects'), places: { inbox, outbox } }),
      records: sqliteRecordStore({ database, now }),
      jobs: sqliteJobQueue({ database, now }),
      mailerAt: mailer.at,
      outbox: outboxFolder(outbox),
      keepsMails: settings.smtpUrl === undefined,
      settings,
      secrets,
      log: options.log ?? jsonLog(),
      version: manifest.version,
      isWorking: () => worker !== undefined,
      isEnding: () => isEnding,
      alone: (work) =>
        turns('mail', async () => {
          const goOn = await worker?.holdMail()
          try {
            return await work()
          } finally {
            goOn?.()
          }
        }),
    })
    const { records, jobs } = parts
    const platform = machinePlatform(parts, now)
    const localKey = secrets.localKey
    if (!localKey || !(await findApiKey(platform, `Bearer ${localKey}`))) {
      // Its owner can read the whole folder: a lost or revoked key is made anew.
      await revokeApiKey(platform, 'local')
      secrets.keepLocalKey((await createApiKey(platform, 'local')).key)
    }
    let tidiedOutboxAt = Number.NEGATIVE_INFINITY

    return {
      ...platform,
      folder,
      localKey: secrets.localKey as string,
      isAfterPowerCut: lock.isAfterPowerCut,
      startWorker: () => {
        if (worker) throw new Error('a worker runs already')
        const started = startWorker(platform, jobs)
        worker = {
          ...started,
          stop: async (graceMs) => {
            isEnding = true
            mailer.windDown()
            await started.stop(graceMs)
            worker = undefined
          },
        }
        return worker
      },
      tidy: async () => {
        await records.prune()
        if (now().getTime() - tidiedOutboxAt < 3_600_000) return
        tidiedOutboxAt = now().getTime()
        await pruneOutbox(outbox, settings.keep.runsDays, now())
      },
      close: async () => {
        await worker?.stop()
        mailer.close()
        jobs.close()
        database.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

interface MailerByClock {
  at(now: () => Date): Mailer
  windDown(): void
  close(): void
}

function mailerOf(settings: Settings, outbox: string, now: () => Date): MailerByClock {
  fs.mkdirSync(outbox, { recursive: true })
  if (settings.smtpUrl) return smtpMailer({ url: settings.smtpUrl, now })
  return {
    at: (clock) => outboxMailer({ folder: outbox, now: clock }),
    windDown: () => {},
    close: () => {},
  }
}
