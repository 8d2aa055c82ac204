import type { SendOutcome } from '../platform.ts'

/** How far a message had got when the answer, or its absence, came. */
export type SmtpStage = 'connecting' | 'envelope' | 'content'

export interface SmtpFailure {
  /** What the server said, such as `550 5.1.1 No such user`; absent when it said nothing. */
  response?: string | undefined
  /** What happened on the line, when the server said nothing. */
  fault: string
  stage: SmtpStage
}

/**
 * What a failed conversation means (RFC 5321 §4.2.1, RFC 3463): the first digit decides between
 * later and never; the subject digit, whether the address is the reason. Before the content went
 * out nothing can have been sent; after it, only an answer tells.
 */
export function outcomeOf({ response, fault, stage }: SmtpFailure, to: string): SendOutcome {
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
  const [, subject, detail] = /^\d{3}[ -][245]\.(\d{1,3})\.(\d{1,3})/.exec(response) ?? []
  // X.1.7 and X.1.8 are about the sender's address.
  const isAddress =
    subject === '2' || (subject === '1' && detail !== '7' && detail !== '8' ? true : false)
  const about = isAddress ? { address: true } : {}
  if (answer[1] === '5') return { status: 'rejected', reason, ...about }
  return {
    status: 'deferred',
    reason,
    // A full mailbox is not emptied within minutes.
    retryAfterSeconds: subject === '2' ? 3600 : response.startsWith('421') ? 60 : 300,
    ...about,
  }
}

/** Servers like to repeat the address that they refuse; reasons are kept and shown without it. */
function withoutAddress(response: string, to: string): string {
  const local = to.slice(0, to.lastIndexOf('@'))
  let text = response.replace(/\s+/g, ' ').slice(0, 400).replaceAll(to, '…')
  text = text.replace(/[^\s<>"'(),;:]{1,320}@[^\s<>"'(),;:]{1,320}/g, '…')
  if (local.length >= 3) text = text.replaceAll(local, '…')
  return text.slice(0, 200).trim()
}
