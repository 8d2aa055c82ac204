import type { RealClock } from '../real-clock.ts'

/**
 * The mails of this process that are on their way to the provider and not answered yet. A line that
 * stands still and then hands over everything at once would crowd a second that has slots of its own.
 * So few are under way at a time, and one that may have arrived in such a crowd costs a slot more.
 */
export interface Line {
  /** Whether as many are under way as may be at this rate (mails a second). */
  isFull(rate: number): boolean
  /** Resolves in turn when one was answered. Whoever then sends none calls `pass`. */
  room(): Promise<void>
  pass(): void
  /** One leaves now. Called with its answer, whatever that says: once, for all calls. */
  enter(): () => void
  /** Whether the next slot is to go by unused: it stands for a mail that arrived late. */
  letSlotGo(): boolean
}

/** Under way at first, and after a standstill: some, and so few that ten processes crowd no second. */
const fewest = 2
const firstSeconds = 0.06
/** At most as many as leave meanwhile, or one and a half times the usual answer if that is slower. */
const mostSeconds = 0.3
/** An answer that takes this much more than twice the usual is late, milliseconds. */
const lateMs = 50
const usualAtFirstMs = 100

interface Mail {
  leftAt: number
  /** A slot goes by for it. */
  isOwed: boolean
}

export function openLine(clock: Pick<RealClock, 'now'>): Line {
  const underWay = new Set<Mail>()
  /** More that may be under way than at first: as many as turned out to be needed. */
  let grown = 0
  /** How long an answer takes, on average. */
  let usualMs = usualAtFirstMs
  let lastInTime = Number.NEGATIVE_INFINITY
  let owed = 0
  const waiting: (() => void)[] = []

  const pass = (): void => waiting.shift()?.()

  function answered(mail: Mail): void {
    underWay.delete(mail)
    const now = clock.now()
    const tookMs = now - mail.leftAt
    const most = 2 * usualMs + lateMs
    // Others that were answered meanwhile would show that it is this one alone that takes long.
    const stoodStill = (one: Mail) =>
      now - one.leftAt > most && !one.isOwed && lastInTime < one.leftAt + most - lateMs
    // All that were held up arrive together, and the first answer tells it of all.
    for (const one of [mail, ...underWay]) {
      if (tookMs <= most || !stoodStill(one)) continue
      one.isOwed = true
      owed++
      grown = 0
    }
    // A slow line becomes the usual one within some dozen answers.
    usualMs += 0.05 * (Math.min(tookMs, most) - usualMs)
    if (tookMs <= most) {
      lastInTime = now
      if (waiting.length > 0) {
        grown++
        pass()
      }
    }
    pass()
  }

  return {
    isFull(rate) {
      const first = Math.max(fewest, Math.ceil(rate * firstSeconds))
      const most = Math.ceil(rate * Math.max(mostSeconds, 0.0015 * usualMs))
      grown = Math.min(grown, Math.max(0, most - first))
      return underWay.size >= first + grown
    },
    room: () => new Promise((resolve) => waiting.push(resolve)),
    pass,
    enter() {
      const mail = { leftAt: clock.now(), isOwed: false }
      underWay.add(mail)
      return () => {
        if (underWay.has(mail)) answered(mail)
      }
    },
    letSlotGo() {
      if (owed === 0) return false
      owed--
      return true
    },
  }
}
