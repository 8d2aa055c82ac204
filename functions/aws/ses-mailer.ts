import { GetSendQuotaCommand, type SESClient, SendRawEmailCommand } from '@aws-sdk/client-ses'
import { recordKeys } from '../keys.ts'
import type { Mailer, Quota, RecordStore, SendOutcome } from '../platform.ts'
import { statusOf } from './sdk-status.ts'
import { sesEvidence } from './ses-evidence.ts'

/** `GetSendQuota` may be asked once a second an account; a changed quota is followed within a minute. */
const quotaMilliseconds = 45_000

/** What SES's events said of a delivery, written by the feedback function. */
export interface DeliveryEvidence {
  event: 'send' | 'delivery' | 'bounce' | 'complaint' | 'reject' | 'delay'
  at: string
}

/**
 * Mail by SES v1 `SendRawEmail`, one recipient a call. The client must have `maxAttempts: 1` and a
 * time-out under half a lease: a silent retry could mail twice. The delivery id travels as the tag
 * `delivery`, by which SES's events name it; SES writes its own Message-ID and Date.
 */
export function sesMailer({
  client,
  records,
  configurationSet,
  now,
}: {
  client: SESClient
  records: RecordStore
  configurationSet?: string
  now: () => Date
}): Mailer {
  let cached: { quota: Quota; at: number } | undefined

  return {
    ...sesEvidence,

    // https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
    async send(message, until) {
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

    // https://docs.aws.amazon.com/ses/latest/APIReference/API_GetSendQuota.html
    async quota() {
      const at = now().getTime()
      if (cached && Math.abs(at - cached.at) < quotaMilliseconds) return cached.quota
      const answer = await client.send(new GetSendQuotaCommand({}))
      const quota: Quota = {}
      if (answer.MaxSendRate !== undefined) quota.perSecond = answer.MaxSendRate
      // -1 stands for no limit.
      if (answer.Max24HourSend !== undefined && answer.Max24HourSend >= 0) {
        quota.perDay = answer.Max24HourSend
      }
      if (answer.SentLast24Hours !== undefined) quota.sentLastDay = answer.SentLast24Hours
      cached = { quota, at }
      return quota
    },

    async evidence(deliveryId) {
      const found = await records.get<DeliveryEvidence>(recordKeys.evidence(deliveryId))
      if (!found) return 'cannot tell'
      return found.value.event === 'reject' ? 'none' : 'accepted'
    },
  }
}

const tooLate: SendOutcome = { status: 'deferred', reason: 'too late', retryAfterSeconds: 1 }

/** SES's answers: https://docs.aws.amazon.com/ses/latest/dg/using-ses-api-error-codes.html */
function outcomeOf(error: unknown): SendOutcome {
  const { name = 'Error', message = '' } = error as { name?: string; message?: string }
  const status = statusOf(error)
  // Without an answer nobody knows whether SES took the mail.
  if (status === undefined) return { status: 'unclear', reason: name }
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
  if (
    /Paused|Suspended|NotVerified|ConfigurationSet|AccessDenied|Credential|Signature|Token/.test(
      name,
    )
  ) {
    return { status: 'deferred', reason: name, retryAfterSeconds: 900 }
  }
  if (name === 'InvalidParameterValue') return { status: 'rejected', reason: name, address: true }
  if (status >= 500) return { status: 'unclear', reason: `${name} ${status}` }
  return { status: 'rejected', reason: name }
}
