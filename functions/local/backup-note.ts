import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'

/** Says of a folder that it is a backup: `backup.json`. A data folder in use has none. */
export interface BackupNote {
  /** Tells backups apart. */
  id: string
  /** RFC 3339: the instant from which on nothing is known to it. */
  at: string
  /** The stack that it was read from; absent for a copy of a data folder. */
  stack?: string
}

export const backupNoteFile = 'backup.json'

/** A note with an id of its own. */
export function newBackupNote(at: Date, stack?: string): BackupNote {
  const id = randomBytes(12).toString('base64url')
  return { id, at: at.toISOString(), ...(stack === undefined ? {} : { stack }) }
}

export function keepBackupNote(folder: string, note: BackupNote): void {
  fs.writeFileSync(join(folder, backupNoteFile), `${JSON.stringify(note)}\n`)
}

/** Of a folder without one, such as a data folder at rest, what its database file tells. */
export function backupNoteOf(folder: string, databaseFile: string): BackupNote {
  try {
    const note = JSON.parse(fs.readFileSync(join(folder, backupNoteFile), 'utf8'))
    const { id, at, stack } = note as Partial<BackupNote>
    if (typeof id === 'string' && typeof at === 'string' && !Number.isNaN(Date.parse(at))) {
      return { id, at, ...(typeof stack === 'string' ? { stack } : {}) }
    }
  } catch {
    // None, or one that a person has changed: the file it stands for is there.
  }
  const { mtime, size } = fs.statSync(join(folder, databaseFile))
  return { id: `${mtime.getTime()}-${size}`, at: mtime.toISOString() }
}
