export interface MinuteClock {
  /** Starts nothing more and resolves when what runs has ended. */
  stop(): Promise<void>
}

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
    running = beat()
      .catch(onFault)
      .then(() => {
        // A timer may go off a little early by the wall clock; the margin keeps it in its minute.
        if (!isStopped) timer = setTimeout(strike, 60_000 - (Date.now() % 60_000) + 25)
      })
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
