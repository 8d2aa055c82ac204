import { describe, expect, it } from 'vitest'
import { outcomeOf, type SmtpFailure } from '../../functions/local/smtp-answer.ts'

const to = 'ada.lovelace@example.org'
const answered = (response: string, more: Partial<SmtpFailure> = {}) =>
  outcomeOf({ response, fault: '', stage: 'envelope', ...more }, to)

/**
 * `never`: refused for good. `later`: not now. Of the address: `hard` stops all mail to it, `soft`
 * counts, blank says nothing about it. Answers as large providers give them.
 */
describe('an answer to the recipient or the content', () => {
  it.each<[string, 'never' | 'later', 'hard' | 'soft' | '']>([
    // Gmail: https://support.google.com/a/answer/3726730
    ['421 4.7.0 Try again later, closing connection.', 'later', ''],
    ['421-4.7.28 Our system has detected an unusual rate of unsolicited mail', 'later', ''],
    [
      '450-4.2.1 The user you are trying to contact is receiving mail too quickly.',
      'later',
      'soft',
    ],
    ['451 4.3.0 Mail server temporarily rejected message.', 'later', ''],
    ['452-4.2.2 The recipient’s inbox is out of storage space.', 'later', 'soft'],
    ['452 4.5.3 Your message has too many recipients.', 'later', ''],
    ['550-5.1.1 The email account that you tried to reach does not exist.', 'never', 'hard'],
    ['550-5.2.1 The email account that you tried to reach is inactive.', 'never', 'hard'],
    ['552-5.2.2 The recipient’s inbox is out of storage space and inactive.', 'never', 'soft'],
    ['552 5.2.3 Your message exceeded Google’s message size limits.', 'never', ''],
    ['550-5.7.1 Our system has detected that this message is likely unsolicited.', 'never', ''],
    ['550-5.7.26 This mail has been blocked because the sender is unauthenticated.', 'never', ''],
    // Outlook and Exchange Online
    ['421 4.3.2 The maximum number of concurrent connections has exceeded a limit', 'later', ''],
    ['451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)', 'later', ''],
    ['451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited', 'later', ''],
    ['550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found', 'never', 'hard'],
    ['550 5.4.1 Recipient address rejected: Access denied.', 'never', ''],
    ['550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).', 'never', ''],
    ['550 5.7.1 Unfortunately, messages from [192.0.2.1] weren’t sent. (S3140)', 'never', ''],
    ['554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException', 'never', 'soft'],
    ['554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked', 'never', ''],
    // Yahoo
    ['421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred', 'later', ''],
    ['451 4.3.2 Internal error reading data', 'later', ''],
    ['554 delivery error: dd This user doesn’t have a yahoo.com account', 'never', ''],
    // Apple, GMX, QQ, Postfix, Exim, SES by SMTP
    ['550 5.1.1 unknown or illegal alias: …', 'never', 'hard'],
    ['450 4.2.0 Recipient address rejected: Greylisted, see postgrey', 'later', 'soft'],
    ['450 4.1.1 Recipient address rejected: unverified address', 'later', 'soft'],
    ['451 4.7.1 Greylisting in action, please come back later', 'later', ''],
    ['452 4.3.1 Insufficient system storage', 'later', ''],
    ['454 Throttling failure: Maximum sending rate exceeded.', 'later', ''],
    ['550 Mailbox not found', 'never', ''],
    ['550 5.1.8 Sender address rejected: Domain not found', 'never', ''],
    ['553 5.1.3 The recipient address is not a valid RFC 5321 address', 'never', 'hard'],
    ['554 5.3.4 Message too big for system', 'never', ''],
    ['556 5.1.10 Recipient address has null MX', 'never', 'hard'],
    // Without an enhanced code, or with one that is none.
    ['550', 'never', ''],
    ['450 Busy', 'later', ''],
    ['550 user 5.1.1 unknown', 'never', ''],
    ['550 5.1.1.1 odd', 'never', ''],
    ['599 5.1.1 a class of its own', 'never', 'hard'],
  ])('%s', (response, when, address) => {
    const outcome = answered(response)
    expect(outcome.status).toBe(when === 'never' ? 'rejected' : 'deferred')
    const { address: isAddress = false, soft = false } = outcome as Record<string, unknown>
    expect(isAddress).toBe(address !== '')
    expect(soft).toBe(when === 'never' && address === 'soft')
  })

  it('names a pause that suits it', () => {
    const answers = [
      '421 4.7.0 x',
      '450 4.2.1 x',
      '452 4.2.2 x',
      '451 x',
      '454 Throttling failure: Maximum sending rate exceeded.',
      '454 Throttling failure: Daily message quota exceeded.',
    ]
    const pauses = answers.map((text) => {
      const outcome = answered(text)
      return outcome.status === 'deferred' && outcome.retryAfterSeconds
    })
    expect(pauses).toEqual([60, 300, 3600, 300, 1, 1800])
  })
})

it('an answer to MAIL FROM is about us, and no reader suffers for it', () => {
  for (const response of ['550 5.1.0 Sender rejected', '553 5.1.2 no such domain', '450 4.1.1 x']) {
    expect(answered(response, { isAboutSender: true })).not.toHaveProperty('address')
  }
})

it('no answer means later before the content, and nobody knows after it', () => {
  const silent = (stage: SmtpFailure['stage']) =>
    outcomeOf({ fault: 'ETIMEDOUT', stage }, to).status
  expect([silent('connecting'), silent('envelope'), silent('content')]).toEqual([
    'deferred',
    'deferred',
    'unclear',
  ])
})

it('a greeting that refuses is never held against the message', () => {
  expect(answered('554 5.1.1 No service', { stage: 'connecting' })).toEqual({
    status: 'deferred',
    reason: '554 5.1.1 No service',
    retryAfterSeconds: 300,
  })
})
