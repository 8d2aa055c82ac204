import type { FieldError } from '../../functions/errors.ts'
import { urlPaths } from '../../functions/keys.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import type { Cadence } from '../../functions/subscribers/subscriber.ts'
import { messagesFor } from '../locales/index.ts'
import type { Messages } from '../locales/messages.ts'
import type { CategoryItem } from './category-list.tsx'
import { describedBy, Field } from './form-field.tsx'
import { type FormValues, PreferenceFields } from './preference-fields.tsx'

/** Left empty by people, who do not see it; a machine that fills it gets the usual answer and no more. */
export const honeypotField = 'website'

/** The whole form, as on the subscribe page. */
export function SubscribeForm(props: {
  settings: Settings
  locale: string
  categories: readonly CategoryItem[]
  values: FormValues
  errors: readonly FieldError[]
  cadences: readonly Cadence[]
}) {
  const { values, errors } = props
  const m = messagesFor(props.locale)
  return (
    // Our own messages name the fault in the reader's language and beside the field.
    <form action={urlPaths.subscribe} method="post" novalidate>
      <EmailField m={m} value={values.email ?? ''} errors={errors} />
      <Honeypot />
      <PreferenceFields {...props} m={m} />
      <p class="hint">{m.subscribe.consent}</p>
      <button type="submit">{m.subscribe.button}</button>
    </form>
  )
}

/** An address and a button, for the side of a page; everything else is as the site has it. */
export function BriefSubscribeForm(props: {
  locale: string
  /** Preset, and named above the form. */
  category?: CategoryItem
}) {
  const { locale, category } = props
  const m = messagesFor(locale)
  const more = category
    ? `${urlPaths.subscribe}?categories=${encodeURIComponent(category.slug)}`
    : urlPaths.subscribe
  return (
    <form class="panel" action={urlPaths.subscribe} method="post">
      <h2>{category ? m.category.byMail : m.subscribe.title}</h2>
      <p class="hint">{category ? m.subscribe.onlyCategory(category.title) : m.subscribe.lead}</p>
      {category && <input type="hidden" name="categories" value={category.slug} />}
      <input type="hidden" name="locale" value={m.locale} />
      <EmailField m={m} value="" errors={[]} />
      <Honeypot />
      <button type="submit">{m.subscribe.button}</button>
      <p class="hint">
        <a href={more}>{m.subscribe.choose}</a>
      </p>
    </form>
  )
}

function Honeypot() {
  return <input type="text" name={honeypotField} hidden tabindex={-1} autocomplete="off" />
}

function EmailField(props: { m: Messages; value: string; errors: readonly FieldError[] }) {
  const { m, value, errors } = props
  return (
    <Field
      path="email"
      label={m.subscribe.email}
      hint={m.subscribe.emailHint}
      errors={errors}
      m={m}
    >
      <input
        type="email"
        id="field-email"
        name="email"
        value={value}
        required
        maxlength={254}
        autocomplete="email"
        autocapitalize="none"
        spellcheck={false}
        {...describedBy(errors, 'email', 'hint-email')}
      />
    </Field>
  )
}
