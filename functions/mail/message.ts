import { createHash } from 'node:crypto'
import { headerLine, rawHeaderLine } from './header-text.ts'
import { addressLine, dateText, parseMailbox, unsubscribeLines } from './headers.ts'

/** The two links of which every reader has their own. */
export interface ReaderLinks {
  preferences: string
  unsubscribe: string
}

type LinkName = keyof ReaderLinks

/** What templates put where a reader's link belongs; `personalise` writes the link over it. */
export const linkPlaceholders: Readonly<ReaderLinks> = {
  preferences: 'https://placeholder.invalid/8b1f0c7a52d94e36/preferences',
  unsubscribe: 'https://placeholder.invalid/8b1f0c7a52d94e36/unsubscribe',
}

/** One message without its reader: constant bytes, and the few lines that differ for each. */
export interface ComposedMessage {
  /** Headers that are the same for all. */
  readonly head: string
  readonly body: Buffer
  readonly windows: readonly Window[]
  readonly linkLength: Readonly<Record<LinkName, number>>
  readonly unsubscribeMailto?: string
}

/** Whole base64 lines that hold a link, at an offset of the body. */
interface Window {
  at: number
  /** What the lines decode to, blank where the links go. */
  plain: Buffer
  holes: readonly { at: number; link: LinkName }[]
}

export interface MessageContent {
  /** `Name <address>`. */
  from: string
  replyTo?: string
  subject: string
  html: string
  text: string
  /** Names and values that every copy has. */
  headers?: Readonly<Record<string, string>>
}

/** 57 bytes are 76 characters of base64, the longest line that RFC 2045 §6.8 allows. */
const lineBytes = 57
const encodedLine = 76 + 2

/**
 * Composes a multipart/alternative message once for all its readers. Each link's length is fixed
 * beforehand, so every byte has its place: what `personalise` writes later is the lines in which a
 * link stands, and nothing moves.
 */
export function composeMessage(
  input: MessageContent & {
    /** Bytes of each reader's whole link; all links of an edition are equally long. */
    linkLength: Readonly<Record<LinkName, number>>
    /** Also offered in `List-Unsubscribe`. */
    unsubscribeMailto?: string
  },
): ComposedMessage {
  const { subject, html, text } = input
  const seed = `${subject} ${html.length} ${text.length} ${html.slice(-2_000)}`
  // The same message has the same bytes; a mail that quotes another has another boundary.
  const hash = createHash('sha256').update(seed).digest('hex')
  // `=_` cannot occur in base64, so no line of a part can be taken for the boundary (RFC 2045 §6.7).
  const boundary = `=_${hash.slice(0, 28)}`
  const parts: Buffer[] = []
  const windows: Window[] = []
  let length = 0
  const append = (bytes: Buffer) => {
    parts.push(bytes)
    length += bytes.length
  }
  const alternatives = [
    ['plain', text],
    ['html', html],
  ] as const
  for (const [subtype, content] of alternatives) {
    append(
      Buffer.from(
        `--${boundary}\r\nContent-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n`,
      ),
    )
    const { bytes, holes } = withHoles(content, input.linkLength)
    for (const window of windowsOf(bytes, holes, input.linkLength)) {
      windows.push({ ...window, at: window.at + length })
    }
    append(base64Lines(bytes))
  }
  append(Buffer.from(`--${boundary}--\r\n`))
  const head = [
    addressLine('From', parseMailbox(input.from)),
    input.replyTo ? addressLine('Reply-To', parseMailbox(input.replyTo)) : '',
    headerLine('Subject', subject),
    ...Object.entries(input.headers ?? {}).map(([name, value]) => ownHeader(name, value)),
    'MIME-Version: 1.0\r\n',
    `Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n\r\n`,
  ].join('')
  return {
    head,
    body: Buffer.concat(parts, length),
    windows,
    linkLength: input.linkLength,
    ...(input.unsubscribeMailto ? { unsubscribeMailto: input.unsubscribeMailto } : {}),
  }
}

/**
 * One reader's message: the constant bytes with their links spliced in and their own headers in
 * front, `List-Unsubscribe` and its one-click twin (RFC 8058) among them.
 *
 * @throws `mail.header`, `mail.address`; a link of another length than was composed for is a fault.
 */
export function personalise(
  message: ComposedMessage,
  reader: {
    to: string
    /** With its angle brackets. */
    messageId: string
    date: Date
    links: ReaderLinks
    headers?: Readonly<Record<string, string>>
  },
): Uint8Array {
  const { links } = reader
  checkLink(links.preferences, message.linkLength.preferences)
  checkLink(links.unsubscribe, message.linkLength.unsubscribe)
  return assemble(
    message,
    readerHead(reader) + unsubscribeLines(links.unsubscribe, message.unsubscribeMailto),
    links,
  )
}

/** A message to one reader, such as a confirmation, without links to splice and list headers. */
export function plainMessage(
  input: MessageContent & { to: string; messageId: string; date: Date },
): Uint8Array {
  const { to, messageId, date, ...content } = input
  const message = composeMessage({ ...content, linkLength: { preferences: 0, unsubscribe: 0 } })
  return assemble(message, readerHead({ to, messageId, date }), undefined)
}

function assemble(
  message: ComposedMessage,
  readerHead: string,
  links: ReaderLinks | undefined,
): Uint8Array {
  const { head, body, windows } = message
  const headLength = readerHead.length + head.length
  const bytes = Buffer.allocUnsafe(headLength + body.length)
  // Headers are ASCII by construction, so characters are bytes.
  bytes.write(readerHead, 0, 'latin1')
  bytes.write(head, readerHead.length, 'latin1')
  body.copy(bytes, headLength)
  if (links === undefined) return bytes
  for (const { at, plain, holes } of windows) {
    const filled = Buffer.from(plain)
    for (const hole of holes) filled.write(links[hole.link], hole.at, 'latin1')
    let position = headLength + at
    for (let from = 0; from < filled.length; from += lineBytes) {
      bytes.write(filled.toString('base64', from, from + lineBytes), position, 'latin1')
      position += encodedLine
    }
  }
  return bytes
}

function readerHead(reader: {
  to: string
  messageId: string
  date: Date
  headers?: Readonly<Record<string, string>>
}): string {
  return [
    addressLine('To', { address: reader.to }),
    rawHeaderLine('Date', dateText(reader.date)),
    rawHeaderLine('Message-ID', reader.messageId),
    ...Object.entries(reader.headers ?? {}).map(([name, value]) => ownHeader(name, value)),
  ].join('')
}

/** Addresses and ids in angle brackets keep their syntax; any other value is free text. */
function ownHeader(name: string, value: string): string {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,60}$/.test(name)) throw new Error('not a header name')
  return /^(List-|Feedback-|Message-|In-Reply-|References$|Auto-|X-|Precedence$)/i.test(name)
    ? rawHeaderLine(name, value)
    : headerLine(name, value)
}

function checkLink(link: string, length: number): void {
  // Anything else would have to be escaped in HTML and would not fit where it goes.
  if (link.length !== length || !/^[A-Za-z0-9._~:/?#[\]@!$()*+,;=%-]*$/.test(link)) {
    throw new Error('a link must be plain and exactly as long as the message was composed for')
  }
}

/** The text as bytes with CRLF line ends (RFC 2046 §4.1.1), each placeholder widened to its link. */
function withHoles(
  text: string,
  linkLength: Readonly<Record<LinkName, number>>,
): { bytes: Buffer; holes: { at: number; link: LinkName }[] } {
  const pieces: Buffer[] = []
  const holes: { at: number; link: LinkName }[] = []
  let length = 0
  const append = (bytes: Buffer) => {
    pieces.push(bytes)
    length += bytes.length
  }
  let rest = text.toWellFormed().replaceAll(/\r\n?|\n/g, '\r\n')
  for (;;) {
    const next = (['preferences', 'unsubscribe'] as const)
      .map((link) => ({ link, at: rest.indexOf(linkPlaceholders[link]) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)[0]
    if (!next) break
    append(Buffer.from(rest.slice(0, next.at)))
    holes.push({ at: length, link: next.link })
    append(Buffer.alloc(linkLength[next.link], ' '))
    rest = rest.slice(next.at + linkPlaceholders[next.link].length)
  }
  append(Buffer.from(rest))
  return { bytes: Buffer.concat(pieces, length), holes }
}

/** The lines that hold links; lines that two links share make one window. */
function windowsOf(
  bytes: Buffer,
  holes: readonly { at: number; link: LinkName }[],
  linkLength: Readonly<Record<LinkName, number>>,
): Window[] {
  const spans: { first: number; last: number; holes: { at: number; link: LinkName }[] }[] = []
  for (const hole of holes) {
    const length = linkLength[hole.link]
    if (length === 0) continue
    const first = Math.floor(hole.at / lineBytes)
    const last = Math.floor((hole.at + length - 1) / lineBytes)
    const before = spans.at(-1)
    if (before && first <= before.last) {
      before.last = Math.max(before.last, last)
      before.holes.push(hole)
    } else {
      spans.push({ first, last, holes: [hole] })
    }
  }
  return spans.map((span) => {
    const from = span.first * lineBytes
    return {
      at: span.first * encodedLine,
      // A copy: kept as a view it would hold on to the whole part.
      plain: Buffer.from(bytes.subarray(from, (span.last + 1) * lineBytes)),
      holes: span.holes.map(({ at, link }) => ({ at: at - from, link })),
    }
  })
}

function base64Lines(bytes: Buffer): Buffer {
  const lines = bytes.toString('base64').replaceAll(/.{1,76}/g, '$&\r\n')
  // An empty part still needs the line break that stands before the boundary.
  return Buffer.from(lines || '\r\n', 'latin1')
}
