import { urlPaths } from '../../functions/keys.ts'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { formatDate } from '../locales/format.ts'
import { dateLocale, messagesFor } from '../locales/index.ts'

export interface OutboxPageProps extends PageContext {
  /** Newest first; `date` RFC 3339. */
  mails: readonly { id: string; to: string; subject: string; date: string; href: string }[]
  /** The address of older mails. */
  older?: string
}

/** The mails that stayed on this machine. */
export function outboxPage({ settings, locale, mails, older }: OutboxPageProps): string {
  const m = messagesFor(locale)
  const dates = dateLocale(locale, settings)
  return renderPage({
    settings,
    locale,
    title: m.outbox.title,
    isPrivate: true,
    children: (
      <>
        <h1 class="title">{m.outbox.title}</h1>
        <p class="lead">{mails.length > 0 || older ? m.outbox.lead : m.outbox.empty}</p>
        <ul class="plain mails issue">
          {mails.map(({ to, subject, date, href }) => (
            <li>
              <a href={href}>{subject}</a>
              <br />
              {to}
              {' · '}
              <time datetime={date}>{formatDate(dates, date, settings.site.timeZone, 'time')}</time>
            </li>
          ))}
        </ul>
        {older && (
          <p class="lead">
            <a href={older}>{m.outbox.older}</a>
          </p>
        )}
      </>
    ),
  })
}

export interface MailPageProps extends PageContext {
  id: string
  subject: string
  from: string
  to: string
  /** RFC 3339. */
  date: string
  /** The plain text, shown when `view` asks for it. */
  text: string
  source: string
  view: 'html' | 'text' | 'source'
}

/** One mail of the outbox: as it looks (in a frame that runs nothing), as text, and its source. */
export function mailPage(props: MailPageProps): string {
  const { settings, locale, id, view } = props
  const m = messagesFor(locale)
  const o = m.outbox
  const path = `${urlPaths.outbox}${encodeURIComponent(id)}`
  const views = [
    ['html', o.html, path],
    ['text', o.text, `${path}?view=text`],
    ['source', o.source, `${path}?view=source`],
  ] as const
  return renderPage({
    settings,
    locale,
    shape: 'wide',
    title: props.subject,
    isPrivate: true,
    children: (
      <>
        <h1 class="title">{props.subject}</h1>
        <p class="facts">
          <span>{`${m.mail.label(o.from)} ${props.from}`}</span>
          <span>{`${m.mail.label(o.to)} ${props.to}`}</span>
          <span>
            {formatDate(dateLocale(locale, settings), props.date, settings.site.timeZone, 'time')}
          </span>
        </p>
        <p class="formats small issue">
          {views.map(([name, title, href]) => (
            <a href={href} {...(name === view ? { 'aria-current': 'true' } : {})}>
              {title}
            </a>
          ))}
          <a href={urlPaths.outbox}>{o.back}</a>
        </p>
        {view === 'html' && (
          <iframe
            class="frame"
            title={props.subject}
            src={`${path}/html`}
            sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
          />
        )}
        {view !== 'html' && <pre class="source">{view === 'text' ? props.text : props.source}</pre>}
      </>
    ),
  })
}
