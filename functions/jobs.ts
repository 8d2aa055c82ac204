import { unreachable } from './errors.ts'
import type { LogFields } from './json-log.ts'
import type { Lane, Platform } from './platform.ts'

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
  /** Sends a test mail that somebody asked for. */
  | { kind: 'test-mail'; id: string }
  /** Makes the instant run that serves what was listed since the last one, if any is owed. */
  | { kind: 'instant' }
  /** Makes the letter run of a post, or brings one that waits up to what the post now says. */
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
    case 'test-mail':
      return 'urgent'
    case 'deliver':
      return 'mail'
    default:
      return 'work'
  }
}

/** What every line bears that is logged while a job is done. */
export function aboutJob(id: string, job: Job): LogFields {
  return { job: id, kind: job.kind, ...('runId' in job ? { run: job.runId } : {}) }
}

/**
 * Does one job. Repeating it is harmless, and so is losing it: records know what is unfinished.
 * Parts are loaded when a job first needs them, so that an idle server holds neither mail nor pages.
 *
 * @throws whatever failed; the queue gives the job again and, in the end, to its dead letters.
 */
export async function runJob(platform: Platform, job: Job): Promise<void> {
  switch (job.kind) {
    case 'regenerate': {
      const [{ regenerateFeed }, { writeFeedPages }] = await Promise.all([
        import('./feeds/regenerate.ts'),
        import('./site/write-pages.ts'),
      ])
      return regenerateFeed(platform, job.feed, (snapshot) => writeFeedPages(platform, snapshot))
    }
    case 'post-pages': {
      const [{ writeDuePages }, { writePostPages }] = await Promise.all([
        import('./posts/due-pages.ts'),
        import('./site/write-pages.ts'),
      ])
      return writeDuePages(platform, job.postIds, () => writePostPages(platform, job.postIds))
    }
    case 'confirm': {
      const { sendConfirmation } = await import('./subscribers/send-confirmation.ts')
      return sendConfirmation(platform, job.subscriberId)
    }
    case 'test-mail': {
      const { sendTest } = await import('./digests/previews/test-mail.ts')
      return sendTest(platform, job.id)
    }
    case 'instant': {
      const { makeInstantRun } = await import('./digests/runs/make-runs.ts')
      await makeInstantRun(platform)
      return
    }
    case 'letter': {
      const [{ makeLetterRuns }, { followLetter }] = await Promise.all([
        import('./digests/runs/make-runs.ts'),
        import('./digests/letters/advance-letter.ts'),
      ])
      await makeLetterRuns(platform)
      return followLetter(platform, job.postId)
    }
    case 'plan': {
      const { planRun } = await import('./digests/runs/plan.ts')
      return planRun(platform, job.runId)
    }
    case 'deliver': {
      const { deliverChunk } = await import('./digests/delivery/deliver.ts')
      return deliverChunk(platform, job.runId, job.chunk)
    }
    default:
      return unreachable(job)
  }
}
