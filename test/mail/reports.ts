/** Reports as mail servers and mailbox providers write them. */

export interface StatusFields {
  action?: string
  status?: string
  diagnostic?: string
  /** With its type, such as `rfc822; ada@example.org`. */
  finalRecipient?: string
  originalRecipient?: string
  envelopeId?: string
  /** Headers of the mail that it is about, `Message-ID: …` among them; absent: it is not given back. */
  returned?: readonly string[]
  /** More groups of fields, one a recipient. */
  others?: readonly (readonly string[])[]
}

/** A delivery status notification (RFC 3464), laid out as Postfix does. */
export function statusReport(fields: StatusFields): string {
  const { action = 'failed', status = '5.1.1', returned } = fields
  const { finalRecipient = 'rfc822; ada@example.org' } = fields
  return mail('multipart/report; report-type=delivery-status;\r\n boundary="b/1"', [
    '--b/1',
    'Content-Description: Notification',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'This is the mail system at host mx.example.net.',
    '',
    '--b/1',
    'Content-Description: Delivery report',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    ...(fields.envelopeId ? [`Original-Envelope-Id: ${fields.envelopeId}`] : []),
    'X-Postfix-Queue-ID: 4F3A11',
    'Arrival-Date: Mon,  2 Mar 2026 08:00:00 +0000 (UTC)',
    '',
    `Final-Recipient: ${finalRecipient}`,
    ...(fields.originalRecipient ? [`Original-Recipient: ${fields.originalRecipient}`] : []),
    `Action: ${action}`,
    `Status: ${status}`,
    'Remote-MTA: dns; mail.example.org',
    ...(fields.diagnostic ? [`Diagnostic-Code: ${fields.diagnostic}`] : []),
    ...(fields.others ?? []).flatMap((group) => ['', ...group]),
    '',
    ...(returned
      ? [
          '--b/1',
          'Content-Description: Undelivered Message Headers',
          'Content-Type: text/rfc822-headers',
          '',
          'Received: from news.example (news.example [192.0.2.1])',
          ...returned,
          '',
        ]
      : []),
    '--b/1--',
    '',
  ])
}

/** An abuse report (RFC 5965) with the mail that it is about. */
export function abuseReport({
  type = 'abuse',
  fields = [],
  returned,
}: {
  type?: string
  fields?: readonly string[]
  returned: readonly string[]
}): string {
  return mail('multipart/report; report-type=feedback-report; boundary="f"', [
    '--f',
    'Content-Type: text/plain; charset="US-ASCII"',
    'Content-Transfer-Encoding: 7bit',
    '',
    'This is an email abuse report.',
    '',
    '--f',
    'Content-Type: message/feedback-report',
    '',
    `Feedback-Type: ${type}`,
    'User-Agent: SomeGenerator/1.0',
    'Version: 1',
    ...fields,
    '',
    '--f',
    'Content-Type: message/rfc822',
    'Content-Disposition: inline',
    '',
    ...returned,
    '',
    'The digest.',
    '--f--',
    '',
  ])
}

/** An automatic reply: a mail like any other. */
export const automaticReply = mail('text/plain; charset=utf-8', [
  'I am away until Monday. 550 5.1.1 is what I never say.',
])

function mail(type: string, lines: readonly string[]): string {
  return [
    'Return-Path: <>',
    'From: MAILER-DAEMON@mx.example.net (Mail Delivery System)',
    'To: news@news.example',
    'Subject: Undelivered Mail Returned to Sender',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: ${type}`,
    '',
    ...lines,
  ].join('\r\n')
}
