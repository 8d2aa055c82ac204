export interface MinuteClock {
  /** Starts nothing more and resolves when what runs has ended. */
  stop(): Promise<void>
}

/** A beat that takes longer counts as lost, and the clock goes on without it. */
const longestBeatMs = 600_000

/**
 * Calls `beat` at once and then at the start of each minute of the real clock. One that takes
 * longer than a minute is not overtaken: the next comes with the minute after it. A beat that
 * throws is told to `onFault`, and the clock goes on.
 */
export function startMinuteClock(
  beat: () => Promise<void>,
  onFault: (error: unknown) => void,
): MinuteClock {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  let isStopped = false

  function strike(): void {
    running = beatInTime()
      .catch(onFault)
      .then(() => {
        // A timer may go off a little early by the wall clock; the margin keeps it in its minute.
        if (!isStopped) timer = setTimeout(strike, 60_000 - (Date.now() % 60_000) + 25)
      })
  }

  async function beatInTime(): Promise<void> {
    let watch: NodeJS.Timeout | undefined
    const lost = new Promise<never>((_, reject) => {
      watch = setTimeout(() => reject(new Error('a beat of the clock hangs')), longestBeatMs)
    })
    try {
      await Promise.race([beat(), lost])
    } finally {
      clearTimeout(watch)
    }
  }

  strike()
  return {
    stop: async () => {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}
