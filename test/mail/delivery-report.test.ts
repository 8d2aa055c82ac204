import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ReportedMail, readDeliveryReport } from '../../functions/mail/delivery-report.ts'
import { readMessageId } from '../../functions/mail/headers.ts'
import { abuseReport, automaticReply, type StatusFields, statusReport } from './reports.ts'

const read = (raw: string) => readDeliveryReport(new TextEncoder().encode(raw))

describe('a delivery report', () => {
  it.each<[string, StatusFields, ReportedMail['kind'] | undefined]>([
    ['nobody there', { status: '5.1.1' }, 'hard-bounce'],
    ['no such domain', { status: '5.1.2' }, 'hard-bounce'],
    ['a domain that takes no mail', { status: '5.1.10' }, 'hard-bounce'],
    ['a mailbox that was closed', { status: '5.2.1' }, 'hard-bounce'],
    ['a full mailbox', { status: '5.2.2' }, 'soft-bounce'],
    ['a full mailbox, for now', { status: '4.2.2' }, 'soft-bounce'],
    ['given up after days', { status: '4.4.7' }, 'soft-bounce'],
    ['a sender that is not liked', { status: '5.1.8' }, 'accepted'],
    ['a policy', { status: '5.7.1' }, 'accepted'],
    ['a message too large', { status: '5.3.4' }, 'accepted'],
    ['a message too large for the mailbox', { status: '5.2.3' }, 'accepted'],
    ['still trying', { action: 'delayed', status: '4.4.1' }, 'accepted'],
    ['delivered', { action: 'delivered', status: '2.1.5' }, 'delivered'],
    ['relayed', { action: 'relayed', status: '2.0.0' }, 'delivered'],
    ['expanded', { action: 'Expanded', status: '2.0.0' }, 'delivered'],
    [
      'a vague status with a clear answer (Exim)',
      { status: '5.0.0', diagnostic: 'smtp; 550-5.1.1 The email account does not exist.' },
      'hard-bounce',
    ],
    [
      'a vague status with a vague answer',
      { status: '5.0.0', diagnostic: 'smtp; 550 User unknown 5.1.1' },
      'accepted',
    ],
    [
      'a clear status whose answer says otherwise',
      { status: '5.7.1', diagnostic: 'smtp; 550 5.1.1 not me' },
      'accepted',
    ],
    ['a status with a comment', { status: '5.1.1 (bad destination)' }, 'hard-bounce'],
    ['no status', { status: '' }, 'accepted'],
    ['no action', { action: '' }, undefined],
  ])('of %s', async (_, fields, kind) => {
    const report = await read(statusReport(fields))
    expect(report?.mails.map((mail) => mail.kind)).toEqual(kind === undefined ? [] : [kind])
  })

  it('names the mail by what came back of it, whatever its server made of the rest', async () => {
    const id = 'daily-0800-UTC_20260302T080000Z_0_00112233445566778899aabbccddeeff_0'
    const names = async (fields: StatusFields) =>
      (await read(statusReport(fields)))?.names.map(readMessageId)
    expect(await names({ envelopeId: id })).toEqual([id])
    expect(await names({ returned: [`Message-ID: <${id}@news.example>`] })).toEqual([id])
    expect(await names({ returned: [`Message-Id:\r\n <${id}@old.example>`] })).toEqual([id])
    expect(
      await names({ returned: ['Message-ID: <0102@relay.example>', `X-Delivery-Id: ${id}`] }),
    ).toEqual([id, '0102'])
    expect(await names({})).toEqual([])
    const whole = statusReport({ returned: [`Message-ID: <${id}@news.example>`] })
    const asMail = whole.replace('text/rfc822-headers', 'message/rfc822')
    expect((await read(asMail))?.names.map(readMessageId)).toEqual([id])
    const inBase64 = whole.replace(
      /(Content-Type: text\/rfc822-headers)\r\n\r\n([\s\S]*?)(?=\r\n--b)/,
      (_, type, head) =>
        `${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${btoa(head).replace(/.{76}/g, '$&\r\n')}`,
    )
    expect((await read(inBase64))?.names.map(readMessageId)).toEqual([id])
  })

  it('names the recipient whom we mailed before the one it was passed on to', async () => {
    const recipients = async (fields: StatusFields) =>
      (await read(statusReport(fields)))?.mails.map(({ recipient }) => recipient)
    expect(await recipients({})).toEqual(['ada@example.org'])
    expect(await recipients({ originalRecipient: 'rfc822;bob@example.org' })).toEqual([
      'bob@example.org',
    ])
    expect(await recipients({ finalRecipient: 'RFC822; <ada@example.org>' })).toEqual([
      'ada@example.org',
    ])
    expect(await recipients({ finalRecipient: 'utf-8; ärger@example.org' })).toEqual([
      'ärger@example.org',
    ])
    expect(await recipients({ finalRecipient: 'x400; /c=us/a=@' })).toEqual([undefined])
    const other = ['Final-Recipient: rfc822; bob@example.org', 'Action: failed', 'Status: 5.2.2']
    expect(await recipients({ others: [other] })).toEqual(['ada@example.org', 'bob@example.org'])
    expect(await recipients({ others: Array(500).fill(other) })).toHaveLength(50)
  })

  it('keeps the server’s words', async () => {
    const diagnostic = 'smtp; 550 5.1.1 <ada@example.org>: Recipient address\r\n    rejected'
    const report = await read(statusReport({ diagnostic }))
    expect(report?.mails[0]?.reason).toBe('550 5.1.1 <ada@example.org>: Recipient address rejected')
  })
})

describe('an abuse report', () => {
  const returned = ['Message-ID: <id@news.example>', 'To: Ada <ada@example.org>']
  it.each([
    ['abuse', 1],
    ['Fraud', 1],
    ['virus', 1],
    ['other', 1],
    ['opt-out', 1],
    ['not-spam', 0],
    ['auth-failure', 0],
    ['something-new', 0],
  ])('of the type %s', async (type, complaints) => {
    const report = await read(abuseReport({ type, returned }))
    expect(report?.mails.map(({ kind }) => kind)).toEqual(Array(complaints).fill('complaint'))
    expect(report?.names).toEqual(['<id@news.example>'])
  })

  it('names who complained, by its own word or by the mail', async () => {
    const by = async (fields: string[]) =>
      (await read(abuseReport({ fields, returned })))?.mails[0]?.recipient
    expect(await by([])).toBe('ada@example.org')
    expect(await by(['Original-Rcpt-To: <bob@example.org>'])).toBe('bob@example.org')
    expect(await by(['Original-Rcpt-To: redacted'])).toBe('ada@example.org')
  })
})

describe('what is no report', () => {
  it.each([
    ['an automatic reply', automaticReply],
    ['nothing', ''],
    ['noise', '\u0000\u0001 --\r\n\r\n::::'],
    [
      'a report without its part',
      statusReport({}).replace('message/delivery-status', 'text/plain'),
    ],
  ])('is told apart: %s', async (_, raw) => {
    expect(await read(raw)).toBeUndefined()
  })

  it('is refused when it is nested without end', async () => {
    let raw = 'Content-Type: text/plain\r\n\r\nx'
    for (let i = 0; i < 40; i++) {
      raw = `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n${raw}\r\n--b${i}--\r\n`
    }
    await expect(read(raw)).rejects.toThrow('depth')
    await expect(read(`A: ${'x'.repeat(400_000)}\r\n\r\n`)).rejects.toThrow('header')
  })

  it('is told apart without a fault, whatever is cut off or doubled in a report', async () => {
    const whole = statusReport({
      diagnostic: 'smtp; 550 5.1.1 no',
      returned: ['Message-ID: <id@news.example>'],
    })
    const seen = new Set<unknown>()
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length),
        fc.nat(whole.length),
        fc.string({ maxLength: 20 }),
        async (from, to, noise) => {
          const report = await read(whole.slice(0, from) + noise + whole.slice(to))
          seen.add(report?.mails[0]?.kind)
          expect(report?.names.length ?? 0).toBeLessThanOrEqual(11)
          for (const { recipient } of report?.mails ?? []) {
            if (recipient !== undefined) expect(recipient).toContain('@')
          }
        },
      ),
      {
        numRuns: 300,
        examples: [
          [whole.length, whole.length, ''],
          [0, whole.length, ''],
        ],
      },
    )
    expect(seen).toContain('hard-bounce')
    expect(seen).toContain(undefined)
  })
})
