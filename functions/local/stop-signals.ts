/** The process must be gone within 20 s of the signal; this leaves room for the exit itself. */
const longestStopMs = 18_000
const parentCheckMs = 1000

/**
 * Ends the process with code 0 once `stop` resolves, on SIGTERM, SIGINT or SIGHUP, or when the npm
 * that started it is gone: npm and npx hand no signal on, and an orphan would keep the port. A
 * second SIGINT ends it at once.
 */
export function stopOnSignals(
  stop: () => Promise<void>,
  onFault: (error: unknown) => void = () => {},
): void {
  let isStopping = false
  const end = () => {
    if (isStopping) return
    isStopping = true
    setTimeout(() => process.exit(0), longestStopMs).unref()
    stop().then(
      () => process.exit(0),
      (error) => {
        onFault(error)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', end)
  process.on('SIGHUP', end)
  process.on('SIGINT', () => {
    if (isStopping) process.exit(130)
    end()
  })
  if (process.env.npm_command) {
    const parent = process.ppid
    setInterval(() => {
      if (process.ppid !== parent) end()
    }, parentCheckMs).unref()
  }
}
