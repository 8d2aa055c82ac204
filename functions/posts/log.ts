import { everything, recordKeys } from '../keys.ts'
import type { NewRecord, Platform, StoredRecord } from '../platform.ts'
import type { MailMode } from './post.ts'
import { getStoredPost, type StoredPost } from './stored-post.ts'

/** A place in the log: given once, in the order in which posts first became visible, never changed. */
export interface LogEntry {
  n: number
  postId: string
  /** As they were when it was listed. */
  categories: string[]
  /** `none`: not mailable. */
  mail: MailMode
  /** 0 for the first listing; above it, a wish to mail the post once more. */
  again: number
}

export type LogItem = Omit<LogEntry, 'n'>

/** The log's one changing item: the next number and the newest entries, without a gap up to it. */
export interface LogHead {
  next: number
  entries: LogEntry[]
}

/**
 * When entries leave the head for rows. Each write of the head carries all of it, so a short head
 * keeps a single post cheap; the rows cost the same early or late.
 */
export interface HeadLimits {
  /** Over so many entries the head is trimmed … */
  most: number
  /** … to the newest so many. */
  keep: number
  /** Bytes of entries, as JSON, that one write keeps and that one write adds, each. */
  bytes: number
}
const headLimits: HeadLimits = { most: 64, keep: 32, bytes: 100_000 }

/** How many one write of the head takes in at most. */
const mostAtOnce = 500

/**
 * Gives each post its number, many in one write of the head (protocol L1). A post that has its
 * number (for this `again`) keeps it, however often and by however many it is listed; posts without
 * a record are left out. Repeatable after a crash at any step. The caller notes number and `again`
 * on the posts, by one of its own writes; until it has, the entry stands in the head, or whoever
 * trimmed it has noted it.
 */
export async function enterLog(
  { records }: Pick<Platform, 'records'>,
  items: readonly LogItem[],
  limits: HeadLimits = headLimits,
): Promise<Map<string, LogEntry>> {
  const entered = new Map<string, LogEntry>()
  let open = [...new Map(items.map((item) => [item.postId, item])).values()]
  while (open.length > 0) {
    const head = await records.get<LogHead>(recordKeys.logHead)
    const { next, entries } = head?.value ?? { next: 1, entries: [] }

    const inline = new Map(entries.map((entry) => [`${entry.postId} ${entry.again}`, entry]))
    open = open.filter((item) => {
      const entry = inline.get(`${item.postId} ${item.again}`)
      if (entry) entered.set(item.postId, entry)
      return !entry
    })
    // After the head, never before it: an entry that left the head meanwhile is noted on its post.
    const posts = await getStored(records, open)
    open = open.filter((item, i) => {
      const post = posts[i]
      if (post && isListed(post, item.again)) {
        entered.set(item.postId, { ...item, n: post.number })
        return false
      }
      return post !== undefined
    })
    if (open.length === 0) break

    const added = upTo(open, limits.bytes).map((item, i) => ({ ...item, n: next + i }))
    const going = entriesToGo(entries, limits)
    await moveToRows({ records }, going)
    const value: LogHead = {
      next: next + added.length,
      entries: [...entries.slice(going.length), ...added],
    }
    const outcome = await records.put(
      { ...recordKeys.logHead, value },
      head ? { ifVersion: head.version } : { ifAbsent: true },
    )
    if (outcome.status === 'conflict') continue
    for (const entry of added) entered.set(entry.postId, entry)
    open = open.slice(added.length)
  }
  return entered
}

/** The highest number given (0 at first) and the newest entries, ascending, without a gap up to it. */
export async function readLogHead({
  records,
}: Pick<Platform, 'records'>): Promise<{ last: number; entries: LogEntry[] }> {
  const head = await records.get<LogHead>(recordKeys.logHead)
  return { last: (head?.value.next ?? 1) - 1, entries: head?.value.entries ?? [] }
}

/** The log's head, unwritten, as it will read once these have been listed. */
export async function headOnceListed(
  { records }: Pick<Platform, 'records'>,
  items: readonly LogItem[],
): Promise<{ record: StoredRecord<LogHead>; added: LogEntry[] }> {
  const head = await records.get<LogHead>(recordKeys.logHead)
  const { next, entries } = head?.value ?? { next: 1, entries: [] }
  const added = items.map((item, i) => ({ ...item, n: next + i }))
  const value = { next: next + added.length, entries: [...entries, ...added] }
  return { record: { ...recordKeys.logHead, version: '', ...head, value }, added }
}

/**
 * The entries numbered above `after` up to `to`, ascending, without a gap (protocol L3); at most
 * `limit` of them. A category's are those of posts that were in it when they were listed; wishes to
 * mail again stand in `*` only.
 */
export async function readLog(
  { records }: Pick<Platform, 'records'>,
  feed: string,
  { after, to, limit = Number.POSITIVE_INFINITY }: { after: number; to: number; limit?: number },
): Promise<LogEntry[]> {
  // The head first: what has left it by then has its rows. In the other order, an entry that moves
  // between the two reads is in neither.
  const { last, entries } = await readLogHead({ records })
  const firstInline = last - entries.length + 1
  const found: LogEntry[] = []
  const end = Math.min(to, firstInline - 1)
  if (end > after) {
    const partition = recordKeys.logRows(feed)
    const range = {
      from: recordKeys.logRow(feed, after + 1).sort,
      to: recordKeys.logRow(feed, end).sort,
    }
    let cursor: string | undefined
    do {
      const page = await records.query<LogEntry>(partition, {
        ...range,
        limit: Math.min(1000, limit - found.length),
        ...(cursor === undefined ? {} : { cursor }),
      })
      found.push(...page.records.map((record) => record.value))
      cursor = page.cursor
    } while (cursor !== undefined && found.length < limit)
  }
  const inline = entries.filter(
    (entry) => entry.n > after && entry.n <= to && feedsOf(entry).includes(feed),
  )
  return [...found, ...inline].slice(0, limit)
}

/** Protocol L2, but for the write of the head, which comes with the next listing. */
async function moveToRows(
  { records }: Pick<Platform, 'records'>,
  going: readonly LogEntry[],
): Promise<void> {
  if (going.length === 0) return
  // An entry never changes, so putting its rows again is the same as putting them if absent.
  await records.putMany(
    going.flatMap((entry) =>
      feedsOf(entry).map(
        (feed) => ({ ...recordKeys.logRow(feed, entry.n), value: entry }) as unknown as NewRecord,
      ),
    ),
  )
  const posts = await getStored(records, going)
  await Promise.all(
    going.map(async (entry, i) => {
      const post = posts[i]
      if (post && !isListed(post, entry.again)) await noteListed({ records }, entry)
    }),
  )
}

/** Sets the post's number if it has none, and the wish that the log holds. Repeatable. */
export async function noteListed(
  { records }: Pick<Platform, 'records'>,
  entry: LogEntry,
): Promise<void> {
  for (;;) {
    const post: StoredRecord<StoredPost> | undefined = await getStoredPost(
      { records },
      entry.postId,
    )
    if (!post || isListed(post.value, entry.again)) return
    const outcome = await records.put(
      { ...post, value: withListing(post.value, entry) },
      { ifVersion: post.version },
    )
    if (outcome.status === 'stored') return
  }
}

/** A post with what its entry in the log says of it. */
export function withListing(
  post: StoredPost,
  { n, again }: LogEntry,
): StoredPost & { number: number } {
  return {
    ...post,
    number: post.number ?? n,
    listedAgain: Math.max(post.listedAgain ?? 0, again),
  }
}

/** Whether the log holds a post's listing, for this wish to mail it. */
export function isListed(
  post: StoredPost,
  again: number = post.again,
): post is StoredPost & { number: number } {
  return post.number !== undefined && (post.listedAgain ?? 0) >= again
}

/** What the log is to hold of a post that is listed. */
export function logItemOf({ id, categories, listAs, again }: StoredPost): LogItem {
  return { postId: id, categories, mail: listAs ?? 'none', again }
}

function feedsOf(entry: LogEntry): string[] {
  return entry.again > 0 ? [everything] : [everything, ...entry.categories]
}

async function getStored(records: Platform['records'], items: readonly { postId: string }[]) {
  const found = await records.getMany<StoredPost>(items.map((item) => recordKeys.post(item.postId)))
  return found.map((record) => record?.value)
}

/** As many items, from the first, as one write takes; always one. */
function upTo(items: readonly LogItem[], bytes: number): LogItem[] {
  let room = bytes
  let count = 0
  for (const item of items.slice(0, mostAtOnce)) {
    room -= sizeOf(item)
    if (room < 0 && count > 0) break
    count++
  }
  return items.slice(0, count)
}

/** The oldest entries, when the head holds more than it should. */
function entriesToGo(entries: readonly LogEntry[], { most, keep, bytes }: HeadLimits): LogEntry[] {
  const size = entries.reduce((sum, entry) => sum + sizeOf(entry), 0)
  if (entries.length <= most && size <= bytes) return []
  let room = bytes / 2
  let staying = 0
  while (staying < Math.min(keep, entries.length)) {
    room -= sizeOf(entries[entries.length - 1 - staying] as LogEntry)
    if (room < 0) break
    staying++
  }
  return entries.slice(0, entries.length - staying)
}

function sizeOf(item: LogItem) {
  return Buffer.byteLength(JSON.stringify(item)) + 1
}
