import fs from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../errors.ts'
import { isAbsence } from './durable-files.ts'

/** How this program lays out a data folder. Raised by each change that an older one cannot read. */
export const currentFormat = 1

/**
 * Notes this program's format in a new data folder. Call it under the folder's lock.
 *
 * @throws ServiceError `folder.newer` when a newer program wrote it; nothing is touched then.
 */
export function openFormat(folder: string): void {
  const format = formatOf(folder)
  if (format === undefined) return save(join(folder, 'format.json'), currentFormat)
  if (format > currentFormat) {
    throw new ServiceError(
      409,
      'folder.newer',
      `The data folder ${folder} was written by a newer version of this program (format ${format}; this one knows ${currentFormat}). Install that version, or restore a backup from before.`,
    )
  }
}

/** The format that a folder says it has; `undefined` when it says none. @throws ServiceError `folder.format` */
export function formatOf(folder: string): number | undefined {
  const path = join(folder, 'format.json')
  let text: string
  try {
    text = fs.readFileSync(path, 'utf8')
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
  try {
    const { format } = JSON.parse(text) as { format?: unknown }
    if (Number.isSafeInteger(format) && (format as number) > 0) return format as number
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
