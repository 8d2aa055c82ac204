import type { Preferences } from '../../functions/subscribers/subscriber.ts'
import type { Messages } from '../locales/messages.ts'
import type { CategoryItem } from './category-list.tsx'
import { scheduleSentence } from './schedule-sentence.ts'

/** What a reader gets and when, to be looked over before a button. */
export function SubscriptionSummary(props: {
  m: Messages
  preferences: Preferences
  categories: readonly CategoryItem[]
}) {
  const { m, preferences, categories } = props
  const titles = new Map(categories.map(({ slug, title }) => [slug, title]))
  return (
    <div class="choice-list">
      {preferences.categories.length === 0 ? (
        <p>{m.mail.everything}</p>
      ) : (
        <ul class="plain">
          {preferences.categories.map((slug) => (
            <li>{titles.get(slug) ?? slug}</li>
          ))}
        </ul>
      )}
      <p class="small">{scheduleSentence(m, preferences)}</p>
    </div>
  )
}
