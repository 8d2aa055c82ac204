import { urlPaths } from '../../functions/keys.ts'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

/** After a reader had everything about them deleted. */
export function erasedPage({ settings, locale }: PageContext): string {
  const m = messagesFor(locale)
  return renderPage({
    settings,
    locale,
    title: m.erased.title,
    isPrivate: true,
    children: (
      <>
        <h1 class="title">{m.erased.title}</h1>
        <p class="lead">{m.erased.lead}</p>
        <p class="lead">
          <a href={urlPaths.home}>{m.unsubscribed.back}</a>
        </p>
      </>
    ),
  })
}
