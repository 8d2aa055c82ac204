import { recordKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { isToRetry } from './claim.ts'
import { publish } from './ledger.ts'
import { periodStart } from './period.ts'
import type { ChunkTotals, Delivery, Run, RunTotals } from './run.ts'
import {
  changeRun,
  chunksOf,
  closeRun,
  getChunk,
  getRun,
  isOpen,
  isOver,
  putChunk,
  rowsOf,
} from './run-store.ts'

type Finishing = Pick<Platform, 'records' | 'mailer' | 'now' | 'settings'>

/**
 * Protocol R3: writes a chunk's totals once every reader in it has a row and none is to be visited
 * again. Failed and unknown deliveries are kept by name, because late evidence still changes them.
 * Returns whether the chunk is finished for the run's present `gen`.
 */
export async function finishChunk(platform: Finishing, run: Run, k: number): Promise<boolean> {
  for (;;) {
    const stored = await getChunk(platform, run.id, k)
    if (!stored) return false
    const chunk = stored.value
    if (chunk.totals && chunk.totals.gen >= run.gen) return true
    const totals = await totalsOf(platform, run, k, chunk.readers, chunk.totals)
    if (!totals) return false
    const outcome = await putChunk(
      platform,
      run,
      k,
      { ...chunk, totals },
      { ifVersion: stored.version },
    )
    if (outcome.status === 'conflict') continue
    const finished = await platform.records.add(recordKeys.finishedChunks(run.id, run.gen), 1, {
      expiresAt: new Date(run.expires),
    })
    // The count spares a look at every chunk each time; a tick looks anyway.
    const current = (await getRun(platform, run.id))?.value
    if (current?.chunks !== undefined && finished >= current.chunks)
      await finishRun(platform, run.id)
    return true
  }
}

async function totalsOf(
  platform: Finishing,
  run: Run,
  k: number,
  readers: readonly string[],
  earlier: ChunkTotals | undefined,
): Promise<ChunkTotals | undefined> {
  if (earlier && earlier.failed.length === 0) return { ...earlier, gen: run.gen }
  const rows = await rowsOf(platform, run.id, k)
  const totals: ChunkTotals = {
    gen: run.gen,
    accepted: 0,
    suppressed: 0,
    empty: 0,
    failed: [],
    unknown: [],
  }
  for (const reader of readers) {
    const row = rows.get(reader)
    if (!row || isToRetry(row, run)) return undefined
    const outcome = row.outcome === 'unknown' ? await lookOnceMore(platform, row, run) : row.outcome
    if (outcome === 'failed' || outcome === 'unknown') totals[outcome].push(reader)
    else totals[outcome]++
  }
  return totals
}

/** Evidence may have come after the claim was judged. */
async function lookOnceMore(
  platform: Finishing,
  row: Delivery,
  run: Run,
): Promise<'accepted' | 'unknown'> {
  const evidence = await platform.mailer.evidence(row.id)
  if (evidence !== 'accepted') return 'unknown'
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
  const sum: RunTotals = { accepted: 0, suppressed: 0, empty: 0, named: [] }
  let candidates = 0
  let seen = 0
  for await (const { k, record } of chunksOf(platform, runId)) {
    const { totals, readers } = record.value
    if (!totals || totals.gen < run.gen) return run
    sum.accepted += totals.accepted
    sum.suppressed += totals.suppressed
    sum.empty += totals.empty
    if (totals.failed.length + totals.unknown.length > 0) sum.named.push(k)
    candidates += readers.length
    seen++
  }
  if (seen < run.chunks) return run
  const wasOwed = sum.accepted > 0 || sum.named.length > 0
  const reason = wasOwed ? undefined : await reasonToSkip(platform, run, candidates)
  const finished = await changeRun(platform, runId, (current) => {
    if (current.gen !== run.gen || !isOpen(current)) return undefined
    const { reason: _, ...rest } = current
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
  if (run.kind === 'letter') return 'Nobody reads its categories by mail.'
  if (candidates === 0) return 'Nobody is on this schedule.'
  const since = await periodStart(platform, run)
  return since
    ? `Nobody was owed anything: no new posts since ${since}.`
    : 'Nobody was owed anything: no new posts.'
}
