import { createHash, type Hash } from 'node:crypto'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type {
  ObjectPage,
  ObjectStore,
  PutObjectOptions,
  PutObjectOutcome,
  StoredObject,
} from '../platform.ts'
import { compareBytes } from './byte-order.ts'
import { fileWriter, isAbsence, removeLeftovers } from './durable-files.ts'
import { assertFileKey, internalFolder, isFileKey } from './file-keys.ts'
import { keyLock } from './key-lock.ts'
import { typeOfKey } from './object-types.ts'

export interface FileObjectStoreOptions {
  folder: string
  /** Folders elsewhere for some first segments of keys, such as `inbox`. */
  places?: Record<string, string>
  /** `false` never waits for the disk. For tests. @default true */
  syncs?: boolean
}

/** Everything but this is made durable before the answer. */
const renderedAgain = 'public/'
const mostPlain = 20_000
/** Read without leaving the thread: most are in the page cache, and that is ten times as fast. */
const smallBytes = 512 * 1024
const readFile = promisify(fs.readFile)
const readPiece = promisify(fs.read)

/**
 * Objects as files under a folder, each at its key, as anybody may read them: `public/` is ready
 * for any web server.
 *
 * - What the key does not tell (`object-types.ts`) is kept under `.broadsheet/meta/`, bound to the
 *   bytes by their ETag: a crash between the two files leaves an object without a `version`, never
 *   with a wrong one.
 * - Conditions are exact within this process; `ifAbsent` also between processes. One process at a
 *   time works on a data folder (`folder-lock.ts`).
 * - A key cannot continue another one (`a` and `a/b`), as a file is no folder: such a put throws.
 * - Symbolic links below the folder are not followed: behind one there is no object, and a put
 *   throws.
 * - On a file system that takes `A` and `a` for the same name, or composed and decomposed letters,
 *   an object is found under the very key it was stored with, and a put under its twin throws.
 */
export function fileObjectStore(options: FileObjectStoreOptions): ObjectStore {
  const { syncs = true } = options
  fs.mkdirSync(options.folder, { recursive: true })
  const folder = fs.realpathSync.native(options.folder)
  const places = new Map<string, string>()
  for (const [segment, place] of Object.entries(options.places ?? {})) {
    fs.mkdirSync(place, { recursive: true })
    places.set(segment, fs.realpathSync.native(place))
  }
  const temporary = join(folder, internalFolder, 'tmp')
  removeLeftovers(temporary)
  const plain = new Set<string>()
  const writer = fileWriter({ temporary, syncs })
  const lock = keyLock()
  const isCaseBlind = fs.existsSync(join(folder, internalFolder.toUpperCase()))

  function pathOf(key: string): string {
    assertFileKey(key)
    const [first = '', ...rest] = key.split('/')
    const place = places.get(first)
    return place ? join(place, ...rest) : join(folder, first, ...rest)
  }

  // By hash: a key may have a segment as long as a file's name can be.
  function metaPathOf(key: string): string {
    const hash = createHash('sha256').update(key).digest('hex')
    return join(folder, internalFolder, 'meta', hash.slice(0, 2), `${hash.slice(2, 40)}.json`)
  }

  /** Whether the folder of a path is the one its name says, not one behind a link. */
  function isPlain(path: string): boolean {
    const parent = dirname(path)
    if (plain.has(parent)) return true
    if (fs.realpathSync.native(parent) !== parent) return false
    // Looked at once: who can put links in place of our folders later can do anything.
    if (plain.size > mostPlain) plain.clear()
    plain.add(parent)
    return true
  }

  /** Opens the file at a path for `use`; `undefined` where there is no object. */
  async function opened<T>(
    path: string,
    use: (file: number, stat: fs.Stats) => T | Promise<T>,
  ): Promise<T | undefined> {
    let file: number | undefined
    try {
      if (!isPlain(path)) return undefined
      if (isCaseBlind && fs.realpathSync.native(path) !== path) return undefined
      file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW)
      const stat = fs.fstatSync(file)
      return stat.isFile() ? await use(file, stat) : undefined
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (isAbsence(error) || code === 'ELOOP' || code === 'EISDIR') return undefined
      throw error
    } finally {
      if (file !== undefined) fs.closeSync(file)
    }
  }

  const read = (path: string) =>
    opened(path, async (file, { size, mtime }) => ({
      body: size > smallBytes ? await readFile(file) : fs.readFileSync(file),
      lastModified: mtime,
    }))

  async function get(key: string): Promise<StoredObject | undefined> {
    const found = await read(pathOf(key))
    if (!found) return undefined
    const etag = etagOf(found.body)
    return { ...(readMeta(metaPathOf(key))[etag] ?? typeOfKey(key)), ...found, etag }
  }

  async function put(
    key: string,
    body: Uint8Array,
    options: PutObjectOptions,
  ): Promise<PutObjectOutcome> {
    const path = pathOf(key)
    return lock(key, async (): Promise<PutObjectOutcome> => {
      const isDurable = !key.startsWith(renderedAgain)
      refuseLinksAndTwins(path, key)
      const etag = etagOf(body)
      const metaPath = metaPathOf(key)
      const isPlainType = isDerived(key, options)
      const meta = readMeta(metaPath)
      const hasMeta = Object.keys(meta).length > 0
      const current =
        options.ifMatch !== undefined || hasMeta || !isPlainType ? await read(path) : undefined
      const currentEtag = current && etagOf(current.body)
      if (options.ifMatch !== undefined && currentEtag !== options.ifMatch) {
        return { status: 'conflict' }
      }
      if (options.ifAbsent && fs.existsSync(path)) return { status: 'conflict' }
      if (!isPlainType || hasMeta) {
        // Both the old and the new bytes find theirs, whichever of them a crash leaves.
        const kept = currentEtag && meta[currentEtag]
        const next = JSON.stringify({
          ...(kept && currentEtag ? { [currentEtag]: kept } : {}),
          [etag]: describe(options),
        })
        await writer.write({ path: metaPath, body: Buffer.from(next), isDurable })
      }
      const outcome = await writer.write({
        path,
        body,
        isDurable,
        ifAbsent: options.ifAbsent ?? false,
      })
      return outcome === 'written' ? { status: 'stored', etag } : { status: 'conflict' }
    })
  }

  function refuseLinksAndTwins(path: string, key: string): void {
    if (!isCaseBlind && plain.has(dirname(path))) return
    const place = nearestFolder(dirname(path))
    const real = fs.realpathSync.native(place)
    if (isCaseBlind) {
      const isOther = (at: string) => fs.realpathSync.native(at) !== at
      if (
        real.toLowerCase() === place.toLowerCase() &&
        (isOther(place) || (fs.existsSync(path) && isOther(path)))
      ) {
        throw new Error(`the object key ${JSON.stringify(key)} differs only in case from another`)
      }
    }
    if (real !== place) {
      throw new Error(`a symbolic link stands in the way of the object ${JSON.stringify(key)}`)
    }
  }

  async function remove(key: string): Promise<void> {
    const path = pathOf(key)
    await lock(key, async () => {
      const isDurable = !key.startsWith(renderedAgain)
      try {
        if (!isPlain(path)) return
      } catch (error) {
        if (isAbsence(error)) return
        throw error
      }
      await writer.remove(path, isDurable)
      await writer.remove(metaPathOf(key), false)
      removeEmptyFolders(dirname(path))
    })
  }

  // Up to the first segment, which stays: somebody may be looking into it.
  function removeEmptyFolders(from: string): void {
    const roots = [folder, ...places.values()]
    for (let path = from; !roots.includes(path) && !roots.includes(dirname(path)); ) {
      try {
        fs.rmdirSync(path)
      } catch {
        return
      }
      path = dirname(path)
    }
  }

  async function list(
    prefix: string,
    { after = '', limit = 1000 }: { after?: string; limit?: number } = {},
  ): Promise<ObjectPage> {
    const most = Math.min(Math.max(limit, 1), 1000)
    const objects: ObjectPage['objects'] = []
    for (const key of keysAfter(prefix, after)) {
      if (objects.length === most) return { objects, more: true }
      const found = await opened(pathOf(key), async (file, { size, mtime }) => ({
        key,
        etag: await etagOfFile(file, size),
        size,
        lastModified: mtime,
      }))
      if (found) objects.push(found)
    }
    return { objects, more: false }
  }

  /** Walks only the folders that can hold such keys, each read when the walk comes to it. */
  function* keysAfter(prefix: string, after: string): Generator<string> {
    const open: Iterator<string>[] = [entries('')]
    for (let folder = open.at(-1); folder; folder = open.at(-1)) {
      const { value, done } = folder.next()
      if (done) open.pop()
      else if (value.endsWith('/')) open.push(entries(value))
      else yield value
    }

    function* entries(parent: string): Generator<string> {
      for (const name of namesIn(parent)) {
        const key = parent + name
        const isFolder = name.endsWith('/')
        const isInPrefix = key.startsWith(prefix) || (isFolder && prefix.startsWith(key))
        const isAfter = compareBytes(key, after) > 0 || (isFolder && after.startsWith(key))
        if (isInPrefix && isAfter) yield key
      }
    }
  }

  /** Names in a folder in the order of the keys they begin; those of folders end with `/`. */
  function namesIn(parent: string): string[] {
    const names: string[] = []
    if (parent === '') for (const segment of places.keys()) names.push(`${segment}/`)
    try {
      const path = parent === '' ? folder : pathOf(parent.slice(0, -1))
      if (fs.realpathSync.native(path) !== path) return []
      for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
        const name = entry.name.normalize('NFC')
        if (!isFileKey(parent + name) || (parent === '' && places.has(name))) continue
        if (entry.isDirectory()) names.push(`${name}/`)
        else if (entry.isFile()) names.push(name)
      }
    } catch (error) {
      if (!isAbsence(error)) throw error
    }
    return names.sort(compareBytes)
  }

  return { get, put, delete: remove, list }
}

/** The path itself or the first folder above it that exists. */
function nearestFolder(path: string): string {
  let at = path
  while (!fs.lstatSync(at, { throwIfNoEntry: false })) at = dirname(at)
  return at
}

type Meta = Record<string, { contentType: string; cacheControl?: string; version?: string }>

function describe({ contentType, cacheControl, version }: PutObjectOptions): Meta[string] {
  return {
    contentType,
    ...(cacheControl === undefined ? {} : { cacheControl }),
    ...(version === undefined ? {} : { version }),
  }
}

function isDerived(key: string, options: PutObjectOptions): boolean {
  const derived = typeOfKey(key)
  return (
    options.version === undefined &&
    options.contentType === derived.contentType &&
    options.cacheControl === derived.cacheControl
  )
}

// Written by this file only; one that a power cut left broken counts as none.
function readMeta(path: string): Meta {
  if (!fs.existsSync(path)) return {}
  try {
    return JSON.parse(fs.readFileSync(path, 'utf8')) as Meta
  } catch (error) {
    if (isAbsence(error) || error instanceof SyntaxError) return {}
    throw error
  }
}

function etagOf(body: Uint8Array): string {
  return shortened(createHash('sha256').update(body))
}

// In pieces: a listing may meet files of any size that people have put into a folder.
async function etagOfFile(file: number, size: number): Promise<string> {
  if (size <= smallBytes) return etagOf(fs.readFileSync(file))
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafe(smallBytes)
  for (;;) {
    const { bytesRead } = await readPiece(file, piece, 0, smallBytes, null)
    if (bytesRead === 0) return shortened(hash)
    hash.update(piece.subarray(0, bytesRead))
  }
}

function shortened(hash: Hash): string {
  return hash.digest('base64url').slice(0, 27)
}
