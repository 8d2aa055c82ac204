import { openPace } from '../../functions/mail/pace.ts'
import { rateOf } from '../../functions/mail/quota.ts'
import type { Quota } from '../../functions/platform.ts'
import { countingRecords } from '../../test/support/counting-records.ts'
import { scratchPlatform } from '../../test/support/scratch-platform.ts'
import { simulatedClock } from '../../test/support/simulated-clock.ts'

export interface PaceCalls {
  /** Read and write units a mail; the items are far below a kB. */
  reads: number
  writes: number
}

/** What a claim and SES's answer take, milliseconds: assumed. */
const claimMs = 30
const sendMs = 100
const seconds = 45

/**
 * What keeping to a quota costs for each mail, counted: so many functions send side by side by a
 * clock that passes only while all wait, from one answer about the quota to the next.
 */
export async function paceCalls(perSecond: number, functions: number): Promise<PaceCalls> {
  const platform = await scratchPlatform()
  try {
    const clock = simulatedClock()
    const { records, counts } = countingRecords(platform.records)
    const mails = Math.floor(rateOf(perSecond) * seconds)
    let left = mails
    let sent = 0
    let quota: Quota = {}
    let askedAt = Number.NEGATIVE_INFINITY
    const mailer = {
      ...platform.mailer,
      quota: async () => {
        // As the mailer of SES keeps it, and SES counts mails that have left.
        if (clock.now() - askedAt >= 45_000) {
          quota = { perSecond, perDay: 5_000_000, sentLastDay: sent }
          askedAt = clock.now()
        }
        return quota
      },
    }
    const atATime = Math.min(64, Math.max(16, perSecond))
    const sending = Array.from({ length: functions }, async () => {
      const pace = openPace({ ...platform, records, mailer }, clock)
      const worker = async () => {
        while (left > 0) {
          const right = await pace.take(10_000)
          if (right === 'spent') throw new Error('the quota of the day is used up')
          if (right === 'late') continue
          if (left-- <= 0) return right.giveBack()
          await clock.sleep(claimMs)
          if (await right.leave()) sent++
          else left++
          await clock.sleep(sendMs)
          right.answered()
        }
      }
      await Promise.all(Array.from({ length: atATime }, worker))
      await pace.release()
    })
    await clock.runUntil(Promise.all(sending))
    const share = (n: number) => Math.round((n / sent) * 1000) / 1000
    return { reads: share(counts.gets), writes: share(counts.writes) }
  } finally {
    await platform.close()
  }
}
