import { urlPaths } from '../../functions/keys.ts'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

/** A link that is too old, forged or incomplete, and how to get another. */
export function linkExpiredPage({ settings, locale }: PageContext): string {
  const m = messagesFor(locale)
  return renderPage({
    settings,
    locale,
    title: m.linkExpired.title,
    isPrivate: true,
    children: (
      <>
        <h1 class="title">{m.linkExpired.title}</h1>
        <p class="lead">{m.linkExpired.lead}</p>
        <p class="lead">
          <a href={urlPaths.subscribe}>{m.linkExpired.again}</a>
        </p>
      </>
    ),
  })
}
