import type { ErrorCode } from './error-codes.ts'

/**
 * A refusal that a person must act on. `code` is stable and documented; `message` says what is
 * wrong and the way out, in whole sentences, never with a reader's address. `app.ts` alone turns it
 * into problem+json (RFC 9457) or a page.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly status: number
  readonly code: ErrorCode
  /** What is wrong with single fields of the input; paths are dotted. */
  readonly errors: readonly FieldError[]

  constructor(status: number, code: ErrorCode, message: string, options: ServiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.status = status
    this.code = code
    this.errors = options.errors ?? []
  }
}

export interface FieldError {
  path: string
  message: string
}

interface ServiceErrorOptions {
  errors?: readonly FieldError[]
  cause?: unknown
}

/** The input cannot be used as it is (422). */
export function invalid(
  code: ErrorCode,
  message: string,
  options?: ServiceErrorOptions,
): ServiceError {
  return new ServiceError(422, code, message, options)
}

/** There is nothing of that name (404). */
export function notFound(what: string): ServiceError {
  return new ServiceError(404, 'not-found', `${what} does not exist.`)
}

/** Somebody else changed it first (412): read it again and repeat. */
export function changedMeanwhile(what: string): ServiceError {
  return new ServiceError(
    412,
    'changed-meanwhile',
    `${what} was changed meanwhile. Read it again and repeat.`,
  )
}

/** The input is larger than what is taken (413). */
export function tooLarge(what: string, limit: string): ServiceError {
  return new ServiceError(413, 'too-large', `${what} is too large: at most ${limit}.`)
}

/** For the `default` of a switch that must know every case: a new case then fails to compile. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`)
}
