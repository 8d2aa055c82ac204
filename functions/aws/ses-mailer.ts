import { GetSendQuotaCommand, type SESClient, SendRawEmailCommand } from '@aws-sdk/client-ses'
import { recordKeys } from '../keys.ts'
import { noRoom } from '../no-room.ts'
import type { Mailer, Quota, RecordStore, SendOutcome } from '../platform.ts'
import { keptAnswer } from './kept-answer.ts'
import { statusOf } from './sdk-status.ts'
import { sesEvidence } from './ses-evidence.ts'

/** `GetSendQuota` may be asked once a second an account; a changed quota is followed within a minute. */
const quotaMilliseconds = 45_000

/**
 * Mail by SES v1 `SendRawEmail`, one recipient a call. The client must have `maxAttempts: 1` and a
 * time-out under half a lease: a silent retry could mail twice. The delivery id travels as the tag
 * `delivery`, by which SES's events name it; SES writes its own Message-ID and Date.
 */
export function sesMailer({
  client,
  asking = client,
  records,
  configurationSet,
  now,
}: {
  client: SESClient
  /** For what is only asked, which may be repeated. */
  asking?: SESClient
  records: RecordStore
  configurationSet?: string
  now: () => Date
}): Mailer {
  // https://docs.aws.amazon.com/ses/latest/APIReference/API_GetSendQuota.html
  let known: Quota | undefined
  const quota = keptAnswer(
    async () => {
      const answer = await asking.send(new GetSendQuotaCommand({})).catch((error: unknown) => {
        if (!known) throw error
      })
      // An older quota is better than none, with which no mail could leave.
      if (!answer) return known as Quota
      const quota: Quota = {}
      if (answer.MaxSendRate !== undefined) quota.perSecond = answer.MaxSendRate
      // -1 stands for no limit.
      if (answer.Max24HourSend !== undefined && answer.Max24HourSend >= 0) {
        quota.perDay = answer.Max24HourSend
      }
      if (answer.SentLast24Hours !== undefined) quota.sentLastDay = answer.SentLast24Hours
      known = quota
      return quota
    },
    { milliseconds: quotaMilliseconds, now },
  )

  return {
    ...sesEvidence,

    // https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
    async send(message, until, leave) {
      if (leave && !(await leave())) return noRoom
      if (now() >= until) return tooLate
      try {
        const answer = await client.send(
          new SendRawEmailCommand({
            Source: message.from,
            Destinations: [message.to],
            RawMessage: { Data: message.raw },
            Tags: [{ Name: 'delivery', Value: message.deliveryId }],
            ...(configurationSet ? { ConfigurationSetName: configurationSet } : {}),
          }),
        )
        return answer.MessageId
          ? { status: 'sent', providerId: answer.MessageId }
          : { status: 'sent' }
      } catch (error) {
        return outcomeOf(error)
      }
    },

    quota,

    async evidence(deliveryId) {
      // Kept of any event: each proves that SES took the mail.
      return (await records.get(recordKeys.evidence(deliveryId))) ? 'accepted' : 'cannot tell'
    },
  }
}

const tooLate: SendOutcome = { status: 'deferred', reason: 'too late', retryAfterSeconds: 1 }

/** SES's answers: https://docs.aws.amazon.com/ses/latest/dg/using-ses-api-error-codes.html */
function outcomeOf(error: unknown): SendOutcome {
  const { name = 'Error', message = '' } = error as { name?: string; message?: string }
  const status = statusOf(error)
  if (status === undefined) {
    const before = faultBeforeSending(error)
    if (before) return { status: 'deferred', reason: before, retryAfterSeconds: 60 }
    // Without an answer nobody knows whether SES took the mail.
    return { status: 'unclear', reason: name }
  }
  // Not a refusal: also the answer to a mail that was taken, which broke off in the middle.
  if (status < 400 || status >= 500) return { status: 'unclear', reason: `${name} ${status}` }
  if (/^Throttling/.test(name)) {
    return /daily/i.test(message)
      ? { status: 'deferred', reason: 'daily quota', retryAfterSeconds: 1800 }
      : { status: 'deferred', reason: 'throttled', retryAfterSeconds: 1 }
  }
  if (name === 'MessageRejected') {
    // In the sandbox every unverified recipient is refused: the account is the reason, not the address.
    return /not verified/i.test(message)
      ? { status: 'deferred', reason: 'not verified by SES', retryAfterSeconds: 3600 }
      : { status: 'rejected', reason: 'MessageRejected' }
  }
  if (isAboutAccount.test(name)) {
    return { status: 'deferred', reason: name, retryAfterSeconds: 900 }
  }
  // A refusal without a code is not SES's: something stands in between.
  if (name === 'Unknown' || name === 'Error') {
    return { status: 'deferred', reason: `HTTP status ${status}`, retryAfterSeconds: 900 }
  }
  // `InvalidParameterValue` among them: SES uses the same words for a recipient's address as for the
  // sender's, and what is wrong with ours must suppress nobody.
  return { status: 'rejected', reason: name }
}

/** What concerns the account, its rights or its clock, and would refuse every other mail as well. */
const isAboutAccount =
  /Paused|Suspended|NotVerified|ConfigurationSet|AccessDenied|NotAuthorized|OptInRequired|Credential|Signature|Token|RequestExpired/

/**
 * Why a call failed of which no byte can have left, by what cannot be mistaken: no credentials to
 * sign it with, no address of SES's name, no connection. A broken one proves nothing.
 */
function faultBeforeSending(error: unknown): string | undefined {
  const {
    name = '',
    code,
    syscall,
    message,
    errors,
  } = error as NodeJS.ErrnoException & {
    /** Of the addresses that were tried, each one's: all of them failed, or there were no error. */
    errors?: readonly NodeJS.ErrnoException[]
  }
  if (name.endsWith('ProviderError')) return name
  const calls = errors?.map((one) => one.syscall) ?? [syscall]
  if (calls.every((call) => call === 'connect' || call === 'getaddrinfo')) return code ?? name
  // The handler's own limit has no code, but these words.
  if (name === 'TimeoutError' && /did not establish a connection/.test(message))
    return 'no connection'
  return undefined
}
