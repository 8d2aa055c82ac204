import fs from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../errors.ts'
import { isAbsence } from './durable-files.ts'

/** How this program lays out a data folder. Raised by each change that an older one cannot read. */
export const currentFormat = 1

/** By the format that it starts from; each leaves the folder in the next one and may be repeated. */
export type FormatUpgrades = Readonly<Record<number, (folder: string) => Promise<void> | void>>

export interface FolderFormatOptions {
  current?: number
  upgrades?: FormatUpgrades
  /** Copies the folder to a new one before it is changed. */
  backup?: (folder: string, target: string) => Promise<unknown>
}

/**
 * Brings a data folder to this program's format, after a copy of it beside: `data.format-1`. A new
 * folder gets the current one. Call it under the folder's lock.
 *
 * @throws ServiceError `folder.newer` when a newer program wrote it; nothing is touched then.
 */
export async function openFormat(folder: string, options: FolderFormatOptions = {}): Promise<void> {
  const { current = currentFormat, upgrades = {}, backup = copyFolder } = options
  const path = join(folder, 'format.json')
  let format = readFormat(path)
  if (format === undefined) return save(path, current)
  if (format > current) {
    throw new ServiceError(
      409,
      'folder.newer',
      `The data folder ${folder} was written by a newer version of this program (format ${format}; this one knows ${current}). Install that version, or restore a backup from before.`,
    )
  }
  if (format === current) return
  const copy = `${folder}.format-${format}`
  if (!fs.existsSync(copy)) {
    // Copied under another name first, so that a copy by that name is a whole one.
    fs.rmSync(`${copy}.unfinished`, { recursive: true, force: true })
    await backup(folder, `${copy}.unfinished`)
    fs.renameSync(`${copy}.unfinished`, copy)
  }
  for (; format < current; format++) {
    const upgrade = upgrades[format]
    if (!upgrade) throw new Error(`no upgrade of a data folder from format ${format}`)
    await upgrade(folder)
    save(path, format + 1)
  }
}

async function copyFolder(folder: string, target: string): Promise<void> {
  await fs.promises.cp(folder, target, {
    recursive: true,
    mode: fs.constants.COPYFILE_FICLONE,
    preserveTimestamps: true,
  })
}

/** The format that a folder says it has; `undefined` when it says none. @throws ServiceError `folder.format` */
export function formatOf(folder: string): number | undefined {
  return readFormat(join(folder, 'format.json'))
}

function readFormat(path: string): number | undefined {
  let text: string
  try {
    text = fs.readFileSync(path, 'utf8')
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
  try {
    const { format } = JSON.parse(text) as { format?: unknown }
    if (Number.isSafeInteger(format)) return format as number
  } catch {
    // Told below.
  }
  throw new ServiceError(
    500,
    'folder.format',
    `${path} cannot be read. It holds {"format": ${currentFormat}} for data of this version; put that back if you know it to be so.`,
  )
}

function save(path: string, format: number): void {
  const temporary = `${path}.${process.pid}`
  const file = fs.openSync(temporary, 'w')
  try {
    fs.writeFileSync(file, `${JSON.stringify({ format })}\n`)
    fs.fsyncSync(file)
  } finally {
    fs.closeSync(file)
  }
  fs.renameSync(temporary, path)
}
