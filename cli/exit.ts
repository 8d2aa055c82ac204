/** What a process says when it ends. The same numbers stand in every command's `--help`. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  notAllowed: 4,
  notFound: 5,
  changedMeanwhile: 6,
  safety: 7,
  later: 8,
  interrupted: 130,
} as const

/** Ends a command with a message on stderr and an exit code. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exit: number
  /** Of the HTTP answer that refused it; absent when it was refused here. */
  readonly status?: number

  constructor(exit: number, message: string, options: { cause?: unknown; status?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.exit = exit
    if (options.status !== undefined) this.status = options.status
  }
}

/** Wrong usage or configuration (2). */
export function usageError(message: string): CliError {
  return new CliError(exitCodes.usage, message)
}

/** The exit code for what the API refused with. */
export function exitOf(status: number, code: string): number {
  if (status === 400 || status === 422 || code === 'local-only') return exitCodes.usage
  if (status === 401 || status === 403) return exitCodes.notAllowed
  if (status === 404 || status === 410) return exitCodes.notFound
  if (status === 409 || status === 412) return exitCodes.changedMeanwhile
  if (status === 428) return exitCodes.safety
  if (status === 429 || status === 503) return exitCodes.later
  return exitCodes.failed
}
