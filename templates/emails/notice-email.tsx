import type { Child } from 'hono/jsx'
import type { Settings } from '../../functions/settings/settings.ts'
import { messagesFor } from '../locales/index.ts'
import { cutToWidth } from './display-width.ts'
import { type Email, oneLine, textColumns, textRule } from './email.ts'
import { ActionButton, EmailLayout, PostalAddress, Row, styles } from './email-layout.tsx'
import { wrapText } from './wrap-text.ts'

interface Notice {
  settings: Settings
  locale: string
  subject: string
  /** What happened. */
  lead: string
  /** Between the lead and the button: the same in both forms. */
  details?: { html: Child; text: string }
  button: string
  url: string
  /** What to do when it was somebody else. */
  ignore: string
}

/**
 * A mail with one thing to do. It has nothing in it that a stranger could have typed: such a mail
 * goes to addresses whose owners have asked for nothing yet.
 */
export function noticeEmail(notice: Notice): Email {
  const { settings, locale, lead, details, button, url, ignore } = notice
  const m = messagesFor(locale)
  const subject = cutToWidth(oneLine(notice.subject), 78)
  const mail = (
    <EmailLayout settings={settings} locale={locale} title={subject} preheader={lead}>
      <Row padding="28px 0 36px">
        <p class="ink" style={styles.text}>
          {lead}
        </p>
        {details?.html}
        <ActionButton settings={settings} url={url} text={button} orCopy={m.mail.orCopy} />
      </Row>
      <Row padding="20px 0 40px" line="hair">
        <p class="quiet" style={`margin:0;${styles.small}`}>
          {ignore}
        </p>
        <PostalAddress settings={settings} />
      </Row>
    </EmailLayout>
  )
  const { postalAddress } = settings.mail
  const text = [
    wrapText(settings.site.title, textColumns),
    textRule,
    '',
    wrapText(lead, textColumns),
    ...(details ? ['', wrapText(details.text, textColumns)] : []),
    '',
    m.mail.label(button),
    url,
    '',
    textRule,
    '',
    wrapText(ignore, textColumns),
    ...(postalAddress ? ['', wrapText(postalAddress, textColumns)] : []),
    '',
  ].join('\n')
  return { subject, html: `<!doctype html>\n${mail.toString()}\n`, text }
}
