import { urlPaths } from '../../functions/keys.ts'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

export interface UnsubscribedPageProps extends PageContext {
  preferencesUrl?: string
  /** Only this one was left out. */
  category?: { slug: string; title: string }
}

/** Done, and the way back. */
export function unsubscribedPage(props: UnsubscribedPageProps): string {
  const { settings, locale, preferencesUrl, category } = props
  const m = messagesFor(locale)
  const u = m.unsubscribed
  return renderPage({
    settings,
    locale,
    title: u.title,
    isPrivate: true,
    children: (
      <>
        <h1 class="title">{u.title}</h1>
        <p class="lead">{category ? u.leadCategory(category.title) : u.lead}</p>
        <p class="lead">
          {preferencesUrl ? (
            <a href={preferencesUrl}>{category ? m.confirmed.change : u.change}</a>
          ) : (
            <a href={urlPaths.home}>{u.back}</a>
          )}
        </p>
      </>
    ),
  })
}
