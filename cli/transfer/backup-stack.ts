import { existsSync, readdirSync } from 'node:fs'
import { rename, rmdir } from 'node:fs/promises'
import { readClock } from '../../functions/clock-mark.ts'
import { keepBackupNote, newBackupNote } from '../../functions/local/backup-note.ts'
import { type NewFolder, newFolder } from '../../functions/local/new-folder.ts'
import type { StoredRecord } from '../../functions/platform.ts'
import { pauseSending } from '../../functions/sending.ts'
import { mendMemberships } from '../../functions/subscribers/mend-memberships.ts'
import { CliError, exitCodes } from '../exit.ts'
import { keepLastStart } from '../last-start.ts'
import { counted } from '../output.ts'
import { throwRefusal } from '../stack/aws-refusal.ts'
import type { OpenStack } from '../stack/on-stack.ts'
import { copyObjects } from './copy-objects.ts'
import { isMoved, keyInFolder, movedObjects } from './moved-records.ts'
import { lookAt } from './stillness.ts'

export interface StackBackup {
  stack: string
  /** RFC 3339: when reading began. */
  at: string
  records: number
  objects: number
  bytes: number
  /** Runs that sent meanwhile, or may have. */
  sending: string[]
}

/** Where the service is too busy for one reading, the next one may be lucky. */
const mostReadings = 3

/**
 * Writes a stack's posts, readers and books into a data folder, in which sending is paused. The
 * stack is only read. The folder appears whole or not at all; repeated after a break it reads the
 * records again and keeps the objects that it has.
 *
 * The table is read while the service runs. So that what belongs together is of one moment, it is
 * read again if a post was published or a run planned meanwhile; readers may do as they like.
 *
 * @throws CliError 7 for a folder that is not empty, 8 for a stack that does not come to rest.
 */
export async function backupStack(
  { stack, platform, everyRecord }: OpenStack,
  folder: string,
  show: (text: string) => void,
): Promise<StackBackup> {
  checkEmpty(folder)
  const { now, secrets } = platform
  const unfinished = `${folder}.unfinished`
  const note = newBackupNote(now(), stack.name)
  try {
    if ((await readClock(platform))?.value.restoring) {
      throw new CliError(
        exitCodes.later,
        `A backup is being restored into the stack ${stack.name}. Finish that first.`,
      )
    }
    for (let reading = 1; ; reading++) {
      const before = await lookAt(platform.records)
      const copy = await newFolder({ folder: unfinished, secrets, now })
      try {
        const reason = `copied from the stack ${stack.name} at ${note.at}`
        await pauseSending({ records: copy.records, now }, reason)
        const records = await copyRecords(everyRecord(), copy, show)
        const after = await lookAt(platform.records)
        if (before.mark !== after.mark || before.isBusy || after.isBusy) {
          if (reading < mostReadings) continue
          throw new CliError(
            exitCodes.later,
            `The stack ${stack.name} was publishing or planning a run each time that it was read (${mostReadings} times). Try again in a quiet moment.`,
          )
        }
        await mendMemberships(copy)
        let objects = 0
        let bytes = 0
        for (const prefix of movedObjects) {
          const copied = await copyObjects(platform.objects, copy.objects, prefix, {
            keyIn: keyInFolder,
            onCopied: (count) => show(`${counted(objects + count, 'object')} read`),
          })
          objects += copied.objects
          bytes += copied.bytes
        }
        // No address that feeds and pages were rendered for: the first start renders all of them.
        keepLastStart(unfinished, { listen: { host: '127.0.0.1', port: 8787 }, baseUrl: '' })
        keepBackupNote(unfinished, note)
        copy.close()
        if (existsSync(folder)) await rmdir(folder)
        await rename(unfinished, folder)
        const sending = [...new Set([...before.sending, ...after.sending])]
        return { stack: stack.name, at: note.at, records, objects, bytes, sending }
      } finally {
        copy.close()
      }
    }
  } catch (error) {
    throwRefusal(error)
  }
}

function checkEmpty(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return
  throw new CliError(exitCodes.safety, `${folder} is not empty. Name a new folder for each backup.`)
}

async function copyRecords(
  pages: AsyncIterable<StoredRecord[]>,
  to: NewFolder,
  show: (text: string) => void,
): Promise<number> {
  let count = 0
  for await (const page of pages) {
    const moved = page.filter(isMoved)
    await to.records.putMany(moved)
    count += moved.length
    show(`${counted(count, 'record')} read`)
  }
  return count
}
