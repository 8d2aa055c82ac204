import type { Platform } from '../platform.ts'
import { finishChunk, finishRun } from './finish.ts'
import { chunksAhead } from './pace.ts'
import type { Run } from './run.ts'
import { chunksOf, isOpen } from './run-store.ts'

/**
 * Enqueues what an open run needs to go on: its planning, and as many unfinished chunks as mail can
 * leave for in the next two minutes; each that is finished brings the next.
 */
export async function driveRun(
  platform: Pick<Platform, 'records' | 'jobs' | 'now' | 'mailer' | 'settings'>,
  run: Run,
): Promise<void> {
  if (!isOpen(run)) return
  if (run.chunks === undefined) await platform.jobs.enqueue([{ kind: 'plan', runId: run.id }])
  const ahead = await chunksAhead(platform)
  let enqueued = 0
  let isWhole = true
  for await (const { k, record } of chunksOf(platform, run.id)) {
    const { totals } = record.value
    if (totals && totals.gen >= run.gen) continue
    if (totals && totals.failed.length === 0 && (await finishChunk(platform, run, k))) continue
    isWhole = false
    if (enqueued++ >= ahead) break
    await platform.jobs.enqueue([{ kind: 'deliver', runId: run.id, chunk: k }])
  }
  if (isWhole && run.chunks !== undefined) await finishRun(platform, run.id)
}
