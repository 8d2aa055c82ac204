import { urlPaths } from '../../functions/keys.ts'
import type { Preferences } from '../../functions/subscribers/subscriber.ts'
import type { CategoryItem } from '../components/category-list.tsx'
import { SubscriptionSummary } from '../components/subscription-summary.tsx'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

export interface ConfirmPageProps extends PageContext {
  token: string
  preferences: Preferences
  categories: readonly CategoryItem[]
}

/** What was asked for, and one button: opening the link changes nothing. */
export function confirmPage(props: ConfirmPageProps): string {
  const { settings, locale, token, preferences, categories } = props
  const m = messagesFor(locale)
  return renderPage({
    settings,
    locale,
    title: m.confirm.title,
    isPrivate: true,
    children: (
      <>
        <h1 class="title">{m.confirm.title}</h1>
        <p class="lead">{m.confirm.lead(settings.site.title)}</p>
        <SubscriptionSummary m={m} preferences={preferences} categories={categories} />
        <p class="hint">{m.subscribe.consent}</p>
        <form action={urlPaths.confirm(token)} method="post">
          <button type="submit">{m.confirm.button}</button>
        </form>
        <p class="lead small">{m.confirm.ignore}</p>
      </>
    ),
  })
}
