import { recordKeys } from '../keys.ts'
import type { Platform, Quota } from '../platform.ts'

/**
 * One budget for all workers: a counter per second hands out small blocks of tokens, and a token is
 * spent in its second. Bulk leaves a little of the quota for confirmations.
 *
 * Pace follows the real clock, whatever instant a tick by hand stands at: the provider counts real
 * seconds.
 */
type Pacing = Pick<Platform, 'records' | 'mailer' | 'settings' | 'now'>

const bulkShare = 0.96
/** What the mail lane is fed with at a time. */
const aheadSeconds = 120
const chunkReaders = 500
const chunksWithoutLimit = 240
const hourMs = 3_600_000

/** Chunks that what the next two minutes can send is in. At least one. */
export async function chunksAhead(
  platform: Pick<Platform, 'mailer' | 'settings'>,
): Promise<number> {
  const { perSecond } = await effectiveQuota(platform)
  if (perSecond === undefined) return chunksWithoutLimit
  return Math.max(1, Math.ceil((perSecond * aheadSeconds) / chunkReaders))
}

/** The provider's limits and the publisher's own, whichever are lower. */
export async function effectiveQuota({
  mailer,
  settings,
}: Pick<Platform, 'mailer' | 'settings'>): Promise<Quota> {
  const { limits } = settings.mail
  const quota = await mailer.quota()
  const lower = (a: number | undefined, b: number | undefined) =>
    a === undefined ? b : b === undefined ? a : Math.min(a, b)
  const perSecond = lower(quota.perSecond, limits.perSecond)
  const perDay = lower(quota.perDay, limits.perDay)
  return {
    ...(perSecond === undefined ? {} : { perSecond }),
    ...(perDay === undefined ? {} : { perDay }),
    ...(quota.sentLastDay === undefined ? {} : { sentLastDay: quota.sentLastDay }),
  }
}

export interface Pace {
  /**
   * Waits for the right to send one mail. `spent`: the day's quota is used up. `late`: none came
   * within `patienceMs`. Taken before a claim, so nobody waits with a reader claimed.
   */
  take(patienceMs: number): Promise<'token' | 'spent' | 'late'>
  /** For a token with which nothing was sent, as the reader was owed nothing. */
  giveBack(): Promise<void>
}

/** A worker's access to the common budget. */
export function openPace(platform: Pacing): Pace {
  let quota: Quota = {}
  let quotaReadAt = Number.NEGATIVE_INFINITY
  let slots: number[] = []
  let leftToday = Number.POSITIVE_INFINITY
  let refill: Promise<void> | undefined
  let reading: Promise<void> | undefined

  /** Whoever comes while it is read waits for it: a token without a quota would be without a limit. */
  async function freshQuota(): Promise<void> {
    if (realNow() - quotaReadAt < 10_000) return
    reading ??= readQuota().finally(() => {
      reading = undefined
    })
    await reading
  }

  async function readQuota(): Promise<void> {
    quota = await effectiveQuota(platform)
    leftToday =
      quota.perDay === undefined
        ? Number.POSITIVE_INFINITY
        : Math.floor(quota.perDay * bulkShare) -
          Math.max(await sentLastDay(platform), quota.sentLastDay ?? 0)
    quotaReadAt = realNow()
  }

  /** One block of this second, as the instants from which its tokens count: they spread over the second. */
  async function takeBlock(perSecond: number): Promise<void> {
    const second = Math.floor(realNow() / 1000)
    const allowed = tokensOf(second, perSecond)
    const block = Math.max(1, Math.floor(allowed / 10))
    const taken = await platform.records.add(recordKeys.pace(second), block, {
      expiresAt: expiryIn(platform, 120_000),
    })
    for (let i = taken - block; i < Math.min(taken, allowed); i++) {
      slots.push(second * 1000 + (i * 1000) / allowed)
    }
    if (slots.length === 0) await sleep((second + 1) * 1000 - realNow())
  }

  async function take(patienceMs: number): Promise<'token' | 'spent' | 'late'> {
    const deadline = realNow() + patienceMs
    for (;;) {
      await freshQuota()
      if (leftToday <= 0) return 'spent'
      const { perSecond } = quota
      if (perSecond === undefined) {
        leftToday--
        return counted()
      }
      slots = slots.filter((slot) => Math.floor(slot / 1000) === Math.floor(realNow() / 1000))
      const slot = slots.shift()
      if (slot !== undefined) {
        leftToday--
        await sleep(slot - realNow())
        return counted()
      }
      if (realNow() > deadline) return 'late'
      // Those who wait together wait for one block.
      refill ??= takeBlock(perSecond).finally(() => {
        refill = undefined
      })
      await refill
    }
  }

  async function counted(): Promise<'token'> {
    if (quota.perDay !== undefined) await countSent(platform, 1)
    return 'token'
  }

  async function giveBack(): Promise<void> {
    if (quota.perSecond !== undefined) slots.unshift(realNow())
    leftToday++
    if (quota.perDay !== undefined) await countSent(platform, -1)
  }

  return { take, giveBack }
}

/** Whole tokens a second that come to the share on average, and to no more than the limit in any. */
function tokensOf(second: number, perSecond: number): number {
  const share = Math.max(perSecond * bulkShare, Math.min(perSecond, 1))
  const part = second % 1000
  return Math.floor(share * (part + 1)) - Math.floor(share * part)
}

async function countSent(
  platform: Pick<Platform, 'records' | 'now'>,
  mails: 1 | -1,
): Promise<void> {
  const hour = Math.floor(realNow() / hourMs)
  const expiresAt = expiryIn(platform, 26 * hourMs)
  await platform.records.add(recordKeys.paceHour(hour), mails, { expiresAt })
}

/** By the later clock: records expire by the platform's, which may stand far ahead of the real one. */
function expiryIn({ now }: Pick<Platform, 'now'>, ms: number): Date {
  return new Date(Math.max(realNow(), now().getTime()) + ms)
}

async function sentLastDay({ records }: Pick<Platform, 'records'>): Promise<number> {
  const hour = Math.floor(realNow() / hourMs)
  const keys = Array.from({ length: 25 }, (_, i) => recordKeys.paceHour(hour - i))
  const counts = await records.getMany<{ count: number }>(keys)
  return counts.reduce((sum, record) => sum + (record?.value.count ?? 0), 0)
}

function realNow(): number {
  return performance.timeOrigin + performance.now()
}

function sleep(ms: number): Promise<void> {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve()
}
