import fs from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { ServiceError } from '../errors.ts'
import type { ObjectStore, RecordKey, StoredRecord } from '../platform.ts'
import type { Secrets } from '../secrets.ts'
import { databaseFile } from './backup.ts'
import { type BackupNote, backupNoteOf } from './backup-note.ts'
import { everyRecord } from './every-record.ts'
import { fileObjectStore } from './file-object-store.ts'
import { currentFormat, formatOf } from './folder-format.ts'
import { openSecrets } from './secrets-file.ts'

/** A backup, or a data folder at rest, to be read and not changed. */
export interface OpenBackup {
  readonly note: BackupNote
  readonly secrets: Secrets
  readonly objects: Pick<ObjectStore, 'get' | 'list'>
  /** Those that live at `now`, in the order of their keys, behind `after`. */
  records(now: Date, after?: RecordKey): Iterable<StoredRecord[]>
  close(): void
}

/**
 * Opens what `backupFolder` made. Its files must be there.
 *
 * @throws ServiceError `folder.older`, `folder.newer`, `secrets.unreadable`
 */
export function openBackup(folder: string): OpenBackup {
  const format = formatOf(folder)
  if (format !== currentFormat) {
    throw new ServiceError(
      409,
      (format ?? 0) < currentFormat ? 'folder.older' : 'folder.newer',
      `${folder} has the format ${format}, and this program ${currentFormat}. Restore it into a data folder with the newer of the two programs, and back that up.`,
    )
  }
  const { secrets } = openSecrets(join(folder, 'secrets.json'))
  const objects = fileObjectStore({
    folder: join(folder, 'objects'),
    places: { inbox: join(folder, 'inbox'), outbox: join(folder, 'outbox') },
  })
  const db = openAtRest(join(folder, databaseFile))
  return {
    note: backupNoteOf(folder, databaseFile),
    secrets,
    objects,
    records: (now, after) => everyRecord(db, now, after),
    close: () => db.close(),
  }
}

function openAtRest(file: string): DatabaseSync {
  const log = fs.statSync(`${file}-wal`, { throwIfNoEntry: false })
  const url = pathToFileURL(file)
  // Else SQLite makes files beside it, where there may be no right to. What a killed process left in
  // the log counts, so then it has to.
  if (!log || log.size === 0) url.searchParams.set('immutable', '1')
  return new DatabaseSync(url, { readOnly: true })
}
