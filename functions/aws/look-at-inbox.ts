import { objectKeys } from '../keys.ts'
import { standsStill } from '../stands-still.ts'
import type { InboxBucket } from './inbox-bucket.ts'
import { takeInboxObject } from './inbox-object.ts'
import type { AwsPlatform } from './platform.ts'

const mostPages = 10
const atATime = 4
/** Behind every refused file. */
const pastRejected = `${objectKeys.inboxRejected}\u{10ffff}`

/**
 * Takes files that lie in the inbox although their notice is long due: it was lost, or its function
 * died. Gives back how many it tried; ends at `until` or after ten thousand files, and goes on with
 * the next look. A file that fails is logged and stops no other.
 */
export async function lookAtInbox(platform: AwsPlatform, until: Date): Promise<number> {
  const { inbox, now, log } = platform
  let tried = 0
  const take = async (key: string) => {
    tried++
    try {
      await takeInboxObject(platform, key)
    } catch (error) {
      log.error('inbox.failed', error)
    }
  }
  for await (const files of standingFiles(inbox, now)) {
    for (let i = 0; i < files.length; i += atATime) {
      if (now() >= until) return tried
      await Promise.all(files.slice(i, i + atATime).map(take))
    }
  }
  return tried
}

async function* standingFiles(inbox: InboxBucket, now: () => Date): AsyncGenerator<string[]> {
  let after: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const { files, more } = await inbox.list(after)
    const refused = files.findIndex(({ key }) => key.startsWith(objectKeys.inboxRejected))
    const own = refused < 0 ? files : files.slice(0, refused)
    yield own
      // The notice of others is still under way.
      .filter(({ lastModified }) => standsStill(lastModified, now()))
      .map(({ key }) => key)
    if (refused < 0 && !more) return
    after = refused < 0 ? files.at(-1)?.key : pastRejected
  }
}
