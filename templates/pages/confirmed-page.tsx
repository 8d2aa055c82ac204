import type { Preferences } from '../../functions/subscribers/subscriber.ts'
import type { CategoryItem } from '../components/category-list.tsx'
import { SubscriptionSummary } from '../components/subscription-summary.tsx'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { formatDate } from '../locales/format.ts'
import { dateLocale, messagesFor } from '../locales/index.ts'

export interface ConfirmedPageProps extends PageContext {
  preferencesUrl: string
  preferences: Preferences
  categories: readonly CategoryItem[]
  /** When the next mail is due, RFC 3339; absent for instant readers. */
  nextAt?: string
}

/** Says what will come and when, and where to change it. */
export function confirmedPage(props: ConfirmedPageProps): string {
  const { settings, locale, preferences, nextAt } = props
  const m = messagesFor(locale)
  return renderPage({
    settings,
    locale,
    title: m.confirmed.title,
    isPrivate: true,
    children: (
      <>
        <h1 class="title">{m.confirmed.title}</h1>
        <p class="lead">{m.confirmed.lead}</p>
        <SubscriptionSummary m={m} preferences={preferences} categories={props.categories} />
        {nextAt && (
          <p>
            {m.confirmed.next(
              formatDate(dateLocale(locale, settings), nextAt, preferences.timeZone, 'time'),
            )}
          </p>
        )}
        <p class="lead">
          <a href={props.preferencesUrl}>{m.confirmed.change}</a>
        </p>
      </>
    ),
  })
}
