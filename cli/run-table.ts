import type { EstimateView } from './estimate.ts'
import { plain, table } from './output.ts'

/** A run as the API gives it. */
export interface RunView {
  id: string
  schedule: string
  dueAt: string
  state: string
  reason?: string
  /** Of a letter that waits for approval. */
  approveBy?: string
  postId?: string
  counts: Record<
    'candidates' | 'accepted' | 'suppressed' | 'failed' | 'unknown' | 'empty' | 'pending',
    number
  >
  estimate?: EstimateView
}

/** Runs with their books: what was owed to whom is the sum of the columns behind it. */
export function runTable(runs: readonly RunView[]): string {
  return table(
    [
      'RUN',
      'DUE',
      'STATE',
      'READERS',
      'SENT',
      'FAILED',
      'UNKNOWN',
      'NOTHING OWED',
      'LEFT',
      'PENDING',
      '',
    ],
    runs.map(({ id, dueAt, state, reason, counts }) => [
      id,
      dueAt.slice(0, 16).replace('T', ' '),
      state,
      counts.candidates,
      counts.accepted,
      counts.failed,
      counts.unknown,
      counts.empty,
      counts.suppressed,
      counts.pending,
      plain(reason),
    ]),
  )
}
