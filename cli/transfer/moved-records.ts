import { objectKeys, recordKeys } from '../../functions/keys.ts'
import type { RecordKey } from '../../functions/platform.ts'

/** Prefixes of keys of objects that go from a folder to a stack and back. All else is rendered again. */
export const movedObjects = ['posts/', 'outbox/'] as const

/** The key in a stack of an object of a folder, where all kept mails lie side by side. */
export function keyInStack(key: string): string {
  const mail = mailIn(key)
  return mail === undefined ? key : objectKeys.outbox(mail)
}

/** The key in a folder of an object of a stack, where a reader's kept mails lie together. */
export function keyInFolder(key: string): string {
  const mail = mailIn(key)
  return mail === undefined ? key : `${objectKeys.outboxOf()}${mail}.eml`
}

/** The id of the delivery whose mail lies there. */
function mailIn(key: string): string | undefined {
  if (!key.startsWith(objectKeys.outboxOf())) return undefined
  return /([^/]*)\.eml$/.exec(key)?.[1]
}

const place = new Set<string>([
  // Whoever may use the one service may not therefore use the other.
  recordKeys.apiKeys,
  // In a file on one machine: each side has its own way to keep them.
  recordKeys.secret('subscribers').partition,
  recordKeys.secret('links').partition,
  // What was written under another address, and is here still to be written.
  recordKeys.renderedFeeds,
  recordKeys.pagesDue,
  // Somebody waits for them, here and now.
  recordKeys.testMails,
])
/** Mails that another sender sent count towards another quota. */
const paces = [recordKeys.pace(0), recordKeys.paceStretch(0)].map(({ partition }) =>
  partition.slice(0, -1),
)

/**
 * Whether a record says something of posts, readers and deliveries, and not of the place where the
 * service runs.
 */
export function isMoved(key: RecordKey): boolean {
  const { partition, sort } = key
  if (place.has(partition) || paces.some((prefix) => partition.startsWith(prefix))) return false
  const { sending } = recordKeys
  return !(partition === sending.partition && sort === sending.sort)
}

/** How far the clock has come is moved last: from then on it goes. */
export function isClock({ partition, sort }: RecordKey): boolean {
  return partition === recordKeys.clock.partition && sort === recordKeys.clock.sort
}
