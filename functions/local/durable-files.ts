import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const datasync = promisify(fs.fdatasync)
const sync = promisify(fs.fsync)

export interface FileToWrite {
  path: string
  body: Uint8Array
  /** Wait for the disk: the file, its new folders and its name then survive a power cut. */
  isDurable: boolean
  /** Fails with `exists` when there is such a file, decided by the file system itself. */
  ifAbsent?: boolean
  /** Asked at the last instant before the file appears under its name; `false` leaves no trace. */
  isWanted?: () => boolean
}

export type WriteOutcome = 'written' | 'exists' | 'unwanted'

export interface FileWriter {
  /** Written beside and renamed, so a reader never meets half a file. */
  write(file: FileToWrite): Promise<WriteOutcome>
  /** Removes the file. Absence is not an error. */
  remove(path: string, isDurable: boolean): Promise<void>
}

export interface FileWriterOptions {
  /** Where files are written before they get their name; on the same file system. */
  temporary: string
  /** `false` never waits for the disk. For tests. @default true */
  syncs?: boolean
}

interface Waiting {
  file: FileToWrite
  resolve: (outcome: WriteOutcome) => void
  reject: (error: unknown) => void
}

/** So many files are open at a time. */
const largestRound = 128
const mostKnownFolders = 20_000

/**
 * Writes files whole. Durable ones that are asked for while others wait for the disk are made
 * durable together: all are written, then synced in parallel, then renamed, then each folder that
 * changed is synced once. A thousand small files cost about as much waiting as ten.
 *
 * Small writes into the page cache are made without leaving the thread: that takes a tenth of the
 * time of asking the thread pool. Only waiting for the disk is left to it.
 */
export function fileWriter({ temporary, syncs = true }: FileWriterOptions): FileWriter {
  // Folders that exist and whose names are durable, so that one file more in them costs no look.
  const known = new Set<string>()
  let waiting: Waiting[] = []
  let isRunning = false

  function temporaryPath(): string {
    if (!fs.existsSync(temporary)) fs.mkdirSync(temporary, { recursive: true })
    return join(temporary, `${process.pid}-${randomBytes(9).toString('base64url')}`)
  }

  /** Makes the folder; adds to `changed` every folder that got a new name in it. */
  function makeFolder(folder: string, changed: Set<string>): void {
    if (known.has(folder)) return
    const first = fs.mkdirSync(folder, { recursive: true })
    if (known.size > mostKnownFolders) known.clear()
    known.add(folder)
    if (first === undefined) return
    for (let made = folder; ; made = dirname(made)) {
      changed.add(dirname(made))
      if (made === first || dirname(made) === made) return
    }
  }

  function name(from: string, file: FileToWrite, changed: Set<string>): WriteOutcome {
    for (let attempt = 0; ; attempt++) {
      makeFolder(dirname(file.path), changed)
      if (file.isWanted && !file.isWanted()) {
        forget(from)
        return 'unwanted'
      }
      try {
        if (file.ifAbsent) {
          fs.linkSync(from, file.path)
          forget(from)
        } else fs.renameSync(from, file.path)
        changed.add(dirname(file.path))
        return 'written'
      } catch (error) {
        if (file.ifAbsent && codeOf(error) === 'EEXIST') {
          forget(from)
          return 'exists'
        }
        // A folder that just became empty was removed meanwhile.
        if (codeOf(error) !== 'ENOENT' || attempt > 2) throw error
        known.clear()
      }
    }
  }

  async function write(file: FileToWrite): Promise<WriteOutcome> {
    if (syncs && file.isDurable) {
      return new Promise((resolve, reject) => {
        waiting.push({ file, resolve, reject })
        if (!isRunning) {
          isRunning = true
          setImmediate(runRounds)
        }
      })
    }
    const temporaryFile = temporaryPath()
    try {
      fs.writeFileSync(temporaryFile, file.body)
      return name(temporaryFile, file, new Set())
    } catch (error) {
      forget(temporaryFile)
      throw error
    }
  }

  async function runRounds(): Promise<void> {
    while (waiting.length > 0) {
      const round = waiting.slice(0, largestRound)
      waiting = waiting.slice(largestRound)
      await runRound(round)
    }
    isRunning = false
  }

  async function runRound(round: readonly Waiting[]): Promise<void> {
    const written = await Promise.all(
      round.map(async (one) => {
        let temporaryFile = ''
        try {
          temporaryFile = temporaryPath()
          await writeSynced(temporaryFile, one.file.body)
          return { one, temporaryFile }
        } catch (error) {
          forget(temporaryFile)
          one.reject(error)
          return undefined
        }
      }),
    )
    const changed = new Set<string>()
    const named: { one: Waiting; outcome: WriteOutcome }[] = []
    for (const file of written) {
      if (!file) continue
      try {
        named.push({ one: file.one, outcome: name(file.temporaryFile, file.one.file, changed) })
      } catch (error) {
        forget(file.temporaryFile)
        file.one.reject(error)
      }
    }
    try {
      await Promise.all([...changed].map(syncFolder))
      for (const { one, outcome } of named) one.resolve(outcome)
    } catch (error) {
      for (const { one } of named) one.reject(error)
    }
  }

  async function remove(path: string, isDurable: boolean): Promise<void> {
    try {
      fs.unlinkSync(path)
    } catch (error) {
      if (isAbsence(error)) return
      throw error
    }
    if (syncs && isDurable) await syncFolder(dirname(path))
  }

  return { write, remove }
}

async function writeSynced(path: string, body: Uint8Array): Promise<void> {
  const file = fs.openSync(path, 'wx')
  try {
    for (let at = 0; at < body.length; ) at += fs.writeSync(file, body, at)
    await datasync(file)
  } finally {
    fs.closeSync(file)
  }
}

async function syncFolder(folder: string): Promise<void> {
  let opened: number
  try {
    opened = fs.openSync(folder, 'r')
  } catch (error) {
    // It was removed again, with the name that was to be made durable.
    if (isAbsence(error)) return
    throw error
  }
  try {
    await sync(opened)
  } finally {
    fs.closeSync(opened)
  }
}

// The next start removes what cannot be removed now; the fault that led here is the one to tell.
function forget(temporaryFile: string): void {
  try {
    fs.unlinkSync(temporaryFile)
  } catch {
    // See above.
  }
}

/** Removes what writers that are gone left half written. Those of running processes stay. */
export function removeLeftovers(temporary: string): void {
  let names: string[]
  try {
    names = fs.readdirSync(temporary)
  } catch {
    return
  }
  for (const name of names) {
    const pid = Number.parseInt(name, 10)
    if (pid !== process.pid && isRunningProcess(pid)) continue
    // Our own number may have been another's before a restart; what we write now is younger.
    const path = join(temporary, name)
    const age = Date.now() - (fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    if (pid === process.pid && age < 60_000) continue
    fs.rmSync(path, { force: true, recursive: true })
  }
}

/** Whether a process of this number runs, ours or another's. */
function isRunningProcess(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** Whether the error says that there is no such file. */
export function isAbsence(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}
