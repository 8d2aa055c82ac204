import fs from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ServiceError } from '../errors.ts'

export interface FolderLock {
  /** The last holder was cut off by a power cut or a crash of the machine, not of its process. */
  readonly isAfterPowerCut: boolean
  release(): void
}

interface Holder {
  pid: number
  /** Seconds since 1970 at which the machine started. */
  boot: number
  bootId?: string
}

/** A connection that nobody refers to any more is closed by the collector, and its lock with it. */
const held = new Set<DatabaseSync>()

/**
 * Takes a data folder for this process alone. The lock is the operating system's, held through an
 * empty SQLite file: it ends with the process however that ends, so no stale lock is ever judged
 * by a process number that another program may have by now.
 *
 * @throws ServiceError `folder.locked`, naming the process that has it.
 */
export function lockFolder(folder: string): FolderLock {
  const db = new DatabaseSync(join(folder, 'lock'))
  const holderPath = join(folder, 'lock.json')
  const last = readHolder(holderPath)
  try {
    db.exec('PRAGMA busy_timeout = 0')
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    if ((cause as { errcode?: number }).errcode !== 5) throw cause
    throw new ServiceError(
      409,
      'folder.locked',
      `${last ? `Process ${last.pid}` : 'Another process'} works on the data folder ${folder}. Use it through that one, or stop it first.`,
      { cause },
    )
  }
  held.add(db)
  const mine: Holder = { pid: process.pid, boot: Math.round(Date.now() / 1000 - uptime()) }
  const bootId = readBootId()
  if (bootId) mine.bootId = bootId
  fs.writeFileSync(holderPath, JSON.stringify(mine))
  return {
    isAfterPowerCut: last !== undefined && !isSameBoot(last, mine),
    release: () => {
      if (!held.delete(db)) return
      fs.rmSync(holderPath, { force: true })
      db.close()
    },
  }
}

function isSameBoot(a: Holder, b: Holder): boolean {
  if (a.bootId !== undefined && b.bootId !== undefined) return a.bootId === b.bootId
  // Clocks are set while machines run, but seldom by more than this.
  return Math.abs(a.boot - b.boot) < 300
}

function readHolder(path: string): Holder | undefined {
  try {
    const { pid, boot, bootId } = JSON.parse(fs.readFileSync(path, 'utf8')) as Partial<Holder>
    if (typeof pid !== 'number') return undefined
    return { pid, boot: boot ?? 0, ...(bootId === undefined ? {} : { bootId }) }
  } catch {
    return undefined
  }
}

function readBootId(): string | undefined {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return undefined
  }
}
