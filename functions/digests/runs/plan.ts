import { everything } from '../../keys.ts'
import type { Platform, RecordKey } from '../../platform.ts'
import { readLog } from '../../posts/log.ts'
import { getPosts, type Post } from '../../posts/post.ts'
import { realClock } from '../../real-clock.ts'
import { categoryRow, instantRow, scheduleRow } from '../../subscribers/membership-rows.ts'
import {
  categoryReaders,
  instantReaders,
  scheduleReaders,
} from '../../subscribers/reader-streams.ts'
import { finishRun, keepBook } from '../delivery/finish.ts'
import { isMailed, namesOf } from '../editions/owed.ts'
import { chunksAhead } from './ahead.ts'
import { type Chunk, chunkReaders, type Run } from './run.ts'
import {
  changeRun,
  getBook,
  getChunk,
  getRun,
  isGoneThrough,
  isOpen,
  lastChunk,
  putBook,
  putChunk,
} from './run-store.ts'

/** A job ends well within the time that a server takes to stop; another goes on. */
const budgetMs = 10_000

/**
 * Cuts the audience of a run into chunks (protocol R1): readers in the order of their ids, each
 * once, put if absent, going on after the last reader of the chunk that **stands**, which another
 * planner may have cut differently. Any number of planners end in the same chunks.
 */
export async function planRun(platform: Platform, runId: string): Promise<void> {
  const deadline = realClock.now() + budgetMs
  const stored = await getRun(platform, runId)
  if (!stored || !isOpen(stored.value) || stored.value.chunks !== undefined) return
  const run = stored.value
  const ahead = await chunksAhead(platform)

  const last = await lastChunk(platform, runId)
  if (last?.chunk.end) return endPlan(platform, run, last.k + 1)
  let k = last ? last.k + 1 : 0
  let audience = cut(await audienceOf(platform, run, last?.chunk.readers.at(-1)))
  // A chunk's book and job are written while the next chunk is: half the waits for the disk.
  let following: Promise<void> | undefined
  try {
    for (;;) {
      const made = await audience.next()
      const [standing] = await Promise.all([stand(platform, run, k, made), following])
      following = follow(platform, run, k, standing, ahead)
      if (standing.end) break
      const after = standing.readers.at(-1)
      if (after !== made.readers.at(-1)) {
        await audience.close()
        audience = cut(await audienceOf(platform, run, after))
      }
      k++
      if (realClock.now() > deadline) {
        await following
        await platform.jobs.enqueue([{ kind: 'plan', runId }])
        return
      }
    }
    await following
  } finally {
    await audience.close()
  }
  return endPlan(platform, run, k + 1)
}

interface Cutting {
  /** The next chunk; empty when nobody is left. */
  next(): Promise<Chunk>
  close(): Promise<void>
}

/** Whether a chunk is the last one shows only behind it, so one reader is always read ahead. */
function cut(audience: AsyncIterable<string>): Cutting {
  const readers = audience[Symbol.asyncIterator]()
  let ahead: Promise<IteratorResult<string>> | undefined
  return {
    async next() {
      const chunk: Chunk = { readers: [], end: false }
      for (;;) {
        ahead ??= readers.next()
        const { done, value } = await ahead
        if (done) return { ...chunk, end: true }
        if (chunk.readers.length === chunkReaders) return chunk
        chunk.readers.push(value)
        ahead = undefined
      }
    },
    close: async () => {
      await ahead
      await readers.return?.()
    },
  }
}

/** One chunk more, or the one that stands in its place. */
async function stand(platform: Platform, run: Run, k: number, chunk: Chunk): Promise<Chunk> {
  const outcome = await putChunk(platform, run, k, chunk, { ifAbsent: true })
  if (outcome.status === 'stored') return chunk
  return (await getChunk(platform, run.id, k))?.value ?? chunk
}

/** What goes with a chunk that stands. */
async function follow(
  platform: Platform,
  run: Run,
  k: number,
  { readers }: Chunk,
  ahead: number,
): Promise<void> {
  await putBook(platform, run, k, { readers: readers.length }, { ifAbsent: true })
  if (k % 20 === 0) await touchRun(platform, run.id)
  if (readers.length === 0) await keepBook(platform, run, k)
  else if (k < ahead || (await hasBroughtNext(platform, run, k - ahead))) {
    // Whoever goes through a chunk enqueues the one `ahead` of it, unless that came too early.
    await platform.jobs.enqueue([{ kind: 'deliver', runId: run.id, chunk: k }])
  }
}

type AudienceOf = Pick<Run, 'kind' | 'schedule' | 'to' | 'after' | 'postId' | 'approved'>

/** Whom a run may concern, in the order of their ids; each reader's item decides at the claim. */
export async function audienceOf(
  platform: Pick<Platform, 'records' | 'settings'>,
  run: AudienceOf,
  after?: string,
): Promise<AsyncIterable<string>> {
  switch (run.kind) {
    case 'digest':
    case 'catch-up':
      return scheduleReaders(platform, run.schedule, after)
    case 'instant':
      return instantReaders(platform, await slugsOfRun(platform, run), after)
    case 'letter':
      return categoryReaders(platform, await slugsOfRun(platform, run), after)
  }
}

/** The membership rows by which a run comes to a reader; most of them there are not. */
export async function rowsLeadingTo(
  platform: Pick<Platform, 'records' | 'settings'>,
  run: AudienceOf,
  readerId: string,
): Promise<RecordKey[]> {
  if (run.kind === 'digest' || run.kind === 'catch-up') return [scheduleRow(run.schedule, readerId)]
  const row = run.kind === 'instant' ? instantRow : categoryRow
  return (await slugsOfRun(platform, run)).map((slug) => row(slug, readerId))
}

async function slugsOfRun(
  platform: Pick<Platform, 'records' | 'settings'>,
  run: AudienceOf,
): Promise<string[]> {
  if (run.kind === 'instant') {
    return categoriesListed(platform, { after: run.after ?? run.to - 1, to: run.to })
  }
  const post = run.approved ?? (run.postId && (await getPosts(platform, [run.postId]))[0])
  return post ? slugsOf(platform, [post]) : []
}

/** The categories whose readers something mailable in a range of the log may concern. */
export async function categoriesListed(
  platform: Pick<Platform, 'records' | 'settings'>,
  range: { after: number; to: number },
): Promise<string[]> {
  const entries = (await readLog(platform, everything, range)).filter(
    ({ mail }) => mail === 'digest',
  )
  if (entries.length === 0) return []
  const posts = await getPosts(
    platform,
    entries.map(({ postId }) => postId),
  )
  return slugsOf(platform, [...entries, ...posts.filter((post) => post !== undefined)])
}

function slugsOf(
  { settings }: Pick<Platform, 'settings'>,
  of: readonly Pick<Post, 'categories'>[],
): string[] {
  const slugs = new Set<string>([everything])
  for (const { categories } of of) {
    for (const slug of categories) {
      const names = namesOf(slug, settings)
      if (isMailed(names[0], settings)) for (const name of names) slugs.add(name)
    }
  }
  return [...slugs]
}

async function hasBroughtNext(platform: Platform, run: Run, k: number): Promise<boolean> {
  const book = (await getBook(platform, run.id, k))?.value
  return book !== undefined && isGoneThrough(book, run)
}

async function endPlan(platform: Platform, run: Run, chunks: number): Promise<void> {
  await changeRun(platform, run.id, (current) => {
    if (current.chunks !== undefined) return undefined
    const state = current.state === 'planned' ? 'sending' : current.state
    return { ...current, state, chunks, movedAt: platform.now().toISOString() }
  })
  await finishRun(platform, run.id)
}

async function touchRun(platform: Platform, runId: string): Promise<void> {
  await changeRun(platform, runId, (run) => ({
    ...run,
    state: run.state === 'planned' ? 'sending' : run.state,
    movedAt: platform.now().toISOString(),
  }))
}
