import { recordKeys } from '../../functions/keys.ts'
import type { RecordKey } from '../../functions/platform.ts'

/** Prefixes of keys of objects that go from a folder to a stack and back. All else is rendered again. */
export const movedObjects = ['posts/', 'outbox/'] as const

const place = new Set<string>([
  // Whoever may use the one service may not therefore use the other.
  recordKeys.apiKeys,
  // In a file on one machine: each side has its own way to keep them.
  recordKeys.secret('subscribers').partition,
  recordKeys.secret('links').partition,
  // What was written under another address, and is here still to be written.
  recordKeys.renderedFeeds,
  recordKeys.pagesDue,
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
