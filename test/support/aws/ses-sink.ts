import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SunkMail {
  messageId: string
  source: string
  destinations: string[]
  raw: Buffer
  tags: Record<string, string>
  configurationSet?: string
}

/** How the sink answers the next calls of `SendRawEmail`, first in, first out. */
export type SesFault =
  | { kind: 'error'; status: number; code: string; message: string }
  /** Somebody between us and SES refuses, in words of their own. */
  | { kind: 'foreign'; status: number }
  /** Takes the mail and never answers. */
  | { kind: 'accept-and-hang' }
  /** Takes the mail and breaks the connection. */
  | { kind: 'accept-and-drop' }
  /** Takes the mail, begins to say so and breaks the connection. */
  | { kind: 'accept-and-cut' }

/**
 * SES v1 as far as a mailer meets it: the Query protocol over HTTP. It enforces what SES does and
 * emulators forget: tag values of `A-Z a-z 0-9 _ -` and at most 256 characters, one to fifty
 * recipients, a sender whose domain is verified; and it writes Message-ID and Date itself.
 */
export async function sesSink({
  verified: verifiedFirst = ['news.example', 'example.org'],
}: {
  verified?: string[]
} = {}) {
  let verified = verifiedFirst
  const mails: SunkMail[] = []
  const faults: SesFault[] = []
  let ruleFor: (to: string) => SesFault | undefined = () => undefined
  const quotaFaults: Extract<SesFault, { kind: 'error' }>[] = []
  const calls: string[] = []
  let quota: { rate?: number | undefined; day: number; sent: number } = {
    rate: 14,
    day: 50_000,
    sent: 0,
  }

  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    const action = form.get('Action') ?? ''
    calls.push(action)
    const answer = (status: number, xml: string) =>
      outgoing.writeHead(status, { 'content-type': 'text/xml' }).end(xml)
    const refuse = (status: number, code: string, message: string) =>
      answer(
        status,
        `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
      )

    if (action === 'GetSendQuota') {
      const fault = quotaFaults.shift()
      if (fault) return refuse(fault.status, fault.code, fault.message)
      return answer(
        200,
        `<GetSendQuotaResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><GetSendQuotaResult><SentLast24Hours>${quota.sent}</SentLast24Hours><Max24HourSend>${quota.day}</Max24HourSend>${quota.rate === undefined ? '' : `<MaxSendRate>${quota.rate}</MaxSendRate>`}</GetSendQuotaResult></GetSendQuotaResponse>`,
      )
    }
    if (action === 'GetIdentityVerificationAttributes') {
      const entries = listOf(form, 'Identities.member').map((identity) => {
        const status = verified.includes(identity) ? 'Success' : 'Pending'
        return `<entry><key>${identity}</key><value><VerificationStatus>${status}</VerificationStatus></value></entry>`
      })
      return answer(
        200,
        `<GetIdentityVerificationAttributesResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><GetIdentityVerificationAttributesResult><VerificationAttributes>${entries.join('')}</VerificationAttributes></GetIdentityVerificationAttributesResult></GetIdentityVerificationAttributesResponse>`,
      )
    }
    if (action !== 'SendRawEmail') return refuse(400, 'InvalidAction', action)

    const fault = faults.shift() ?? ruleFor(form.get('Destinations.member.1') ?? '')
    if (fault?.kind === 'error') return refuse(fault.status, fault.code, fault.message)
    if (fault?.kind === 'foreign') return answer(fault.status, '<html><body>No</body></html>')

    const source = form.get('Source') ?? ''
    const destinations = listOf(form, 'Destinations.member')
    const tags: Record<string, string> = {}
    for (let n = 1; form.has(`Tags.member.${n}.Name`); n++) {
      tags[form.get(`Tags.member.${n}.Name`) ?? ''] = form.get(`Tags.member.${n}.Value`) ?? ''
    }
    for (const value of Object.values(tags)) {
      if (!/^[A-Za-z0-9_-]{1,256}$/.test(value)) {
        return refuse(400, 'InvalidParameterValue', 'Invalid tag value')
      }
    }
    if (destinations.length < 1 || destinations.length > 50) {
      return refuse(400, 'InvalidParameterValue', 'Recipient count')
    }
    if (destinations.some((to) => !/^[\x21-\x7e]+@[\x21-\x7e]+$/.test(to))) {
      return refuse(400, 'InvalidParameterValue', 'Local address contains control or whitespace')
    }
    const domain = source.replace(/>$/, '').split('@').pop() ?? ''
    if (!verified.includes(domain)) {
      return refuse(400, 'MessageRejected', 'Email address is not verified.')
    }
    const messageId = `0100${mails.length.toString().padStart(8, '0')}-000000`
    const raw = Buffer.from(form.get('RawMessage.Data') ?? '', 'base64')
    const mail: SunkMail = { messageId, source, destinations, raw: rewritten(raw, messageId), tags }
    const configurationSet = form.get('ConfigurationSetName')
    if (configurationSet) mail.configurationSet = configurationSet
    mails.push(mail)
    quota = { ...quota, sent: quota.sent + destinations.length }
    if (fault?.kind === 'accept-and-hang') return
    if (fault?.kind === 'accept-and-drop') return outgoing.destroy()
    if (fault?.kind === 'accept-and-cut') {
      outgoing.writeHead(200, { 'content-type': 'text/xml', 'content-length': 400 })
      return outgoing.write('<SendRawEmailResponse', () => outgoing.destroy())
    }
    answer(
      200,
      `<SendRawEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendRawEmailResult><MessageId>${messageId}</MessageId></SendRawEmailResult></SendRawEmailResponse>`,
    )
  })

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    calls,
    failNext: (...next: SesFault[]) => faults.push(...next),
    /** How it answers calls of `SendRawEmail`, by their recipient. */
    failFor: (rule: typeof ruleFor) => {
      ruleFor = rule
    },
    /** How it answers the next calls of `GetSendQuota`: `error` only. */
    failQuota: (...next: Extract<SesFault, { kind: 'error' }>[]) => quotaFaults.push(...next),
    setQuota: (next: Partial<typeof quota>) => {
      quota = { ...quota, ...next }
    },
    /** The domains that it knows from now on. */
    setVerified: (domains: string[]) => {
      verified = domains
    },
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function listOf(form: URLSearchParams, name: string) {
  const values: string[] = []
  for (let n = 1; form.has(`${name}.${n}`); n++) values.push(form.get(`${name}.${n}`) ?? '')
  return values
}

/** SES replaces these two headers with its own. */
function rewritten(raw: Buffer, messageId: string) {
  const end = raw.indexOf('\r\n\r\n')
  const head = raw
    .subarray(0, end)
    .toString('latin1')
    .replace(/^(Message-ID|Date):.*(?:\r\n[ \t].*)*\r\n/gim, '')
  const own = `Message-ID: <${messageId}@email.amazonses.com>\r\nDate: Mon, 02 Mar 2026 08:00:00 +0000\r\n`
  return Buffer.concat([Buffer.from(own + head, 'latin1'), raw.subarray(end)])
}
