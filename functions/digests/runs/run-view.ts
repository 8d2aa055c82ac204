import * as v from 'valibot'
import type { Platform } from '../../platform.ts'
import { approvalDeadline } from '../letters/letter.ts'
import { countsOf } from './books.ts'
import { type Estimate, estimateRun } from './estimate.ts'
import type { Run } from './run.ts'
import { isOpen } from './run-store.ts'

const countsSchema = v.object({
  candidates: v.number(),
  accepted: v.number(),
  suppressed: v.number(),
  failed: v.number(),
  unknown: v.number(),
  empty: v.number(),
  pending: v.number(),
})

/** How long it will take, as the API shows it. */
export const estimateSchema = v.object({
  perSecond: v.optional(
    v.pipe(v.number(), v.description('Mails a second, by the quota or as far as it was seen.')),
  ),
  remaining: v.number(),
  seconds: v.optional(v.number()),
  until: v.optional(v.string()),
})

/** A run with its books, as the API shows it. */
export const runSchema = v.object({
  id: v.string(),
  schedule: v.string(),
  kind: v.picklist(['digest', 'instant', 'catch-up', 'letter']),
  dueAt: v.string(),
  state: v.picklist(['planned', 'sending', 'paused', 'done', 'skipped']),
  reason: v.optional(v.string()),
  approveBy: v.optional(
    v.pipe(
      v.string(),
      v.description('A letter that waits for approval: until when it may be approved.'),
    ),
  ),
  to: v.number(),
  postId: v.optional(v.string()),
  createdAt: v.string(),
  finishedAt: v.optional(v.string()),
  counts: countsSchema,
  estimate: v.optional(
    v.pipe(estimateSchema, v.description('While it is open: how long it will take.')),
  ),
})

const dayIsUsedUp =
  'The quota of 24 hours is used up. It goes on by itself when there is room again.'

/** A run as the API and the command line show it, its books counted now. */
export async function describeRun(
  platform: Pick<Platform, 'records' | 'mailer' | 'settings' | 'now'>,
  run: Run,
) {
  const approveBy = approvalDeadline(run)
  const counts = await countsOf(platform, run)
  // Before it is planned there is nothing to go by.
  const isUnderWay = isOpen(run) && counts.candidates > 0
  const estimate: Estimate | undefined = isUnderWay
    ? await estimateRun(platform, run, counts)
    : undefined
  const { id, schedule, kind, dueAt, state, to, postId, createdAt, finishedAt } = run
  const reason = run.reason ?? (run.parkedAt && isOpen(run) ? dayIsUsedUp : undefined)
  return {
    id,
    schedule,
    kind,
    dueAt,
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(approveBy === undefined ? {} : { approveBy }),
    to,
    ...(postId === undefined ? {} : { postId }),
    createdAt,
    ...(finishedAt === undefined ? {} : { finishedAt }),
    counts,
    ...(estimate === undefined ? {} : { estimate }),
  }
}
