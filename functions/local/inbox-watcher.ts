import fs from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import type { Platform } from '../platform.ts'
import { mostPostBytes } from '../posts/source/most-post-bytes.ts'
import { isAbsence } from './durable-files.ts'

export interface InboxWatcher {
  /** Publishes what lies in the inbox now; resolves when that is done. */
  look(): Promise<void>
  stop(): Promise<void>
}

/** What becomes of a file; everything but `refused` counts as taken. */
export interface InboxOutcome {
  status: string
  code?: string
  reason?: string
}

export type PublishInboxFile = (
  platform: Platform,
  file: { path: string; bytes: Uint8Array },
) => Promise<InboxOutcome>

/** A file is taken when it has not changed for so long: a copy may still be under way. */
const restMs = 400
const mostFilesALook = 10_000
const mostWatched = 100
const rejected = 'rejected'

/**
 * Publishes files that are dropped into the folder. A file is removed once its post is stored; a
 * refused one moves to `rejected/`, with the reason in a `.reason.txt` beside it. Names that begin
 * with a dot or end like an unfinished download are left alone, and so are symbolic links.
 */
export function watchInbox(
  platform: Platform,
  folder: string,
  publish: PublishInboxFile = async (...file) => {
    const { publishInboxFile } = await import('../posts/inbox.ts')
    return publishInboxFile(...file)
  },
): InboxWatcher {
  fs.mkdirSync(join(folder, rejected), { recursive: true })
  let running: Promise<void> | undefined
  let isAgain = false
  let isStopped = false
  let timer: NodeJS.Timeout | undefined

  const soon = () => {
    if (isStopped) return
    clearTimeout(timer)
    timer = setTimeout(() => void look(), restMs)
  }
  // A hint only: the clock looks each minute. One plain watcher a folder, as Node's recursive one
  // watches every single file on Linux.
  const watchers = new Map<string, fs.FSWatcher>()
  function watchFolders(folders: ReadonlySet<string>): void {
    for (const [path, watcher] of watchers) {
      if (folders.has(path)) continue
      watcher.close()
      watchers.delete(path)
    }
    for (const path of folders) {
      if (watchers.has(path) || watchers.size >= mostWatched) continue
      try {
        const watcher = fs.watch(path, soon)
        watcher.on('error', () => {
          watcher.close()
          watchers.delete(path)
        })
        watchers.set(path, watcher)
      } catch (error) {
        if (isAbsence(error)) continue
        platform.log.warn('inbox.not-watched', { reason: (error as Error).message })
        return
      }
    }
  }
  watchFolders(new Set([folder]))

  function look(): Promise<void> {
    if (isStopped) return Promise.resolve()
    if (running) {
      isAgain = true
      return running
    }
    running = lookOnce()
      .catch((error: unknown) => platform.log.error('inbox.failed', error))
      .finally(() => {
        running = undefined
        if (isAgain) soon()
        isAgain = false
      })
    return running
  }

  async function lookOnce(): Promise<void> {
    let isUnfinished = false
    const { files, folders } = walk(folder)
    watchFolders(folders)
    for (const path of files) {
      if (isStopped) return
      const outcome = await takeFile(path)
      if (outcome === 'unfinished') isUnfinished = true
    }
    if (isUnfinished) soon()
  }

  async function takeFile(path: string): Promise<'taken' | 'unfinished'> {
    const full = join(folder, path)
    const before = statOf(full)
    if (!before) return 'taken'
    if (Math.abs(Date.now() - before.mtimeMs) < restMs) return 'unfinished'
    try {
      if (before.size > mostPostBytes) await moveAway(path)
      else if (!(await takeBytes(path, full, before))) return 'unfinished'
      removeEmptyFolders(dirname(full))
    } catch (error) {
      // A fault of ours or of the disk: the file stays, and the next look tries again.
      platform.log.error('inbox.file-failed', error)
    }
    return 'taken'
  }

  /** Whether the file is gone from the inbox; it is not when it was saved anew meanwhile. */
  async function takeBytes(path: string, full: string, before: fs.Stats): Promise<boolean> {
    const bytes = await fs.promises.readFile(full)
    const outcome = await publish(platform, { path, bytes })
    const after = statOf(full)
    if (!after || after.mtimeMs !== before.mtimeMs || after.size !== before.size) return false
    if (outcome.status === 'refused') {
      const { code = 'refused', reason = 'It cannot be published.' } = outcome
      const { keepRejected } = await import('../posts/inbox.ts')
      await keepRejected(platform, { path, bytes, code, reason })
      platform.log.warn('inbox.rejected', { code })
    } else platform.log.info('inbox.published', { outcome: outcome.status })
    await fs.promises.rm(full, { force: true })
    return true
  }

  /** A file that is too large to be read is moved as it is. */
  async function moveAway(path: string): Promise<void> {
    const { reasonText } = await import('../posts/inbox.ts')
    const target = join(folder, rejected, path)
    await fs.promises.mkdir(dirname(target), { recursive: true })
    const reason = 'The file is too large: at most 5 MB.'
    await fs.promises.writeFile(`${target}.reason.txt`, reasonText({ code: 'too-large', reason }))
    await fs.promises.rename(join(folder, path), target)
    platform.log.warn('inbox.rejected', { code: 'too-large' })
  }

  function removeEmptyFolders(from: string): void {
    for (let at = from; at !== folder && at.startsWith(folder); at = dirname(at)) {
      try {
        fs.rmdirSync(at)
      } catch {
        return
      }
    }
  }

  return {
    look,
    stop: async () => {
      isStopped = true
      clearTimeout(timer)
      watchFolders(new Set())
      await running
    },
  }
}

/** Files by their paths below the inbox, `/`-separated, in order: dated names come in time's order. */
function walk(folder: string): { files: string[]; folders: Set<string> } {
  const files: string[] = []
  const folders = new Set([folder])
  // A set goes on over what is added to it meanwhile.
  for (const at of folders) {
    for (const entry of entriesIn(at)) {
      const full = join(at, entry.name)
      if (entry.name.startsWith('.') || full === join(folder, rejected)) continue
      if (entry.isDirectory()) folders.add(full)
      else if (entry.isFile() && !/(~|\.(tmp|part|partial|crdownload|swp))$/i.test(entry.name)) {
        files.push(relative(folder, full).split(sep).join('/'))
      }
    }
    if (files.length > mostFilesALook) break
  }
  return { files: files.sort(), folders }
}

function entriesIn(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (isAbsence(error)) return []
    throw error
  }
}

function statOf(path: string): fs.Stats | undefined {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false })
  return stat?.isFile() ? stat : undefined
}
