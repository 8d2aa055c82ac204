import { CliError, exitCodes, usageError } from '../exit.ts'

interface AwsFault {
  name: string
  message: string
  code?: string
  status?: number
}

/**
 * What AWS, or the way to it, said no with, as a message with the way out and its exit code;
 * `undefined` for what is no fault of AWS. AWS's own words stand where they name a right or a
 * resource of the caller's: never a reader's address, which no ARN holds.
 */
export function awsRefusal(error: unknown): CliError | undefined {
  const fault = faultOf(error)
  if (!fault) return undefined
  const { name, message } = fault
  const notAllowed = (text: string) => new CliError(exitCodes.notAllowed, text, { cause: error })

  if (isOfRegion(message)) {
    return usageError(
      'No AWS region is set, or none of that name exists. Name the one where the stack is, or where you want it: export AWS_REGION=eu-central-1',
    )
  }
  if (/expired/i.test(name) || /(token|session|credentials?)\b.{0,80}\bexpired/i.test(message)) {
    return notAllowed('Your AWS credentials have expired. Sign in again: aws sso login')
  }
  if (/^(CredentialsProvider|TokenProvider)Error$/.test(name)) {
    return notAllowed(
      `No AWS credentials can be had (${firstLine(message)}). Set them up with \`aws configure sso\`, or choose a profile: export AWS_PROFILE=NAME. Then see whose they are: aws sts get-caller-identity`,
    )
  }
  if (
    /^Request(TimeTooSkewed|InTheFuture)/.test(name) ||
    /Signature (expired|not yet)/.test(message)
  ) {
    return notAllowed(
      'AWS refuses the time of this machine. Set its clock: sudo timedatectl set-ntp true',
    )
  }
  if (
    /^(InvalidClientTokenId|UnrecognizedClient|InvalidAccessKeyId|AuthFailure|(Invalid)?Signature|IncompleteSignature|MissingAuthenticationToken)/.test(
      name,
    )
  ) {
    return notAllowed(
      `AWS does not know these credentials (${name}). Look at them: aws sts get-caller-identity`,
    )
  }
  if (
    /^(AccessDenied|NotAuthorized|UnauthorizedOperation|AuthorizationError|Forbidden)/.test(name) ||
    fault.status === 403
  ) {
    return notAllowed(
      `Your AWS credentials may not do this: ${firstLine(message) || name}. Use those that deployed the stack, or ask for the right.`,
    )
  }
  if (
    /^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown|ProvisionedThroughput)/.test(
      name,
    ) ||
    (fault.status ?? 0) >= 500
  ) {
    return new CliError(exitCodes.later, `AWS asks to come back later (${name}). Try again.`, {
      cause: error,
    })
  }
  if (isOfTheLine(fault)) {
    return new CliError(
      exitCodes.later,
      `AWS cannot be reached (${fault.code ?? name}). Is there a network, and is the region spelled right?`,
      { cause: error },
    )
  }
  return undefined
}

/** Throws what `awsRefusal` makes of a fault, else the fault itself. */
export function throwRefusal(error: unknown): never {
  throw awsRefusal(error) ?? error
}

function isOfTheLine({ name, code = '' }: AwsFault): boolean {
  return (
    /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE)$/.test(
      code,
    ) || /^(TimeoutError|NetworkingError)$/.test(name)
  )
}

// The SDK's words: no region at all, or text that is none.
function isOfRegion(message: string): boolean {
  return /^Region (is missing|not accepted)/.test(message)
}

// What fails inside the service is wrapped now and then; the SDK's own error lies below.
const mostCauses = 5

function faultOf(error: unknown): AwsFault | undefined {
  for (let one = error, i = 0; one instanceof Error && i < mostCauses; one = one.cause, i++) {
    const { $metadata, code } = one as {
      $metadata?: { httpStatusCode?: number }
      code?: unknown
    }
    const fault: AwsFault = {
      name: one.name,
      message: one.message,
      ...(typeof code === 'string' ? { code } : {}),
      ...($metadata?.httpStatusCode === undefined ? {} : { status: $metadata.httpStatusCode }),
    }
    const isOfSdk = $metadata !== undefined || /ProviderError$/.test(one.name)
    if (isOfSdk || isOfTheLine(fault) || isOfRegion(one.message)) return fault
  }
  return undefined
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').trim().replace(/\.$/, '').slice(0, 400)
}
