import { allRecords } from '../../all-records.ts'
import { ServiceError } from '../../errors.ts'
import { recordKeys, shardOf, shards } from '../../keys.ts'
import type { Platform, RecordKey, StoredRecord } from '../../platform.ts'
import { publishDuePosts } from '../../posts/due.ts'
import { readLogHead } from '../../posts/log.ts'
import { getPost } from '../../posts/post.ts'
import { readSending } from '../../sending.ts'
import { getSubscriber, putSubscriber } from '../../subscribers/store.ts'
import type { Subscriber } from '../../subscribers/subscriber.ts'
import { isInFlight } from '../delivery/ledger.ts'
import { advanceLetter } from '../letters/advance-letter.ts'
import { pauseRun } from './control-run.ts'
import { makeLetterRuns, raiseMark, readMark } from './make-runs.ts'
import { insertRun, isOver, listOpenRuns } from './run-store.ts'

/** How far a call came. Give back `to` and `after` until there is no `after`. */
export interface Skipped {
  /** Everything up to this number of the log counts as delivered. */
  to: number
  /** Readers that this call went through. */
  readers: number
  after?: string
}

type Skipping = Pick<Platform, 'records' | 'jobs' | 'settings' | 'now'>

/** So many readers a call: each is a read and a write, and a request must end. */
const readersAtOnce = 1000
const writesAtOnce = 50

/**
 * Counts everything listed so far as delivered to every reader, for a service that was restored from
 * a backup while its other self had gone on sending: what that listed since then, by its date, and
 * the letters that it made or let go by their time are done first, as the next tick would do them.
 * Watermarks only rise, so it may be repeated and broken off. Letters are paused, not ended: each can
 * still be resumed.
 *
 * @throws ServiceError 409 `sending.not-paused`: deliveries under way would not know of it.
 */
export async function skipOwed(
  platform: Skipping,
  from: { to?: number | undefined; after?: string | undefined } = {},
): Promise<Skipped> {
  if (!(await readSending(platform)).paused) {
    throw new ServiceError(
      409,
      'sending.not-paused',
      'What is owed can be skipped only while all sending is paused. Pause it first: `broadsheet runs pause`.',
    )
  }
  if (from.after === undefined) await publishDuePosts(platform)
  const { last } = await readLogHead(platform)
  const to = Math.min(from.to ?? last, last)
  if (from.after === undefined) {
    // Before the readers: no run is made any more for what is skipped. Letters have theirs, to be held.
    await raiseTo(platform, recordKeys.instantHead, to)
    await makeLetterRuns(platform)
  }
  const page = await nextReaders(platform, from.after)
  for (let i = 0; i < page.readers.length; i += writesAtOnce) {
    const some = page.readers.slice(i, i + writesAtOnce)
    await Promise.all(some.map((reader) => raiseWatermark(platform, reader, to)))
  }
  // Last: a tick that had begun before the marks were raised may have made one meanwhile.
  if (page.after === undefined) await holdLetters(platform, to)
  return {
    to,
    readers: page.readers.length,
    ...(page.after === undefined ? {} : { after: page.after }),
  }
}

async function raiseTo(platform: Skipping, key: RecordKey, to: number): Promise<void> {
  for (;;) {
    const mark = await readMark(platform, key)
    if (mark.to >= to) return
    await raiseMark(platform, key, mark, to)
  }
}

/** The readers after an id, in the order of their ids, over the end of a shard. */
async function nextReaders(
  platform: Skipping,
  after = '',
): Promise<{ readers: StoredRecord<Subscriber>[]; after?: string }> {
  const readers: StoredRecord<Subscriber>[] = []
  for (const shard of shards) {
    if (after !== '' && shard < shardOf(after)) continue
    const behind = { ...(after === '' ? {} : { from: after }), limit: readersAtOnce }
    const found = allRecords<Subscriber>(platform, recordKeys.subscribers(shard), behind)
    for await (const record of found) {
      if (record.sort === after) continue
      readers.push(record)
      if (readers.length === readersAtOnce) return { readers, after: record.sort }
    }
  }
  return { readers }
}

async function raiseWatermark(
  platform: Skipping,
  seen: StoredRecord<Subscriber>,
  to: number,
): Promise<void> {
  for (let item: StoredRecord<Subscriber> | undefined = seen; item; ) {
    const next = raised(item.value, to)
    if (!next) return
    const outcome = await putSubscriber(platform, next, item.version)
    if (outcome.status === 'stored') return
    item = await getSubscriber(platform, seen.sort)
  }
}

/** A delivery in flight gives its window back when it fails, so its window is skipped, too. */
function raised(reader: Subscriber, to: number): Subscriber | undefined {
  const { note, watermark } = reader
  const givesBack = note && isInFlight(note) && note.from !== undefined && note.from < to
  if (watermark >= to && !givesBack) return undefined
  return {
    ...reader,
    watermark: Math.max(watermark, to),
    ...(givesBack ? { note: { ...note, from: to } } : {}),
  }
}

/**
 * Letters go beside the watermark. One for a time to come stays as it is; one that waits for approval
 * may have had it elsewhere, and its deadline would let it go.
 */
async function holdLetters(platform: Skipping, to: number): Promise<void> {
  for (const open of await listOpenRuns(platform)) {
    if (open.kind !== 'letter' || !open.postId) continue
    // Its maker may have died before it was there: a tick would make it.
    await insertRun(platform, open)
    const run = await advanceLetter(platform, open.id)
    if (!run || isOver(run) || run.waits?.early) continue
    if (run.state === 'paused' && run.waits?.approveBy === undefined) continue
    // Not by the run's `to`, which its set time has raised above what was listed then.
    const listed = (await getPost(platform, open.postId))?.value.number ?? 0
    if (listed > to) continue
    await pauseRun(platform, open.id, 'Counted as mailed. Resume this run if it was not.')
  }
}
