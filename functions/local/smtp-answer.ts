import { addressFaultOf, statusIn, withoutAddress } from '../mail/refusal.ts'
import type { SendOutcome } from '../platform.ts'

/** How far a message had got when the answer, or its absence, came. */
export type SmtpStage = 'connecting' | 'envelope' | 'content'

export interface SmtpFailure {
  /** What the server said, such as `550 5.1.1 No such user`; absent when it said nothing. */
  response?: string | undefined
  /** What happened on the line, when the server said nothing. */
  fault: string
  stage: SmtpStage
  /**
   * It answered MAIL FROM: whatever its code says of an address is said of ours, and counting it
   * against readers would stop mail to all of them.
   */
  isAboutSender?: boolean
}

/**
 * What a failed conversation means (RFC 5321 §4.2.1, RFC 3463): the first digit decides between
 * later and never; the enhanced code, whether the address is the reason. Before the content went
 * out nothing can have been sent; after it, only an answer tells.
 */
export function outcomeOf(
  { response, fault, stage, isAboutSender = false }: SmtpFailure,
  to: string,
): SendOutcome {
  const answer = /^([245])\d\d/.exec(response ?? '')
  if (!answer || !response) {
    return stage === 'content'
      ? { status: 'unclear', reason: `no answer after the message was sent (${fault})` }
      : { status: 'deferred', reason: fault, retryAfterSeconds: 60 }
  }
  const reason = withoutAddress(response, to)
  if (stage === 'connecting') {
    // It concerns this service's line or password, not the message: a person must look at it.
    return { status: 'deferred', reason, retryAfterSeconds: 300 }
  }
  const status = statusIn(response)
  const addressFault = status === undefined || isAboutSender ? 'none' : addressFaultOf(status)
  const isAddress = addressFault === 'hard' || addressFault === 'soft'
  const about = isAddress ? { address: true } : {}
  if (answer[1] === '5') {
    return {
      status: 'rejected',
      reason,
      ...about,
      ...(addressFault === 'soft' ? { soft: true } : {}),
    }
  }
  return {
    status: 'deferred',
    reason,
    retryAfterSeconds: pauseAfter(response, status),
    ...about,
  }
}

/** SES's throttles: https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html */
function pauseAfter(response: string, status: string | undefined): number {
  if (/maximum sending rate exceeded/i.test(response)) return 1
  if (/daily message quota exceeded/i.test(response)) return 1800
  // A full mailbox is not emptied within minutes.
  if (status?.endsWith('.2.2')) return 3600
  return response.startsWith('421') ? 60 : 300
}
