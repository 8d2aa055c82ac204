import { urlPaths } from '../../functions/keys.ts'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

export interface UnsubscribePageProps extends PageContext {
  token: string
  /** Only this one is left out; the form says so in its field `category`. */
  category?: { slug: string; title: string }
  preferencesUrl?: string
}

/** One button: opening the link changes nothing. */
export function unsubscribePage(props: UnsubscribePageProps): string {
  const { settings, locale, token, category } = props
  const m = messagesFor(locale)
  const u = m.unsubscribe
  return renderPage({
    settings,
    locale,
    title: u.title,
    isPrivate: true,
    children: (
      <>
        <h1 class="title">{u.title}</h1>
        <p class="lead">
          {category ? u.leadCategory(category.title) : u.lead(settings.site.title)}
        </p>
        <form action={urlPaths.unsubscribe(token)} method="post">
          {category && <input type="hidden" name="category" value={category.slug} />}
          <button type="submit">{category ? u.buttonCategory(category.title) : u.button}</button>
        </form>
        {props.preferencesUrl && (
          <p class="lead">
            <a href={props.preferencesUrl}>{u.keep}</a>
          </p>
        )}
      </>
    ),
  })
}
