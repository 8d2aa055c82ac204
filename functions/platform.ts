import type { Job } from './jobs.ts'
import type { Secrets } from './secrets.ts'
import type { Settings } from './settings/settings.ts'

/**
 * Everything the product needs from where it runs. Feature code takes the few members it uses
 * (`Pick<Platform, 'records' | 'now'>`), so a first parameter says what a function may touch.
 */
export interface Platform {
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly jobs: JobQueue
  readonly mailer: Mailer
  /** The present. A tick under test or by hand runs with its own instant, so nothing reads a clock. */
  readonly now: () => Date
  readonly settings: Settings
  readonly secrets: Secrets
  readonly log: Log
  /**
   * Resolves when the jobs with these ids are done or dead, where jobs run in this process;
   * at once where they run elsewhere. A caller answers its user after it and may rely on nothing else.
   */
  readonly settled: (jobIds: readonly string[]) => Promise<void>
  /** Lets a person see what only one machine has: the outbox page, `POST /api/v1/tick`, backups. */
  readonly isLocal: boolean
  /** Of this program, as in package.json. */
  readonly version: string
  /**
   * How much of an import one request takes, where requests are handed over whole and must end soon;
   * absent where they stream. A client sends a larger one in parts.
   */
  readonly importPart?: { bytes: number; lines: number }
  /** Puts a new key of links in front; the older ones still verify. `secrets.links` shows it at once. */
  readonly rotateLinks: () => Promise<void>
  /** What only one machine can do; present exactly when `isLocal`. */
  readonly machine?: Machine
  /** The mails that were kept instead of sent, also earlier, before mails went out. */
  readonly outbox: Outbox
  /** Whether this process is about to end: whoever has much to do begins nothing more. Absent: never. */
  readonly isEnding?: () => boolean
}

/** Mails that were kept instead of sent. They go when they are old enough. */
export interface Outbox {
  /**
   * Removes every mail whose delivery's id names the reader, but those of the run `exceptRun`.
   * Repeatable. What it costs grows with the mails to that reader where many are kept.
   */
  forget(subscriberId: string, exceptRun?: string): Promise<void>
}

/** Mails that stay on one machine, to be looked at. */
export interface ReadableOutbox extends Outbox {
  /** Newest first, at most `limit` (1 to 1,000); only those after the mail that `after` names. */
  list(options: { limit: number; after?: string }): Promise<{ id: string; at: Date }[]>
  /** The whole message, or `undefined` when there is none of that id, whatever the id holds. */
  read(id: string): Promise<Uint8Array | undefined>
}

/** One process on one data folder: the clock can be set and the queues run dry on request. */
export interface Machine {
  /**
   * The same service with its clock standing at an instant, for a tick by hand: due times, leases,
   * back-off and expiry follow it. Nothing is copied; both work on the same data at the same time.
   */
  at(instant: Date): Platform
  /**
   * Does something while nothing else delivers in this process, one after the other in the order
   * asked. A claim is judged by how long it has stood: two clocks far apart would both send.
   */
  alone<T>(work: () => Promise<T>): Promise<T>
  /**
   * Resolves when no job waits that is due by this platform's clock, those included that jobs make
   * meanwhile. Jobs delayed past it stay. A failing job ends in the dead letters, not in a throw.
   */
  drain(): Promise<void>
  /**
   * Copies the data, as it stands at one instant, into a folder that must be empty or absent.
   * What is given back names every part with its bytes.
   */
  backup(folder: string): Promise<{ files: number; bytes: number }>
  /** The platform's outbox, to be looked at; absent while mails go out. */
  readonly outbox?: ReadableOutbox
}

/** A plain JSON value. `undefined` members are left out when it is stored. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/** Writes one structured line. Never an address of a reader, a key or a token: ids only. */
export interface Log {
  info(event: string, fields?: Record<string, Json | undefined>): void
  warn(event: string, fields?: Record<string, Json | undefined>): void
  error(event: string, error: unknown, fields?: Record<string, Json | undefined>): void
}

/**
 * Bytes under a key. S3 with its conditional writes; on one machine a folder.
 *
 * Keys are `/`-separated segments of any script in NFC. Refused with an `Error` by every adapter:
 * an empty key or segment, `.` or `..` as a segment, a backslash, a control character, a key over
 * 900 bytes or a segment over 255 bytes of UTF-8. No key continues another one: with `a` stored,
 * a put of `a/b` throws where objects are files (S3 has no such rule, so our keys never need it).
 */
export interface ObjectStore {
  /** The object, or `undefined` when there is none. Reads what was last stored, from any process. */
  get(key: string): Promise<StoredObject | undefined>
  /**
   * Stores the bytes whole or not at all: a reader never meets half an object, and after the answer
   * a crash or power cut loses nothing (objects under `public/` excepted: they can be rendered again).
   *
   * With `ifAbsent` or `ifMatch` exactly one of any number of racers is `stored`; `conflict` means
   * *read again*, whether the other write was earlier (412) or at the same moment (409).
   * `ifMatch` on an absent object is a conflict.
   */
  put(key: string, body: Uint8Array, options: PutObjectOptions): Promise<PutObjectOutcome>
  /** Removes the object. Absence is not an error. */
  delete(key: string): Promise<void>
  /**
   * Keys that start with `prefix` (a plain string, not a folder), in ascending order of their UTF-8
   * bytes, those after `after` only, at most `limit` (default and most 1,000). `more` says that the
   * listing goes on after the last key.
   */
  list(prefix: string, options?: { after?: string; limit?: number }): Promise<ObjectPage>
}

export interface PutObjectOptions {
  contentType: string
  /** How the bytes are compressed; said by whoever serves the object as it lies. */
  contentEncoding?: 'gzip'
  cacheControl?: string
  /** A few characters that travel with the object, such as the state it was rendered from. */
  version?: string
  ifAbsent?: boolean
  ifMatch?: string
}

export type PutObjectOutcome = { status: 'stored'; etag: string } | { status: 'conflict' }

export interface StoredObject {
  body: Uint8Array
  contentType: string
  cacheControl?: string
  version?: string
  /** Opaque, without quotes; changes whenever the bytes do. */
  etag: string
  lastModified: Date
}

export interface ObjectPage {
  objects: { key: string; etag: string; size: number; lastModified: Date }[]
  more: boolean
}

/**
 * JSON items under (partition, sort). One DynamoDB table; on one machine one SQLite table that
 * behaves exactly alike.
 *
 * **Atomic is one item, nothing more.** What must change together lives in one item; everything
 * else is written so that doing the step again mends a crash between two writes.
 *
 * Reads by (partition, sort) and queries of a partition are strongly consistent. Queries of the
 * index may lag and serve views only, never a decision. An item whose `expiresAt` has passed is
 * absent for every operation, the conditions of writes included. An item may have 350,000 bytes of
 * UTF-8 as JSON, keys included, and is refused with an `Error` over that. Sort keys are ordered by
 * their UTF-8 bytes and have at most 1,000 bytes, partitions at most 1,000.
 */
export interface RecordStore {
  get<T = Json>(key: RecordKey): Promise<StoredRecord<T> | undefined>
  /** In the order of the keys, `undefined` where there is none. Any number of keys. */
  getMany<T = Json>(keys: readonly RecordKey[]): Promise<(StoredRecord<T> | undefined)[]>
  /**
   * Replaces or makes the item. With a condition exactly one of any number of racers is `stored`;
   * `ifVersion` on an absent item is a conflict. A stored item's version is new, never used before
   * for that key.
   */
  put<T = Json>(record: NewRecord<T>, condition?: PutCondition): Promise<PutOutcome>
  /** Unconditional puts of any number of items, each atomic alone, in no promised order. */
  putMany(records: readonly NewRecord[]): Promise<void>
  /** Removes the item. Absence is `deleted`, except with `ifVersion`, where it is a conflict. */
  delete(key: RecordKey, condition?: { ifVersion: string }): Promise<DeleteOutcome>
  /** Items of a partition (or of a partition of the index) in order of their sort keys. */
  query<T = Json>(partition: string, options?: QueryOptions): Promise<RecordPage<T>>
  /**
   * Adds to the number `count` in the item's value, as one atomic step, and returns the sum. An
   * absent item starts from 0; other members of its value stay. `expiresAt` is set when given.
   */
  add(key: RecordKey, amount: number, options?: { expiresAt?: Date }): Promise<number>
}

export interface RecordKey {
  partition: string
  sort: string
}

export interface NewRecord<T = Json> extends RecordKey {
  value: T
  /** A second key, under which `query(…, {index: true})` finds the item. */
  index?: RecordKey
  expiresAt?: Date
}

export interface StoredRecord<T = Json> extends NewRecord<T> {
  /** Opaque. */
  version: string
}

export type PutCondition = { ifAbsent: true } | { ifVersion: string }
export type PutOutcome = { status: 'stored'; version: string } | { status: 'conflict' }
export type DeleteOutcome = { status: 'deleted' } | { status: 'conflict' }

export interface QueryOptions {
  /** First sort key, itself included. */
  from?: string
  /** Last sort key, itself included. */
  to?: string
  /** Only sort keys that start so; not together with `from` or `to`. */
  prefix?: string
  /** Descending order; `from` and `to` keep their meaning as lower and upper end. */
  reverse?: boolean
  /** At most so many items, 1 to 1,000. @default 1000 */
  limit?: number
  /** Where an earlier page with the same options ended. */
  cursor?: string
  /** Reads the second key instead of the first. */
  index?: boolean
}

export interface RecordPage<T> {
  records: StoredRecord<T>[]
  /** Absent on the last page. A page may be shorter than `limit` and still have one. */
  cursor?: string
}

/** `urgent`: what a person waits for; `work`: everything else; `mail`: what pace governs. */
export type Lane = 'urgent' | 'work' | 'mail'

/**
 * Jobs, at least once, in any order. **A hint, never the truth**: records know what is unfinished,
 * and a tick drives again whatever has not moved, so a lost, doubled or late job harms nothing.
 */
export interface JobQueue {
  /**
   * Returns an id a job, in order, once all are stored. A job equal to one that still waits (not
   * yet received, no delay) may be merged with it and share its id. `delaySeconds` is at most 900.
   */
  enqueue(jobs: readonly Job[], options?: { delaySeconds?: number }): Promise<string[]>
  /**
   * Takes up to `limit` (at most 10) waiting jobs of a lane for `leaseSeconds`. A job that is not
   * completed within its lease is received again; after `maxReceives` (5) it goes to the dead letters.
   */
  receive(lane: Lane, options: { limit: number; leaseSeconds: number }): Promise<ReceivedJob[]>
  /** Ends a received job. A receipt whose lease ran out meanwhile changes nothing. */
  complete(receipt: string): Promise<void>
  /** Gives a received job back, to be received again after `delaySeconds`; the receive counts. */
  release(receipt: string, options?: { delaySeconds?: number; reason?: string }): Promise<void>
  /** Jobs that were received too often, oldest first. */
  deadLetters(options?: { limit?: number }): Promise<DeadLetter[]>
  /** Puts dead letters back with a fresh count; all without ids. Returns how many. */
  redrive(ids?: readonly string[]): Promise<number>
}

export interface ReceivedJob {
  id: string
  receipt: string
  job: Job
  /** 1 the first time. */
  receives: number
}

export interface DeadLetter {
  id: string
  lane: Lane
  job: Job
  diedAt: Date
  reason?: string
}

/**
 * Hands one finished message to the world.
 *
 * **An adapter never retries**: a connection that breaks after the bytes left is `unclear`, and a
 * silent retry would mail twice. It checks `until` at its irreversible step and answers `deferred`
 * (reason `too late`) when that has passed; its own time-out is under half a lease.
 */
export interface Mailer {
  /**
   * `outbox`, `smtp`, `ses`: where its mails go. Kept with each claim, as one mailer knows nothing
   * of what another sent: a `none` is proof only of what was claimed under the same name.
   */
  readonly name: string
  /**
   * Nothing leaves after `until`, nor when `leave` says `false`; both are `deferred`. `leave` waits for
   * the pace. It is asked at most once, when all that may take long is done: a mail that still waited
   * for a connection after it would leave in a crowd with others.
   */
  send(message: OutgoingMessage, until: Date, leave?: () => Promise<boolean>): Promise<SendOutcome>
  /** What the provider allows now. Absent members mean no limit known. Answers may be 45 seconds old. */
  quota(): Promise<Quota>
  /**
   * What is known of a delivery: `accepted` (proof), `none` (proof that it never left), or
   * `cannot tell`. The ledger asks before it judges a claim whose lease ran out.
   */
  evidence(deliveryId: string): Promise<'accepted' | 'none' | 'cannot tell'>
  /** How long after a claim evidence may still come in, seconds. 0 where it is there at once or never. */
  readonly evidenceDelaySeconds: number
  /** Whether `evidence` ends in certainty; where it does not, an unclear send is held as `unknown`. */
  readonly hasFinalEvidence: boolean
}

export interface OutgoingMessage {
  /** `A-Z a-z 0-9 _ -`, at most 256 characters; names the message wherever it leaves a trace. */
  deliveryId: string
  from: string
  to: string
  /** A whole RFC 5322 message with CRLF line ends. */
  raw: Uint8Array
  /** Confirmations and tests may use the reserve that bulk leaves. */
  kind: 'bulk' | 'transactional'
}

export type SendOutcome =
  | { status: 'sent'; providerId?: string }
  /**
   * Never for this message. `address` says that the address itself is the reason; `soft` beside it,
   * that the address may take mail again, such as a full mailbox.
   */
  | { status: 'rejected'; reason: string; address?: boolean; soft?: boolean }
  /** Not now. */
  | { status: 'deferred'; reason: string; retryAfterSeconds: number; address?: boolean }
  /** It may have gone out. */
  | { status: 'unclear'; reason: string }

export interface Quota {
  perSecond?: number
  perDay?: number
  sentLastDay?: number
}
