import type { Platform } from '../../platform.ts'
import { getPosts } from '../../posts/post.ts'
import type { Subscriber } from '../../subscribers/subscriber.ts'
import { choiceFor } from '../editions/owed.ts'
import { isToCome } from '../runs/is-to-come.ts'
import { getRun, isOver, listOpenRuns } from '../runs/run-store.ts'

type Looking = Pick<Platform, 'records' | 'settings'>

/**
 * Whether a letter is being mailed that has still to come to this reader: it is being planned, or it
 * is planned for them and they have no row of it. One that waits for its time or its approval is
 * planned later, for those who are its readers then.
 */
export async function awaitsLetter(platform: Looking, reader: Subscriber): Promise<boolean> {
  for (const open of await listOpenRuns(platform)) {
    if (open.kind !== 'letter') continue
    // Its maker may have died between listing it as open and making it.
    const run = (await getRun(platform, open.id))?.value ?? open
    if (run.waits || isOver(run)) continue
    const post = run.postId && (await getPosts(platform, [run.postId]))[0]
    if (!post || choiceFor(reader, post, run.to, platform.settings) === undefined) continue
    if (await isToCome(platform, run, reader.id)) return true
  }
  return false
}
