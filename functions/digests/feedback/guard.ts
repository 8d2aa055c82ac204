import { recordKeys } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { countsOf } from '../runs/books.ts'
import type { Run, RunGuard } from '../runs/run.ts'
import { changeRun, getRun, isOpen } from '../runs/run-store.ts'

type Kind = 'bounces' | 'complaints'

/** Bounces are weighed once so many mails show what they are a share of. */
const leastDeliveries = 200
/** Two clicks among few readers are no sign of anything. */
const leastComplaints = 3

/**
 * Counts a bounce or complaint of a run, each reader once however often it is told, and pauses the
 * run when they pass the publisher's limits. Only these rare events are counted; what they are a
 * share of is read from the books, and no more often than a limit could have been passed. A crash
 * in here can cost one count, never add one.
 */
export async function countTrouble(
  platform: Pick<Platform, 'records' | 'now' | 'settings' | 'log'>,
  runId: string,
  readerId: string,
  kind: Kind,
): Promise<void> {
  const { records, now } = platform
  const run = (await getRun(platform, runId))?.value
  if (!run) return
  const expiresAt = new Date(run.expires)
  const first = await records.put(
    {
      ...recordKeys.runTrouble(runId, kind, readerId),
      value: { at: now().toISOString() },
      expiresAt,
    },
    { ifAbsent: true },
  )
  if (first.status === 'conflict') return
  const count = await records.add(recordKeys.runTroubles(runId, kind), 1, { expiresAt })
  if (isOpen(run)) await weigh(platform, run, kind, count)
}

/**
 * Weighs a run once more whose bounces came before there were enough mails to weigh them: no later
 * one may come to do it. Gives it back as it then is.
 */
export async function weighAgain(
  platform: Pick<Platform, 'records' | 'now' | 'settings' | 'log'>,
  run: Run,
): Promise<Run | undefined> {
  const bounces = await platform.records.get<{ count: number }>(
    recordKeys.runTroubles(run.id, 'bounces'),
  )
  await weigh(platform, run, 'bounces', bounces?.value.count ?? 0)
  return (await getRun(platform, run.id))?.value
}

/** What a run's guard begins with when a person lets it go on: nothing up to now counts any more. */
export async function guardAfresh(
  platform: Pick<Platform, 'records'>,
  run: Run,
): Promise<RunGuard> {
  const [bounces, complaints] = await platform.records.getMany<{ count: number }>([
    recordKeys.runTroubles(run.id, 'bounces'),
    recordKeys.runTroubles(run.id, 'complaints'),
  ])
  return {
    from: {
      bounces: bounces?.value.count ?? 0,
      complaints: complaints?.value.count ?? 0,
      deliveries: await deliveriesOf(platform, run),
    },
  }
}

async function weigh(
  platform: Pick<Platform, 'records' | 'now' | 'settings' | 'log'>,
  run: Run,
  kind: Kind,
  count: number,
): Promise<void> {
  const { from = { bounces: 0, complaints: 0, deliveries: 0 }, next } = run.guard ?? {}
  const percent = platform.settings.mail.guard[kind]
  const shareOf = (mails: number) => Math.ceil((percent * mails) / 100)
  const troubles = count - from[kind]
  const least = kind === 'complaints' ? leastComplaints : shareOf(leastDeliveries)
  if (troubles < least || count < (next?.[kind] ?? 0)) return

  const deliveries = Math.max((await deliveriesOf(platform, run)) - from.deliveries, troubles)
  const isEnough = kind === 'complaints' || deliveries >= leastDeliveries
  if (isEnough && troubles >= shareOf(deliveries)) {
    const reason = reasonFor(kind, troubles, deliveries, percent, run.guard?.from !== undefined)
    const now = platform.now().toISOString()
    const paused = await changeRun(platform, run.id, (current) =>
      isOpen(current) && isSameCount(current, run)
        ? { ...current, state: 'paused', reason, movedAt: now }
        : undefined,
    )
    if (paused?.reason === reason) platform.log.warn('run.paused', { run: run.id, reason })
    return
  }
  const { tooFew = false } = run.guard ?? {}
  // Deliveries only grow, so fewer troubles than these cannot be too many.
  const nextCount = isEnough ? from[kind] + shareOf(deliveries) : 0
  const isFirstOfFew = !isEnough && !tooFew
  const isLastOfFew = isEnough && kind === 'bounces' && tooFew
  if (nextCount <= count + 1 && !isFirstOfFew && !isLastOfFew) return
  await changeRun(platform, run.id, (current) => {
    if (!isSameCount(current, run)) return undefined
    const { tooFew: before, ...guard } = current.guard ?? {}
    const after = kind === 'bounces' ? !isEnough : before
    return {
      ...current,
      guard: {
        ...guard,
        ...(nextCount > count + 1 ? { next: { ...guard.next, [kind]: nextCount } } : {}),
        ...(after ? { tooFew: true } : {}),
      },
    }
  })
}

/** Nobody has let it go on anew since it was read. */
function isSameCount(current: Run, read: Run): boolean {
  return JSON.stringify(current.guard?.from) === JSON.stringify(read.guard?.from)
}

/** Mails of a run that a server has taken, or refused for good. */
async function deliveriesOf(platform: Pick<Platform, 'records'>, run: Run): Promise<number> {
  const { accepted, failed } = await countsOf(platform, run)
  return accepted + failed
}

function reasonFor(
  kind: Kind,
  troubles: number,
  deliveries: number,
  percent: number,
  isResumed: boolean,
): string {
  const number = (n: number) => n.toLocaleString('en', { maximumFractionDigits: 2 })
  const share = number((100 * troubles) / deliveries)
  const what =
    kind === 'bounces'
      ? `${number(troubles)} of ${number(deliveries)} mails bounced`
      : `${number(troubles)} of ${number(deliveries)} mails were reported as spam`
  const since = isResumed ? ' since it was let go on' : ''
  return `Paused by itself: ${what}${since} (${share} %; the limit is ${number(percent)} %). Find out why, then resume the run.`
}
