import fs from 'node:fs'
import { join } from 'node:path'
import type { ObjectStore, RecordStore } from '../platform.ts'
import type { Secrets } from '../secrets.ts'
import { databaseFile } from './backup.ts'
import { openDatabase } from './database.ts'
import { fileObjectStore } from './file-object-store.ts'
import { openFormat } from './folder-format.ts'
import { keepSecrets } from './secrets-file.ts'
import { sqliteRecordStore } from './sqlite-record-store.ts'

/** A data folder that is being filled; no service runs on it. */
export interface NewFolder {
  readonly records: RecordStore
  readonly objects: ObjectStore
  close(): void
}

/**
 * Lays a data folder with these secrets and without a record. Objects that are there already stay:
 * whoever fills it may have been broken off.
 */
export async function newFolder({
  folder,
  secrets,
  now,
}: {
  folder: string
  secrets: Secrets
  now: () => Date
}): Promise<NewFolder> {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const end of ['', '-wal', '-shm']) {
    fs.rmSync(join(folder, `${databaseFile}${end}`), { force: true })
  }
  openFormat(folder)
  keepSecrets(join(folder, 'secrets.json'), secrets)
  const database = openDatabase(join(folder, databaseFile))
  return {
    records: sqliteRecordStore({ database, now }),
    objects: fileObjectStore({
      folder: join(folder, 'objects'),
      places: { inbox: join(folder, 'inbox'), outbox: join(folder, 'outbox') },
    }),
    close: () => database.close(),
  }
}
