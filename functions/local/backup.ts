import fs from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { backup } from 'node:sqlite'
import { invalid } from '../errors.ts'
import { backupNoteFile, keepBackupNote, newBackupNote } from './backup-note.ts'
import type { LocalDatabase } from './database.ts'
import { isAbsence } from './durable-files.ts'

/** The database's file in a data folder. */
export const databaseFile = 'broadsheet.sqlite'

/** What belongs to a running process, or is half written. */
const leftOut = new Set([
  'server.json',
  'lock',
  'lock-journal',
  'lock.json',
  'objects/.broadsheet/tmp',
  'outbox/.unfinished',
  // Of the backup that this folder was once restored from.
  backupNoteFile,
])

/**
 * Copies a data folder while it is in use. First the database as it stands, by SQLite's own
 * backup, then the files: whatever a record leads to was stored before the record, and so is
 * there. What comes in meanwhile has a file without a record, which harms nothing.
 *
 * @throws ServiceError `backup.folder` when the target is not empty or lies inside the data folder.
 */
export async function backupFolder(
  data: string,
  target: string,
  database: LocalDatabase,
  now: Date,
): Promise<{ files: number; bytes: number }> {
  const from = fs.realpathSync(data)
  const to = resolve(target)
  if (!relative(from, to).startsWith('..')) {
    throw invalid('backup.folder', `A backup cannot lie inside the data folder. Name another one.`)
  }
  if (namesIn(to).length > 0) {
    throw invalid('backup.folder', `${to} is not empty. Name a new folder for each backup.`)
  }
  fs.mkdirSync(to, { recursive: true, mode: 0o700 })
  await backup(database.db, join(to, databaseFile))
  let files = 1
  let bytes = fs.statSync(join(to, databaseFile)).size

  const open = ['']
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const entry of namesIn(join(from, folder))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (leftOut.has(path) || path.startsWith(databaseFile)) continue
      if (entry.isDirectory()) {
        fs.mkdirSync(join(to, path), { recursive: true })
        open.push(path)
      } else if (entry.isFile() && !basename(path).startsWith('.secrets-')) {
        try {
          await fs.promises.copyFile(
            join(from, path),
            join(to, path),
            fs.constants.COPYFILE_FICLONE,
          )
          bytes += (await fs.promises.stat(join(to, path))).size
          files++
        } catch (error) {
          // Removed or replaced since the folder was read.
          if (!isAbsence(error)) throw error
        }
      }
    }
  }
  // Last: a folder with a note is a whole backup.
  keepBackupNote(to, newBackupNote(now))
  return { files, bytes }
}

function namesIn(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (isAbsence(error)) return []
    throw error
  }
}
