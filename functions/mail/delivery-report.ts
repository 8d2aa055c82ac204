import type { Attachment, Email } from 'postal-mime'
import { addressFaultOf, statusIn } from './refusal.ts'
import { type FieldGroup, fieldGroups, firstAddress } from './report-fields.ts'

/** What a report says of one mail to one recipient. */
export interface ReportedMail {
  kind: 'accepted' | 'delivered' | 'hard-bounce' | 'soft-bounce' | 'complaint'
  /** The recipient, as the report names them; absent where it does not. */
  recipient?: string
  /** The server's words. They may hold addresses. */
  reason?: string
}

export interface DeliveryReport {
  /** Texts that may name the mail, most certain first: an envelope's id, `Message-ID`s, our own header. */
  names: string[]
  /** One a recipient; none when the report says nothing that concerns us. */
  mails: ReportedMail[]
}

/** RFC 3464 has no limit; a mail of ours has one recipient, an alias behind it rarely more than some. */
const mostRecipients = 50
const headBytes = 64 * 1024

/**
 * Reads a delivery status notification (RFC 3464, RFC 6533) or an abuse report (RFC 5965).
 * `undefined` for any other mail, such as an automatic reply. Bounded in bytes by its caller, here in
 * parts and depth.
 *
 * @throws when it is nested too deeply or its headers are too long
 */
export async function readDeliveryReport(raw: Uint8Array): Promise<DeliveryReport | undefined> {
  // Along with the first report, not with the server.
  const { default: PostalMime } = await import('postal-mime')
  const parse = (bytes: Uint8Array) =>
    PostalMime.parse(bytes, {
      forceRfc822Attachments: true,
      maxNestingDepth: 10,
      maxHeadersSize: 4 * headBytes,
    })
  const { attachments } = await parse(raw)
  const status = partOf(attachments, 'message/delivery-status', 'message/global-delivery-status')
  const abuse = partOf(attachments, 'message/feedback-report')
  if (!status && !abuse) return undefined
  const returned = partOf(
    attachments,
    'message/rfc822',
    'message/global',
    'text/rfc822-headers',
    'message/global-headers',
  )
  const original = returned && (await parse(headOf(bytesOf(returned))))
  return status
    ? statusReport(fieldGroups(bytesOf(status)), original)
    : abuseReport(fieldGroups(bytesOf(abuse as Attachment)), original)
}

function statusReport(groups: readonly FieldGroup[], original: Email | undefined): DeliveryReport {
  const [message, ...recipients] = groups
  const mails = recipients.slice(0, mostRecipients).flatMap((fields): ReportedMail[] => {
    const diagnostic = fields.get('diagnostic-code')
    const reason = diagnostic?.replace(/^\s*[\w-]+\s*;\s*/, '')
    const kind = kindOf(fields.get('action'), fields.get('status'), reason)
    if (!kind) return []
    // The address we mailed before the one that it was passed on to.
    const recipient =
      firstAddress(fields.get('original-recipient')) ?? firstAddress(fields.get('final-recipient'))
    return [{ kind, ...(recipient ? { recipient } : {}), ...(reason ? { reason } : {}) }]
  })
  const envelope = message?.get('original-envelope-id')
  return { names: [...(envelope ? [envelope] : []), ...namesIn(original)], mails }
}

/** `undefined` for an action that is none. */
function kindOf(action = '', status = '', diagnostic = ''): ReportedMail['kind'] | undefined {
  switch (action.trim().toLowerCase()) {
    case 'delivered':
    case 'relayed':
    case 'expanded':
      return 'delivered'
    case 'delayed':
      // Whoever is still trying has taken it.
      return 'accepted'
    case 'failed': {
      const given = /^\s*([245]\.\d{1,3}\.\d{1,3})/.exec(status)?.[1]
      // Some servers always say 5.0.0 and leave what it was to the words of the next one.
      const isVague = given === undefined || /^\d\.0\./.test(given)
      const code = (isVague ? statusIn(diagnostic) : undefined) ?? given
      if (code === undefined) return 'accepted'
      // Given up on what was refused for now: whatever held it up, it may be over with the next mail.
      if (code.startsWith('4')) return 'soft-bounce'
      const fault = addressFaultOf(code)
      return fault === 'hard' ? 'hard-bounce' : fault === 'soft' ? 'soft-bounce' : 'accepted'
    }
    default:
      return undefined
  }
}

/** Types of RFC 5965 §7.3 and of the programs that came before it; `not-spam` is the contrary. */
const complaints = ['abuse', 'fraud', 'virus', 'other', 'opt-out', 'opt-out-list']

function abuseReport(groups: readonly FieldGroup[], original: Email | undefined): DeliveryReport {
  const fields = groups[0]
  const type = fields?.get('feedback-type')?.trim().toLowerCase() ?? ''
  const names = namesIn(original)
  if (!complaints.includes(type)) return { names, mails: [] }
  const recipient =
    firstAddress(fields?.get('original-rcpt-to')) ??
    original?.to?.map(({ address }) => address).find((address) => address?.includes('@'))
  return {
    names,
    mails: [{ kind: 'complaint', ...(recipient ? { recipient } : {}), reason: type }],
  }
}

/** Our own header comes first: some providers write a Message-ID of their own. */
function namesIn(original: Email | undefined): string[] {
  const named = (key: string) =>
    original?.headers.filter((header) => header.key === key).map(({ value }) => value) ?? []
  return [...named('x-delivery-id'), ...named('message-id')].slice(0, 10)
}

function partOf(parts: readonly Attachment[], ...types: string[]): Attachment | undefined {
  return parts.find(({ mimeType }) => types.includes(mimeType))
}

function bytesOf({ content }: Attachment): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content)
}

/** What stands before the first empty line: the returned mail's body is of no use here. */
function headOf(bytes: Uint8Array): Uint8Array {
  const head = bytes.subarray(0, headBytes)
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1')
  const end = /\r?\n\r?\n/.exec(text)
  return end ? head.subarray(0, end.index + end[0].length) : head
}
