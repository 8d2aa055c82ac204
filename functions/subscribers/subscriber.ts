/** How often a reader is written to. */
export const cadences = ['instant', 'daily', 'weekly', 'monthly'] as const
export type Cadence = (typeof cadences)[number]

/** What a reader may choose. */
export interface Preferences {
  /** Slugs; none means everything, new categories included. */
  categories: string[]
  cadence: Cadence
  /** Weekly `mon`…`sun`; monthly `1`…`31` (clamped), `first-mon`, `last-sun`…; absent otherwise. */
  day?: string
  /** `HH:MM`, local time in `timeZone`. */
  at: string
  /** IANA name. */
  timeZone: string
  /** One of the locales that templates exist for. */
  locale: string
}

export const subscriberStates = [
  'pending',
  'confirmed',
  'unsubscribed',
  'suppressed',
  'paused',
] as const
export type SubscriberState = (typeof subscriberStates)[number]

/**
 * A reader of mail: one item, changed by conditional writes only. The reader's own choices and the
 * ledger's two fields (`watermark`, `note`) live together because a claim moves both at once.
 */
export interface Subscriber {
  /** A keyed hash of the normalised address: 32 hex digits. */
  id: string
  /** As typed but for blanks and the domain's case; absent once erased. */
  email?: string
  state: SubscriberState
  /** Why suppressed: `hard-bounce`, `complaint`, `erased`, `soft-bounces`. */
  reason?: string
  /** Slug (or `*`) → the log's last number when it was chosen: what is listed after it is owed. */
  categories: Record<string, number>
  cadence: Cadence
  day?: string
  at: string
  timeZone: string
  locale: string
  /** The schedule whose runs serve this reader; `instant` for instant readers. */
  schedule: string
  /** Beside it while one who moved, to instant or to another address, is still owed something (M4, M6). */
  catchUp?: boolean
  /** Everything up to this number of the log has been dealt with. */
  watermark: number
  /** The delivery in flight or last ended. Never cleared, only replaced (protocol). */
  note?: DeliveryNote
  /** What an unconfirmed reader asked for; becomes real at confirmation. */
  wanted?: Preferences
  /** RFC 3339; only of an unconfirmed reader: when the item is forgotten. */
  expires?: string
  /** The reader's new id after a change of address; an old link to leave still leads there. */
  movedTo?: string
  /** RFC 3339; mail pauses until then. */
  pausedUntil?: string
  /** Proof: when, from where, which text. */
  consent?: Consent
  createdAt: string
  confirmedAt?: string
  unsubscribedAt?: string
  /** How many mails were begun for the reader: the number of the last one. Absent: none. */
  mails?: number
  /** Numbers of the mails that came back for now, ascending, as far as they may still count. */
  softBounces?: number[]
}

/** Confirmed, if perhaps paused. */
export function isReader({ state }: Pick<Subscriber, 'state'>): boolean {
  return state === 'confirmed' || state === 'paused'
}

export interface Consent {
  at: string
  /** `form`, `api`, `import`. */
  source: string
  /** Where from, such as a page's address or the proof a CSV row named. */
  from?: string
  /** The sentence that was agreed to. */
  text?: string
}

/** `fly`: claimed, may be on its way; `deferred`: refused for now; the others are ends. */
export type NotePhase = 'fly' | 'deferred' | 'failed' | 'empty' | 'suppressed'

/** The ledger's mark on the reader's item (protocol, Records). */
export interface DeliveryNote {
  run: string
  chunk: number
  try: number
  /** The watermark before the claim; absent in a letter's note. */
  from?: number
  to: number
  token: string
  /** RFC 3339: the claim or the last take-over, from which the lease counts. */
  at: string
  /** RFC 3339: the first claim of this delivery. */
  born: string
  phase: NotePhase
  /** How often a send was begun. */
  sends: number
  /** A send may have gone out and nothing can prove it. */
  doubt: boolean
  retryAfter?: string
  /** The refusal was about this address, not about the service: the run's patience counts. */
  byAddress?: boolean
  /** Which of the reader's mails it is, from 1; absent where none was begun. */
  n?: number
  /** The mailer by which it may have gone out (`Mailer.name`): only its evidence proves a `none`. */
  by?: string
  reason?: string
  /** When the run's rows expire (RFC 3339): after it the note counts as settled. */
  expires: string
}
