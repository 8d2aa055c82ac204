import { existsSync } from 'node:fs'
import { lstat, opendir, readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { contentTypeOf } from '../functions/posts/source/content-type.ts'
import { mostPostBytes } from '../functions/posts/source/most-post-bytes.ts'
import { usageError } from './exit.ts'

/** A file met below a root. */
export interface FoundFile {
  /** Where it is. */
  file: string
  /** Its path below the root, `/`-separated: what makes it the same post the next time. */
  path: string
  /** Why it is not sent at all. */
  skip?: { outcome: 'ignored' | 'refused'; code: string; reason: string }
  /** `undefined` for what is no post by its name. */
  contentType?: string
}

const mostDepth = 64

/**
 * Every regular file below the roots, in the order of their paths. Folders whose name begins with a
 * dot, `node_modules` and a data folder of this program are not entered. Links are named but not
 * followed, so nothing outside the root is ever read.
 */
export async function* postFiles(
  paths: readonly string[],
  root?: string,
): AsyncGenerator<FoundFile> {
  for (const path of paths) {
    const info = await lstat(path).catch((cause: NodeJS.ErrnoException) => {
      throw usageError(
        cause.code === 'ENOENT'
          ? `There is no ${path}.`
          : `${path} cannot be read (${cause.code}).`,
      )
    })
    const base = resolve(root ?? (info.isDirectory() ? path : dirname(path)))
    if (info.isDirectory()) yield* filesBelow(resolve(path), base)
    else yield await found(resolve(path), base)
  }
}

/** One file that somebody named: its path below the root, or its name without one. */
export async function namedFile(file: string, root?: string): Promise<FoundFile> {
  return found(resolve(file), resolve(root ?? dirname(file)))
}

async function* filesBelow(folder: string, root: string): AsyncGenerator<FoundFile> {
  // A stack instead of recursion: the depth of a folder is somebody else's choice.
  const open: string[] = [folder]
  for (let here = open.pop(); here !== undefined; here = open.pop()) {
    const entries = []
    for await (const entry of await opendir(here)) entries.push(entry)
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    const folders: string[] = []
    for (const entry of entries) {
      const path = join(here, entry.name)
      if (entry.isDirectory()) {
        if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
        // It holds copies of all posts, and the secrets.
        if (existsSync(join(path, 'broadsheet.sqlite'))) continue
        if (relative(folder, path).split(sep).length < mostDepth) folders.push(path)
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        yield await found(path, root)
      }
    }
    open.push(...folders.reverse())
  }
}

async function found(file: string, root: string): Promise<FoundFile> {
  const path = relative(root, file).split(sep).join('/')
  if (path === '' || path.startsWith('../')) {
    throw usageError(`${file} does not lie below ${root}. Name its root with --root.`)
  }
  const contentType = contentTypeOf(path)
  const base: FoundFile = { file, path, ...(contentType ? { contentType } : {}) }
  const info = await lstat(file)
  if (info.isSymbolicLink()) {
    const reason = 'It is a link; links are not followed.'
    return { ...base, skip: { outcome: 'ignored', code: 'file.link', reason } }
  }
  if (contentType && info.size > mostPostBytes) {
    const reason = 'It is over 5 MB. Shorten it, or split it.'
    return { ...base, skip: { outcome: 'refused', code: 'too-large', reason } }
  }
  return base
}

/** The bytes of a found file; what cannot be read is `undefined`. */
export async function bytesOf({ file }: FoundFile): Promise<Buffer | undefined> {
  try {
    return await readFile(file)
  } catch {
    return undefined
  }
}
