/** Keys that never appear in a log, a URL or the repository. Made on first use by each platform. */
export interface Secrets {
  /** Keys the subscribers' ids. Never changes: an id is the only trace of an erased reader. */
  readonly subscribers: string
  /** Sign links, newest first; the older ones only verify. */
  readonly links: readonly { id: string; key: string }[]
}
