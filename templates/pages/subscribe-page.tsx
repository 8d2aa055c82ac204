import type { FieldError } from '../../functions/errors.ts'
import { urlPaths } from '../../functions/keys.ts'
import { cadences as allCadences, type Cadence } from '../../functions/subscribers/subscriber.ts'
import type { CategoryItem } from '../components/category-list.tsx'
import { ErrorSummary } from '../components/form-field.tsx'
import { SubscribeForm } from '../components/subscribe-form.tsx'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

export interface SubscribePageProps extends PageContext {
  categories: readonly CategoryItem[]
  /** What was typed or comes with the address, to be kept on a refusal. */
  values: Partial<Record<string, string>> & { categories?: string[] }
  errors: readonly FieldError[]
  /** Those that readers are offered. */
  cadences: readonly Cadence[]
}

/** The form, empty or with what was wrong in it. */
export function subscribePage(props: SubscribePageProps): string {
  const { settings, locale, errors, values } = props
  const m = messagesFor(locale)
  const cadences = props.cadences.length > 0 ? props.cadences : allCadences
  return renderPage({
    settings,
    locale,
    title:
      errors.length > 0 ? `${m.subscribe.errorPrefix}: ${m.subscribe.title}` : m.subscribe.title,
    canonical: urlPaths.subscribe,
    current: urlPaths.subscribe,
    children: (
      <>
        <ErrorSummary errors={errors} m={m} />
        <h1 class="title">{m.subscribe.title}</h1>
        <p class="lead">{m.subscribe.lead}</p>
        <SubscribeForm {...props} values={values} cadences={cadences} />
      </>
    ),
  })
}
