import type { Post } from '../../posts/post.ts'

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
  /** The log's number that it delivers up to; a letter's post's, or the log's next at its set time. */
  to: number
  /** An instant run's audience are the readers of what is listed above this number, up to `to`. */
  after?: number
  /** A letter's post. */
  postId?: string
  /** A letter that was not let go yet: nothing of it is planned. */
  waits?: LetterWait
  /** A letter that a person approved: what is mailed of its post, whatever becomes of that. */
  approved?: ApprovedPost
  state: RunState
  /** Why it was skipped or paused. */
  reason?: string
  /** Raised by each retry (protocol R4). */
  gen: number
  /** How many it has, once planning has ended. */
  chunks?: number
  createdAt: string
  /** When it last moved: a tick drives again what stands still for two minutes. */
  movedAt: string
  finishedAt?: string
  /** The day's quota is used up (RFC 3339: since when). It stays open and a tick lets it go on. */
  parkedAt?: string
  /** Of all its chunks, while it is over; the books of a long run are then one read. */
  totals?: RunTotals
  guard?: RunGuard
  /** RFC 3339: when it and its rows expire. */
  expires: string
}

/** What a letter waits for; for nothing but a person when it is held by hand and neither is there. */
export interface LetterWait {
  /** Its set time, `dueAt`, has not come: `to` is not frozen yet. */
  early?: true
  /** It needs approval and has none. RFC 3339: the end of the time that it was given. */
  approveBy?: string
  /** It had approval, and its post was edited since. */
  edited?: true
}

/** All that a letter shows of its post, but for its body, which `revision` names. */
export type ApprovedPost = Pick<
  Post,
  | 'id'
  | 'revision'
  | 'slug'
  | 'title'
  | 'published'
  | 'summary'
  | 'authors'
  | 'categories'
  | 'language'
  | 'image'
  | 'canonicalUrl'
>

/** Where the count of its bounces and complaints stands (guard.ts). */
export interface RunGuard {
  /** What stood when a person last let the run go on: only what came after it counts. */
  from?: { bounces: number; complaints: number; deliveries: number }
  /** Counts below which no limit can be passed, as deliveries only grow. */
  next?: { bounces?: number; complaints?: number }
  /** Bounces enough for a pause came before mails enough to weigh them: whoever delivers weighs anew. */
  tooFew?: true
}

/** The sum of the books of a run's chunks when it ended; late evidence moves some to `accepted`. */
export interface RunTotals {
  accepted: number
  suppressed: number
  empty: number
  failed: number
  unknown: number
}

/** Readers of a chunk at most: it and its rows are each read at once. */
export const chunkReaders = 500

/** Whom a part of a run is for, fixed once written. */
export interface Chunk {
  readers: string[]
  /** The last chunk of its run. */
  end: boolean
}

/**
 * What is known of a chunk without its rows, so that nobody reads a million of them to see how a run
 * stands. A settled row never changes but by late evidence, which leaves a mark before it does, and
 * by a retry, which raises the run's `gen`; so what is counted here stays counted.
 */
export interface ChunkBook {
  /** How many readers it holds. */
  readers: number
  /** A delivery of it may have been begun: its rows tell. */
  begun?: true
  /** Written each time that all of it was gone through (protocol R3). */
  counted?: ChunkCount
  /** Written instead where too many were put off to name them. For whoever drives: it counts nobody. */
  passed?: ChunkPass
}

export interface ChunkPass {
  /** The run's `gen` at that time. */
  gen: number
  /** Of how many the end was open. */
  open: number
  /** As in `ChunkCount`. */
  restsUntil?: string
}

export interface ChunkCount {
  /** The run's `gen` at that time. */
  gen: number
  accepted: number
  suppressed: number
  empty: number
  failed: string[]
  unknown: string[]
  /** Whose end is open: in flight, or refused for now. */
  open: string[]
  /** RFC 3339: before it there is nothing to do for those. */
  restsUntil?: string
}

export type DeliveryState = 'accepted' | 'suppressed' | 'failed' | 'unknown' | 'empty'

/** A row of the ledger: what became of one reader in one run. */
export interface Delivery {
  /** `run_chunk_reader_try`; of an earlier try where proof of that one came late. */
  id: string
  run: string
  chunk: number
  subscriberId: string
  outcome: DeliveryState
  try: number
  sends: number
  /** Which of the reader's mails it was, from 1; absent where none was begun. */
  n?: number
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
