import { recordKeys } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { getPost } from '../../posts/post.ts'
import { isProved } from '../feedback/evidence.ts'
import { whyNotOwed } from '../letters/letter.ts'
import type { ChunkBook, ChunkCount, Delivery, Run, RunTotals } from '../runs/run.ts'
import {
  booksOf,
  changeRun,
  closeRun,
  getBook,
  getChunk,
  getRun,
  isFinished,
  isOpen,
  isOver,
  isToRetry,
  putBook,
  rowsNamed,
  rowsOf,
} from '../runs/run-store.ts'
import { publish } from './ledger.ts'

type Finishing = Pick<Platform, 'records' | 'mailer' | 'now' | 'settings'>

/** Names that a book holds of deliveries whose end is open; with more the rows are read instead. */
const mostOpen = 100

/**
 * Protocol R3: counts a chunk after all of it was gone through. Failed and unknown deliveries are
 * kept by name, because late evidence still changes them, and so are those whose end is open; with
 * many open ones the book says only that it was gone through. Gives it back as it stands.
 */
export async function keepBook(
  platform: Finishing,
  run: Run,
  k: number,
  restsUntil?: string,
): Promise<ChunkBook | undefined> {
  for (;;) {
    const stored = await getBook(platform, run.id, k)
    if (stored && isFinished(stored.value, run)) return stored.value
    const next = await countChunk(platform, run, k, stored?.value)
    if (!next?.counted) return stored?.value
    const { counted, ...rest } = next
    const open = counted.open.length
    const until = open > 0 && restsUntil !== undefined ? { restsUntil } : {}
    const book: ChunkBook =
      open > mostOpen
        ? { ...rest, ...stored?.value, passed: { gen: run.gen, open, ...until } }
        : { ...rest, counted: { ...counted, ...until } }
    const condition = stored ? { ifVersion: stored.version } : ({ ifAbsent: true } as const)
    const outcome = await putBook(platform, run, k, book, condition)
    if (outcome.status === 'conflict') continue
    if (isFinished(book, run)) await countFinished(platform, run)
    return book
  }
}

async function countFinished(platform: Finishing, run: Run): Promise<void> {
  const finished = await platform.records.add(recordKeys.finishedChunks(run.id, run.gen), 1, {
    expiresAt: new Date(run.expires),
  })
  // The count spares a look at every chunk each time; a tick looks anyway.
  const current = (await getRun(platform, run.id))?.value
  if (current?.chunks !== undefined && finished >= current.chunks) await finishRun(platform, run.id)
}

/** What was counted before stays counted: only rows that were open, or are to be retried, are read. */
async function countChunk(
  platform: Finishing,
  run: Run,
  k: number,
  book: ChunkBook | undefined,
): Promise<ChunkBook | undefined> {
  const before = book?.counted
  const count: ChunkCount = {
    gen: run.gen,
    accepted: before?.accepted ?? 0,
    suppressed: before?.suppressed ?? 0,
    empty: before?.empty ?? 0,
    failed: [],
    unknown: [...(before?.unknown ?? [])],
    open: [],
  }
  let names: readonly string[]
  let rows: ReadonlyMap<string, Delivery>
  if (before) {
    if (before.gen < run.gen) names = [...before.open, ...before.failed]
    else {
      names = before.open
      count.failed.push(...before.failed)
    }
    rows = await rowsNamed(platform, run.id, k, names)
  } else {
    const chunk = await getChunk(platform, run.id, k)
    if (!chunk) return undefined
    names = chunk.value.readers
    rows = await rowsOf(platform, run.id, k)
  }
  for (const reader of names) {
    const row = rows.get(reader)
    if (!row || isToRetry(row, run)) {
      count.open.push(reader)
      continue
    }
    const outcome = row.outcome === 'unknown' ? await lookOnceMore(platform, row, run) : row.outcome
    if (outcome === 'failed' || outcome === 'unknown') count[outcome].push(reader)
    else count[outcome]++
  }
  return { readers: book?.readers ?? names.length, begun: true, counted: count }
}

/** Evidence may have come after the claim was judged. */
async function lookOnceMore(
  platform: Finishing,
  row: Delivery,
  run: Run,
): Promise<'accepted' | 'unknown'> {
  const { mailer } = platform
  const isAccepted =
    (await isProved(platform, row.id)) || (await mailer.evidence(row.id)) === 'accepted'
  if (!isAccepted) return 'unknown'
  const { reason: _, ...rest } = row
  await publish(platform, { ...rest, outcome: 'accepted', expires: run.expires })
  return 'accepted'
}

/**
 * Ends a run whose every chunk has totals of its `gen`. It is skipped when they show that nobody was
 * owed anything, which only planning and visiting everyone can show. Repeatable.
 */
export async function finishRun(platform: Finishing, runId: string): Promise<Run | undefined> {
  const run = (await getRun(platform, runId))?.value
  if (!run) return undefined
  if (isOver(run)) {
    await closeRun(platform, runId)
    return run
  }
  if (!isOpen(run) || run.chunks === undefined) return run
  const sum: RunTotals = { accepted: 0, suppressed: 0, empty: 0, failed: 0, unknown: 0 }
  let candidates = 0
  let seen = 0
  for await (const { book } of booksOf(platform, runId)) {
    const { counted } = book
    if (!counted || !isFinished(book, run)) return run
    sum.accepted += counted.accepted
    sum.suppressed += counted.suppressed
    sum.empty += counted.empty
    sum.failed += counted.failed.length
    sum.unknown += counted.unknown.length
    candidates += book.readers
    seen++
  }
  if (seen < run.chunks) return run
  const wasOwed = sum.accepted + sum.failed + sum.unknown > 0
  const reason = wasOwed ? undefined : await reasonToSkip(platform, run, candidates)
  const finished = await changeRun(platform, runId, (current) => {
    if (current.gen !== run.gen || !isOpen(current)) return undefined
    const { reason: _, parkedAt: _parkedAt, ...rest } = current
    const now = platform.now().toISOString()
    return {
      ...rest,
      state: reason === undefined ? 'done' : 'skipped',
      ...(reason === undefined ? {} : { reason }),
      totals: sum,
      movedAt: now,
      finishedAt: now,
    }
  })
  if (finished && isOver(finished)) await closeRun(platform, runId)
  return finished
}

async function reasonToSkip(platform: Finishing, run: Run, candidates: number): Promise<string> {
  if (run.kind === 'letter') {
    const post = await getPost(platform, run.postId ?? '')
    return whyNotOwed(post?.value) ?? 'Nobody reads its categories by mail.'
  }
  if (candidates === 0) return 'Nobody is on this schedule.'
  // There may be new posts: those that stood there before a reader confirmed are owed to nobody.
  return 'Nobody was owed anything: everyone already has what there is, or joined after it.'
}
