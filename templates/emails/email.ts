import type { PostImage } from '../../functions/posts/post.ts'
import { cutToWidth, displayWidth } from './display-width.ts'
import { wrapText } from './wrap-text.ts'

/** What a template makes of a mail: three texts from the same data. */
export interface Email {
  subject: string
  html: string
  text: string
}

/** The links that every bulk mail has; a composer passes marks that it replaces for each reader. */
export interface MailLinks {
  preferences: string
  unsubscribe: string
}

/** A post as a mail shows it. */
export interface EmailPost {
  title: string
  url: string
  /** Plain text, empty when there is none. */
  summary: string
  /** RFC 3339. */
  date: string
  authors: string[]
  image?: PostImage
  /** BCP 47; the site's when absent. */
  language?: string
  /** Reading time, when the text was at hand to measure it. */
  minutes?: number
}

/** Gmail clips what is longer; counted as sent, in base64 lines with their ends. */
export const maxHtmlBytes = 90_000

/** Bytes that the HTML takes in the message: 57 bytes are a line of 76 characters and CRLF. */
export function encodedBytes(html: string): number {
  let lineEnds = 0
  for (let at = html.indexOf('\n'); at >= 0; at = html.indexOf('\n', at + 1)) lineEnds += 1
  return Math.ceil((Buffer.byteLength(html) + lineEnds) / 57) * 78
}

/** The width of a text part: of its prose and of its rules. */
export const textColumns = 72
export const textRule = '─'.repeat(textColumns)

/** A subject that fits a list of mails whole: at most 78 columns, the brand last. */
export function subjectLine(
  title: string,
  brand: string,
  withMore: (title: string) => string,
): string {
  const end = ` – ${cutToWidth(oneLine(brand), 28)}`
  const around = displayWidth(withMore('')) + displayWidth(end)
  return `${withMore(cutToWidth(oneLine(title), 78 - around))}${end}`
}

/** Line breaks and other controls as blanks: a title may come with them, a header must not. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}

/** The foot of a bulk mail's plain text. */
export function textFooter(lines: {
  why: string
  /** Each with its link. */
  labels: readonly (readonly [string, string])[]
  address?: string | undefined
}): string {
  return [
    textRule,
    '',
    wrapText(lines.why, textColumns),
    '',
    ...lines.labels.flat(),
    ...(lines.address ? ['', wrapText(lines.address, textColumns)] : []),
    '',
  ].join('\n')
}
