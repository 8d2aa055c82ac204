import { takeSecrets } from '../../functions/aws/stored-secrets.ts'
import { type ClockMark, madeUpTo, type Restoring, readClock } from '../../functions/clock-mark.ts'
import { recordKeys } from '../../functions/keys.ts'
import type { OpenBackup } from '../../functions/local/open-backup.ts'
import type { Platform, StoredRecord } from '../../functions/platform.ts'
import { pauseSending } from '../../functions/sending.ts'
import { answerOf } from '../connection.ts'
import { CliError, exitCodes } from '../exit.ts'
import { counted } from '../output.ts'
import { throwRefusal } from '../stack/aws-refusal.ts'
import type { OpenStack } from '../stack/on-stack.ts'
import { copyObjects } from './copy-objects.ts'
import { isEmpty } from './empty-stack.ts'
import { isClock, isMoved, keyInStack, movedObjects } from './moved-records.ts'

export interface RestoredStack {
  /** That this call wrote: fewer than all when it went on after a break. */
  records: number
  objects: number
  /** It went on where an earlier one was broken off. */
  isContinued: boolean
}

/** A page of records is written as so many batches side by side. */
const batches = 8

/**
 * Moves a backup into a stack that holds neither posts nor readers: first the pause of all sending,
 * then objects, keys and records, then everything is marked to be rendered for the stack's own
 * address. Its clock stands until all is there. Broken off, the same backup goes on where it was.
 *
 * @throws CliError 7 for a stack that is not empty, or that another backup was begun on; 6 when
 * somebody else restores at the same time.
 */
export async function restoreStack(
  open: OpenStack,
  backup: OpenBackup,
  show: (text: string) => void,
): Promise<RestoredStack> {
  try {
    return await restore(open, backup, show)
  } catch (error) {
    throwRefusal(error)
  }
}

async function restore(
  { stack, platform, connection }: OpenStack,
  backup: OpenBackup,
  show: (text: string) => void,
): Promise<RestoredStack> {
  const { note, secrets } = backup
  const begun = await begunIn(platform, stack.name, note)
  await pauseSending(platform, `restored from the backup of ${note.at}`)
  const clock = await holdClock(platform, { backup: note.id, of: note.at, ...begun })

  let objects = 0
  for (const prefix of movedObjects) {
    const copied = await copyObjects(backup.objects, platform.objects, prefix, {
      keyIn: keyInStack,
      onCopied: (count) => show(`${counted(objects + count, 'object')} written`),
    })
    objects += copied.objects
  }
  await takeSecrets(platform.records, secrets)
  let records = 0
  for (const page of backup.records(platform.now(), begun?.after)) {
    const moved = page.filter((record) => isMoved(record) && !isClock(record))
    await putAll(platform, moved)
    records += moved.length
    const end = page.at(-1)
    if (end) await clock.note({ partition: end.partition, sort: end.sort })
    show(`${counted(records, 'record')} written`)
  }
  await answerOf(await connection.fetch('/api/v1/feeds/rebuild', { method: 'POST' }))
  const [behindClock] = backup.records(platform.now(), { ...recordKeys.clock, sort: '' })
  await clock.release(madeUpTo(behindClock?.find(isClock)?.value as ClockMark | undefined))
  return { records, objects, isContinued: begun !== undefined }
}

/** A second stack may not make what the first one has: docs/aws.md, Several stacks. */
const another = 'npx cdk deploy -c stack=NAME -c identity=existing'

/** How far an earlier restore of this backup came; `undefined` for a stack that is empty. */
async function begunIn(
  platform: Pick<Platform, 'records' | 'objects'>,
  name: string,
  note: OpenBackup['note'],
): Promise<Pick<Restoring, 'after'> | undefined> {
  const restoring = (await readClock(platform))?.value.restoring
  if (restoring?.backup === note.id) return restoring.after ? { after: restoring.after } : {}
  if (restoring) {
    throw new CliError(
      exitCodes.safety,
      `The backup of ${restoring.of} was begun to be restored into the stack ${name}, and this is another one (of ${note.at}). Restore that one to its end, or take another stack: ${another}`,
    )
  }
  if (await isEmpty(platform)) return undefined
  throw new CliError(
    exitCodes.safety,
    `The stack ${name} has posts or readers already, and they are never overwritten. Deploy a new one beside it (${another}) and restore into that: --stack NAME`,
  )
}

/** Keeps ticks from a service of which half is there, and remembers how far it came. */
async function holdClock({ records }: Pick<Platform, 'records'>, first: Restoring) {
  let stored = await readClock({ records })
  const { at } = stored?.value ?? {}
  let version = stored?.version
  const put = async (value: ClockMark) => {
    const condition = version === undefined ? ({ ifAbsent: true } as const) : { ifVersion: version }
    const outcome = await records.put({ ...recordKeys.clock, value }, condition)
    if (outcome.status === 'stored') version = outcome.version
    return outcome.status === 'stored'
  }
  const mark = (restoring: Restoring): ClockMark => ({ ...(at ? { at } : {}), restoring })
  while (!(await put(mark(first)))) {
    // A tick that ended just now noted itself. It was the last one.
    stored = await readClock({ records })
    if (stored?.value.restoring) throw atTheSameTime()
    version = stored?.version
  }
  return {
    note: async (after: NonNullable<Restoring['after']>) => {
      if (!(await put(mark({ ...first, after })))) throw atTheSameTime()
    },
    /** The clock goes on from where the backup's stood, so that what was missed since is made up for. */
    release: async (made: Date | undefined) => {
      if (made !== undefined) {
        if (!(await put({ at: made.toISOString() }))) throw atTheSameTime()
      } else if (version) await records.delete(recordKeys.clock, { ifVersion: version })
    },
  }
}

function atTheSameTime(): CliError {
  return new CliError(
    exitCodes.changedMeanwhile,
    'Another restore works on this stack at the same time. Wait for it, or end it and try again.',
  )
}

async function putAll({ records }: Pick<Platform, 'records'>, all: StoredRecord[]): Promise<void> {
  const size = Math.ceil(all.length / batches)
  await Promise.all(
    Array.from({ length: batches }, (_, i) => records.putMany(all.slice(i * size, (i + 1) * size))),
  )
}
