import type { Platform, Quota } from '../platform.ts'
import { type RealClock, realClock } from '../real-clock.ts'
import { openDayBudget } from './day-budget.ts'
import { openLine } from './line.ts'
import { effectiveQuota, rateOf } from './quota.ts'
import { openSlots } from './slots.ts'

/**
 * A process's access to the one budget of all workers: a right to send is an instant at which one
 * mail may leave (`slots.ts`) and a place in the last 24 hours (`day-budget.ts`).
 *
 * It follows the real clock, whatever instant a tick by hand stands at: the provider counts real
 * seconds.
 */
export interface Pace {
  /**
   * Waits for the right to send one mail, until shortly before its instant: taken before a claim, so
   * that nobody waits long with a reader claimed. `spent`: the day's quota is used up. `late`: none
   * came within `patienceMs`. Each right is ended by `giveBack`, or by `leave` and `answered`.
   */
  take(patienceMs: number): Promise<Right | 'spent' | 'late'>
  /** The right to send what a person waits for, ahead of bulk; also until shortly before its instant. */
  takeAhead(): Promise<Right | 'spent' | 'late'>
  /**
   * Gives out no right for so long: the provider asked for it. Whether it was not holding already.
   */
  hold(seconds: number): boolean
  /** Takes off the day's count what was counted here and will not leave. For the end of a job. */
  release(): Promise<void>
}

export interface Right {
  /**
   * Waits for the instant, and until few mails are on their way. Whoever comes too late gets another;
   * `false`: none came in time. To be asked when nothing else keeps the mail from leaving.
   */
  leave(): Promise<boolean>
  /** The mail was answered for, or did not leave in the end. Repeatable, harmless before `leave`. */
  answered(): void
  /** Nothing is sent with it: the reader was owed nothing. The next in this process has it. */
  giveBack(): void
}

/** A mail that leaves later than this after its instant could crowd the second it falls into. */
const graceMs = 20
/** A worker takes rights for so much time at once, so that they are spread among all. */
const blockSeconds = 0.04
const bulkHorizonMs = 250
const gatherMs = 5
/** What a booking itself may take, milliseconds. */
const askMs = 10
const late = { soonestMs: askMs, horizonMs: bulkHorizonMs }
const ahead = { soonestMs: askMs, horizonMs: 9000 }
const longestClaimMs = 200
/** The lead of what a person waits for: its own connection may have to be opened. */
const aheadLeadMs = 500
const renewalMs = 5000
/** Of the time in which a line stood still, so much is waited for beside it. */
const longestStandstillMs = 15_000
const longestHoldMs = 10_000
/** Without a limit a second, rights of a day are counted so many at once. */
const dayBlock = 50

const anytime = Number.NEGATIVE_INFINITY
const unlimited: Right = { leave: async () => true, answered: () => {}, giveBack: () => {} }

type Pacing = Pick<Platform, 'records' | 'mailer' | 'settings' | 'now'>

const opened = new WeakMap<object, Pace>()

/** The pace of this process for a platform: its jobs share what they have taken. */
export function paceOf(platform: Pacing): Pace {
  let pace = opened.get(platform.mailer)
  if (!pace) {
    pace = openPace(platform)
    opened.set(platform.mailer, pace)
  }
  return pace
}

export function openPace(platform: Pacing, clock: RealClock = realClock): Pace {
  const slots = openSlots(platform, clock)
  const day = openDayBudget(platform, clock)
  const line = openLine(clock)
  let quota: Quota = {}
  let quotaSecond = Number.NaN
  let reading: Promise<void> | undefined
  /** Instants in hand, earliest first, each counted for the day. */
  let free: number[] = []
  /** Instants of rights that are given out, earliest first. */
  const given: number[] = []
  /** Who is ready and missed the instant, the longest waiting first. */
  const tardy: object[] = []
  /** Counted for the day, without an instant. */
  let spare = 0
  let wanting = 0
  /** Rights given out whose end is open. */
  let open = 0
  let heldUntil = Number.NEGATIVE_INFINITY
  let refill: Promise<'spent' | undefined> | undefined
  let ended: (() => void)[] = []
  /** How long it takes from the right to the mail, milliseconds, on average. */
  let claimMs = 20

  const secondOf = (ms: number) => Math.floor(ms / 1000)
  const rate = () => (quota.perSecond === undefined ? undefined : rateOf(quota.perSecond))
  /** How long before its instant a right is handed over: for a claim, or some mails ahead if slow. */
  const leadMs = (perSecond: number) => Math.max(1.5 * claimMs, Math.min(1000, 4000 / perSecond))

  /** Read once a second, by all at its beginning, so that all change to another quota together. */
  async function freshQuota(): Promise<void> {
    if (secondOf(clock.now()) === quotaSecond) return
    reading ??= (async () => {
      const second = secondOf(clock.now())
      // Once known it is good until the provider can be asked again.
      quota = await effectiveQuota(platform, clock).catch((fault: unknown) => {
        if (Number.isNaN(quotaSecond)) throw fault
        return quota
      })
      quotaSecond = second
    })().finally(() => {
      reading = undefined
    })
    await reading
  }

  function nextFree(): number | undefined {
    const now = clock.now()
    while (free.length > 0) {
      const slot = free.shift() as number
      // One far ahead is left from before the clock was set back.
      if (slot === anytime || (slot >= now && slot < now + 5000)) return slot
      if (quota.perDay !== undefined) spare++
    }
    return undefined
  }

  /** Rights for those who wait. */
  async function takeBlock(): Promise<'spent' | undefined> {
    // Others who are about to want one join.
    await clock.sleep(gatherMs)
    const perSecond = rate()
    const most =
      perSecond === undefined ? dayBlock : Math.max(1, Math.ceil(perSecond * blockSeconds))
    let wanted = Math.min(wanting, most)
    if (quota.perDay !== undefined) {
      if (spare < wanted) spare += await day.reserve(quota, 'bulk', wanted - spare)
      wanted = Math.min(wanted, spare)
      if (wanted === 0) return 'spent'
    }
    if (perSecond === undefined) {
      for (let i = 0; i < wanted; i++) keep(anytime)
      return undefined
    }
    // A slot that is sure to be missed costs one; skipping more than that one for the sake of a slow
    // claim would send those who are ready to slots as far ahead, a connection in hand.
    const soonestMs = askMs + Math.min(1.5 * claimMs, 1000 / perSecond)
    const found = await slots.book(perSecond, wanted, { soonestMs, horizonMs: bulkHorizonMs })
    for (const slot of found) keep(slot)
    // All of this second is given away: the next one opens within the horizon.
    if (found.length === 0) await clock.sleep(Math.min(50, 500 / perSecond))
    return undefined
  }

  function keep(slot: number): void {
    if (quota.perDay !== undefined) spare--
    free.push(slot)
  }

  async function take(patienceMs: number): Promise<Right | 'spent' | 'late'> {
    const deadline = clock.now() + patienceMs
    for (;;) {
      await freshQuota()
      const now = clock.now()
      if (heldUntil > now && heldUntil <= now + longestHoldMs) {
        await clock.sleep(Math.min(heldUntil, deadline) - now)
        if (heldUntil > deadline) return 'late'
        continue
      }
      if (quota.perSecond === undefined && quota.perDay === undefined) return unlimited
      const slot = nextFree()
      if (slot !== undefined) return rightAt(slot)
      if (now > deadline) return 'late'
      wanting++
      // Those who wait together wait for one block.
      refill ??= takeBlock().finally(() => {
        refill = undefined
      })
      const outcome = await refill.finally(() => wanting--)
      if (outcome === 'spent' && free.length === 0) {
        if (open === 0) return 'spent'
        await new Promise<void>((resolve) => ended.push(resolve))
      }
    }
  }

  async function rightAt(slot: number): Promise<Right> {
    open++
    given.push(slot)
    if (slot !== anytime) await clock.sleep(slot - leadMs(rate() ?? 1) - clock.now())
    const begun = clock.now()
    let onAnswer: (() => void) | undefined
    const me = {}
    return {
      async leave() {
        claimMs = 0.9 * claimMs + 0.1 * Math.min(longestClaimMs, clock.now() - begun)
        try {
          onAnswer = await reach(firstGiven(), (perSecond) => another(perSecond, me))
        } finally {
          leaveQueue(me)
          if (!onAnswer) {
            line.pass()
            if (quota.perDay !== undefined) spare++
          }
          end()
        }
        return onAnswer !== undefined
      },
      answered: () => onAnswer?.(),
      giveBack() {
        const last = given.pop()
        if (last !== undefined && (last === anytime || last >= clock.now())) free.unshift(last)
        else if (quota.perDay !== undefined) spare++
        end()
      },
    }
  }

  /** Whoever is ready first leaves first: one who takes long lets no instant go by. */
  function firstGiven(): number | undefined {
    const soonest = clock.now() - graceMs
    while (given.length > 0) {
      const slot = given.shift() as number
      if (slot === anytime || slot >= soonest) return slot
    }
    return undefined
  }

  function end(): void {
    open--
    const waiting = ended
    ended = []
    for (const resolve of waiting) resolve()
  }

  /**
   * Waits for a slot, and for another one as long as it was missed. The mail is on its way with the
   * end of it; what comes back is to be called with its answer. `undefined`: none came in time.
   */
  async function reach(
    first: number | undefined,
    another: (perSecond: number) => Promise<number | undefined>,
    isAhead = false,
  ): Promise<(() => void) | undefined> {
    const deadline = clock.now() + renewalMs
    let stoodMs = 0
    for (let slot = first; ; ) {
      if (slot === anytime) return line.enter()
      if (slot !== undefined) {
        await clock.sleep(slot - clock.now())
        const reached = clock.now()
        // Bulk makes room for what a person waits for, which waits for no bulk.
        if (!isAhead) await roomOnLine()
        stoodMs += clock.now() - reached
        const lateMs = clock.now() - slot
        const isReached = lateMs <= graceMs && lateMs > -1000
        if (isReached && (isAhead || !line.letSlotGo())) return line.enter()
      }
      await freshQuota()
      const perSecond = rate()
      if (perSecond === undefined) return line.enter()
      if (clock.now() > deadline + Math.min(stoodMs, longestStandstillMs)) return undefined
      slot = await another(perSecond)
      if (slot === undefined) await clock.sleep(Math.min(50, 500 / perSecond))
    }
  }

  async function roomOnLine(): Promise<void> {
    for (;;) {
      const perSecond = rate()
      if (perSecond === undefined || !line.isFull(perSecond)) return
      await line.room()
    }
  }

  /** Of those who are ready and missed their instants the one who waits longest is first. */
  async function another(perSecond: number, who: object): Promise<number | undefined> {
    if (!tardy.includes(who)) tardy.push(who)
    // Those who only begin look further ahead: at a low rate they have every slot, and miss it in turn.
    const slot = (tardy[0] === who ? firstGiven() : undefined) ?? (await bookOne(perSecond))
    if (slot !== undefined) leaveQueue(who)
    return slot
  }

  function leaveQueue(who: object): void {
    const at = tardy.indexOf(who)
    if (at >= 0) tardy.splice(at, 1)
  }

  async function bookOne(perSecond: number): Promise<number | undefined> {
    const inHand = nextFree()
    if (inHand === undefined) return (await slots.book(perSecond, 1, late))[0]
    // Both were counted for the day, and one mail leaves.
    if (quota.perDay !== undefined) spare++
    return inHand
  }

  async function takeAhead(): Promise<Right | 'spent' | 'late'> {
    await freshQuota()
    const isCounted = quota.perDay !== undefined
    if (isCounted && (await day.reserve(quota, 'transactional', 1)) === 0) return 'spent'
    const perSecond = rate()
    const slot = perSecond === undefined ? anytime : await slots.bookAhead(perSecond, ahead)
    if (slot === undefined) {
      if (isCounted) await day.giveBack(1)
      return 'late'
    }
    if (slot !== anytime) await clock.sleep(slot - aheadLeadMs - clock.now())
    let onAnswer: (() => void) | undefined
    return {
      async leave() {
        const more = (perSecond: number) => slots.bookAhead(perSecond, ahead)
        onAnswer = await reach(slot, more, true)
        return onAnswer !== undefined
      },
      answered: () => onAnswer?.(),
      giveBack: () => {
        if (isCounted) spare++
      },
    }
  }

  return {
    take,
    takeAhead,
    hold: (seconds) => {
      const now = clock.now()
      const isFirst = heldUntil <= now || heldUntil > now + longestHoldMs
      if (isFirst) heldUntil = now + Math.min(seconds * 1000, longestHoldMs)
      return isFirst
    },
    release: async () => {
      if (wanting + open > 0) return
      const left = spare + (quota.perDay === undefined ? 0 : free.length)
      spare = 0
      free = []
      await day.giveBack(left)
    },
  }
}
