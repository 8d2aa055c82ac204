import { urlPaths } from '../../functions/keys.ts'
import { markedText } from '../components/marked-text.tsx'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

export interface MessagePageProps extends PageContext {
  title: string
  text: string
  /** Said in English where it comes from the code and not from the locale. */
  detail?: string
  /** The stable code of an error, for a person to quote. */
  code?: string
}

/** One thing to say, and the way to the front page. */
export function messagePage(props: MessagePageProps): string {
  const { settings, locale, title, text, detail, code } = props
  const m = messagesFor(locale)
  return renderPage({
    settings,
    locale,
    title,
    isPrivate: true,
    children: (
      <>
        <h1 class="title">{title}</h1>
        <p class="lead">{text}</p>
        {detail && (
          <p class="lead" lang={m.locale === 'en' ? undefined : 'en'}>
            {markedText(detail)}
          </p>
        )}
        {code && (
          <p class="lead small">
            {m.mail.label(m.errors.code)} <code>{code}</code>
          </p>
        )}
        <p class="lead">
          <a href={urlPaths.home}>{m.errors.home}</a>
        </p>
      </>
    ),
  })
}
