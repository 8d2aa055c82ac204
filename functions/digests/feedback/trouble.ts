import type { Platform } from '../../platform.ts'
import { noteSoftBounce, suppress, suppressComplainant } from '../../subscribers/suppression.ts'
import { countTrouble } from './guard.ts'

/** What can be wrong with a mail once it is on its way; a mail server or a mailbox provider says so. */
export type Trouble = 'hard-bounce' | 'soft-bounce' | 'complaint'

/**
 * Draws the consequences of trouble with one mail: for the reader at once, then for the run it
 * belongs to. Repeatable, in any order, for the same mail and for others.
 */
export async function noteTrouble(
  platform: Pick<Platform, 'records' | 'now' | 'settings' | 'log'>,
  readerId: string,
  /** Absent members are not known: then it is held against the reader or the run alone. */
  mail: { run?: string | undefined; n?: number | undefined },
  trouble: Trouble,
): Promise<void> {
  if (trouble === 'soft-bounce') {
    // A full mailbox says nothing about the list, so the run does not count it.
    if (mail.n !== undefined) await noteSoftBounce(platform, readerId, mail.n)
    return
  }
  if (trouble === 'complaint') await suppressComplainant(platform, readerId)
  else await suppress(platform, readerId, trouble)
  if (mail.run === undefined) return
  const kind = trouble === 'complaint' ? 'complaints' : 'bounces'
  await countTrouble(platform, mail.run, readerId, kind)
}
