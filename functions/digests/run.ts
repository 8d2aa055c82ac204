/** A run, its chunks and rows. Steps and names follow docs/protocol.md. */

export type RunState = 'planned' | 'sending' | 'paused' | 'done' | 'skipped'

/** What a run serves. `catch-up`: readers who moved to instant while posts were owed (protocol M4). */
export type RunKind = 'digest' | 'instant' | 'catch-up' | 'letter'

/** One occurrence of a schedule. */
export interface Run {
  /** `A-Z a-z 0-9 _ -`; unique by schedule and due instant. */
  id: string
  /** The schedule's id; `instant`, `catch-up` or `letter`. */
  schedule: string
  kind: RunKind
  /** RFC 3339. */
  dueAt: string
  /** The log's number that it delivers up to; a letter's post's number. */
  to: number
  /** An instant run's audience are the readers of what is listed above this number, up to `to`. */
  after?: number
  /** A letter's post. */
  postId?: string
  state: RunState
  /** Why it was skipped or paused. */
  reason?: string
  /** Raised by each retry (protocol R4). */
  gen: number
  /** The last planned chunk, once planning has ended. */
  chunks?: number
  createdAt: string
  /** When it last moved: a tick drives again what stands still for two minutes. */
  movedAt: string
  finishedAt?: string
  /** Of all its chunks, while it is over; the books of a long run are then one read. */
  totals?: RunTotals
  /** RFC 3339: when it and its rows expire. */
  expires: string
}

/** What no later evidence changes, and the chunks where failed and unknown deliveries stand by name. */
export interface RunTotals {
  accepted: number
  suppressed: number
  empty: number
  named: number[]
}

/** Whom a part of a run is for: at most 500 readers, fixed once written. */
export interface Chunk {
  readers: string[]
  /** The last chunk of its run. */
  end: boolean
  totals?: ChunkTotals
}

/** Written when nothing in a chunk is pending any more (protocol R3). */
export interface ChunkTotals {
  gen: number
  accepted: number
  suppressed: number
  empty: number
  failed: string[]
  unknown: string[]
}

export type DeliveryState = 'accepted' | 'suppressed' | 'failed' | 'unknown' | 'empty'

/** A row of the ledger: what became of one reader in one run. */
export interface Delivery {
  /** `run_chunk_reader_try`. */
  id: string
  run: string
  chunk: number
  subscriberId: string
  outcome: DeliveryState
  try: number
  sends: number
  from?: number
  to: number
  reason?: string
  at: string
  providerId?: string
}

/** How a run stands. `candidates` is the sum of all others at every instant. */
export interface RunCounts {
  candidates: number
  accepted: number
  suppressed: number
  failed: number
  unknown: number
  empty: number
  pending: number
}
