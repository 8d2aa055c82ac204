import { raw } from 'hono/html'
import { urlPaths } from '../../functions/keys.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import { readingMinutes } from '../components/reading-time.ts'
import { languageOf } from '../layouts/page.tsx'
import { formatDate } from '../locales/format.ts'
import { dateLocale, messagesFor } from '../locales/index.ts'
import { chosenTitles } from './chosen-titles.ts'
import { cutToBytes, cutToWidth } from './display-width.ts'
import {
  type Email,
  type EmailPost,
  encodedBytes,
  type MailLinks,
  maxHtmlBytes,
  oneLine,
  subjectLine,
  textColumns,
  textFooter,
  textRule,
} from './email.ts'
import { EmailLayout, Footer, Row, serifFor, styles } from './email-layout.tsx'
import { letterBody } from './letter-body.ts'
import { wrapDocument, wrapText } from './wrap-text.ts'

export interface LetterEmailInput {
  settings: Settings
  locale: string
  /** `html` is sanitised, `text` its plain twin. */
  post: EmailPost & { html: string; text: string }
  /** What the reader chose; empty means everything. */
  categoryTitles: readonly string[]
  links: MailLinks
  /** IANA name, for the date; the site's zone when absent. */
  timeZone?: string
}

/** Most of the text part: it is for those who read no HTML, and mail servers bound a message. */
const maxText = 60_000

/** A post as a mail of its own, whole as far as `maxHtmlBytes` allow, with its home for the rest. */
export function letterEmail(given: LetterEmailInput): Email {
  const post = {
    ...given.post,
    title: cutToBytes(oneLine(given.post.title), 1_000),
    summary: cutToBytes(given.post.summary, 2_500),
  }
  const input = { ...given, post }
  const { settings, locale } = input
  const around = encodedBytes(letterHtml(input, '', false))
  // Back from encoded to plain bytes, with room for the line ends that encoding adds.
  const room = Math.floor(((maxHtmlBytes - around) / 78) * 57) - 1_000
  const body = letterBody(post.html, Math.floor(room * 0.97))
  let html = letterHtml(input, body.html, body.isWhole)
  if (encodedBytes(html) > maxHtmlBytes) html = letterHtml(input, '', false)
  return {
    subject: subjectLine(post.title, settings.site.title, (title) => title),
    html,
    text: letterText(input, messagesFor(locale)),
  }
}

function letterHtml(input: LetterEmailInput, body: string, isWhole: boolean): string {
  const { settings, locale, post } = input
  const m = messagesFor(locale)
  const language = post.language ?? settings.site.language
  const lang = languageOf(language, m.locale)
  const font = lang ? `;font-family:${serifFor(language)}` : ''
  const mail = (
    <EmailLayout
      settings={settings}
      locale={locale}
      title={post.title}
      preheader={cutToWidth(oneLine(post.summary || settings.site.description), 130)}
      webUrl={post.url}
      footer={
        <Footer
          settings={settings}
          locale={locale}
          why={m.mail.whyLetter(settings.site.title, chosenTitles(m, input.categoryTitles))}
          links={input.links}
        />
      }
    >
      <Row padding="28px 0 32px">
        <h1 class="ink" lang={lang} style={`${styles.lead}${font}`}>
          <a href={post.url} style={styles.link}>
            {post.title}
          </a>
        </h1>
        <p class="quiet" style={`margin:8px 0 0;${styles.small}`}>
          {smallPrint(input).join(' · ')}
        </p>
        <div class="ink" lang={lang} style={`${styles.text}${font}`}>
          {body ? raw(body) : <p style={`${styles.text};margin:16px 0 0`}>{post.summary}</p>}
        </div>
        {!isWhole && (
          <p class="ink" style={`${styles.text};margin-top:16px`}>
            <a href={post.url} style={`${styles.link};text-decoration:underline`}>
              {m.mail.letterTooLong}
            </a>
          </p>
        )}
      </Row>
    </EmailLayout>
  )
  return `<!doctype html>\n${mail.toString()}\n`
}

function letterText(input: LetterEmailInput, m: ReturnType<typeof messagesFor>): string {
  const { settings, post, links } = input
  const isWhole = post.text.length <= maxText
  const text = isWhole ? post.text : `${post.text.slice(0, maxText).toWellFormed()}…`
  return [
    wrapText(settings.site.title, textColumns),
    textRule,
    '',
    wrapText(post.title, textColumns),
    wrapText(smallPrint(input).join(' · '), textColumns),
    post.url,
    '',
    wrapDocument(text || post.summary, textColumns),
    '',
    ...(isWhole ? [] : [wrapText(m.mail.label(m.mail.letterTooLong), textColumns), post.url, '']),
    textFooter({
      why: m.mail.whyLetter(settings.site.title, chosenTitles(m, input.categoryTitles)),
      labels: [
        [m.mail.label(m.mail.preferences), links.preferences],
        [m.mail.label(m.mail.unsubscribe), links.unsubscribe],
        [m.mail.label(m.mail.archive), `${settings.site.baseUrl}${urlPaths.archive}`],
      ],
      address: settings.mail.postalAddress,
    }),
  ].join('\n')
}

function smallPrint({ post, settings, locale, timeZone }: LetterEmailInput): string[] {
  const minutes = readingMinutes(post.text)
  return [
    formatDate(dateLocale(locale, settings), post.date, timeZone ?? settings.site.timeZone),
    ...(post.authors.length > 0 ? [post.authors.slice(0, 3).join(', ')] : []),
    ...(minutes > 1 ? [messagesFor(locale).post.minutes(minutes)] : []),
  ]
}
