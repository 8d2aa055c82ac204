import type { Lane } from './platform.ts'

/**
 * Work to be done later, by id only: a job carries no address and no content, may be lost, doubled
 * or late, and is safe to repeat.
 */
export type Job =
  /** Renders the documents and pages of a feed (a category's slug, or `*`) while it is behind. */
  | { kind: 'regenerate'; feed: string }
  /** Writes or removes the pages of posts, at most 100. */
  | { kind: 'post-pages'; postIds: readonly string[] }
  /** Sends what a subscribe request asks for: a confirmation, or a link to the preferences. */
  | { kind: 'confirm'; subscriberId: string }
  /** Makes the instant run that serves what was listed since the last one, if any is owed. */
  | { kind: 'instant' }
  /** Makes the letter run of a post. */
  | { kind: 'letter'; postId: string }
  /** Cuts the audience of a run into chunks. */
  | { kind: 'plan'; runId: string }
  /** Delivers what is still pending in a chunk. */
  | { kind: 'deliver'; runId: string; chunk: number }

/** The lane each kind of job travels in. */
export function laneOf(job: Job): Lane {
  switch (job.kind) {
    case 'regenerate':
    case 'post-pages':
    case 'confirm':
      return 'urgent'
    case 'deliver':
      return 'mail'
    default:
      return 'work'
  }
}
