import type { FieldError } from '../../functions/errors.ts'
import { everything, urlPaths } from '../../functions/keys.ts'
import type { Cadence, Subscriber } from '../../functions/subscribers/subscriber.ts'
import type { CategoryItem } from '../components/category-list.tsx'
import { describedBy, ErrorSummary, Fault, Field } from '../components/form-field.tsx'
import { type FormValues, PreferenceFields } from '../components/preference-fields.tsx'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { formatDate } from '../locales/format.ts'
import { dateLocale, messagesFor } from '../locales/index.ts'

export interface PreferencesPageProps extends PageContext {
  token: string
  subscriber: Pick<
    Subscriber,
    | 'state'
    | 'categories'
    | 'cadence'
    | 'day'
    | 'at'
    | 'timeZone'
    | 'locale'
    | 'pausedUntil'
    | 'email'
  >
  /** What was typed into the form that was refused. */
  typed?: FormValues
  categories: readonly CategoryItem[]
  errors: readonly FieldError[]
  /** The form was just saved. */
  saved?: boolean
  cadences?: readonly Cadence[]
}

/**
 * Everything a reader can change, one form each. Which one was sent says its field `action`:
 * `save`, `pause` (with `pausedUntil`), `resume`, `address` (with `email`), `export`, `erase` (with
 * `confirm`), `unsubscribe` or `subscribe`.
 */
export function preferencesPage(props: PreferencesPageProps): string {
  const { settings, locale, token, subscriber, categories, errors } = props
  const m = messagesFor(locale)
  const p = m.preferences
  const action = urlPaths.preferences(token)
  const isReader = subscriber.state === 'confirmed' || subscriber.state === 'paused'
  // Mail came back, or was reported: no choice of theirs would bring it again.
  const isSuppressed = subscriber.state === 'suppressed'
  const until = subscriber.state === 'paused' ? subscriber.pausedUntil : undefined
  const { cadence, day, at, timeZone } = subscriber
  const values = {
    categories: everything in subscriber.categories ? [] : Object.keys(subscriber.categories),
    cadence,
    ...(day ? { day } : {}),
    at,
    timeZone,
    locale: subscriber.locale,
    ...props.typed,
  }
  const offered = props.cadences ?? settings.digests.cadences
  return renderPage({
    settings,
    locale,
    title: errors.length > 0 ? `${m.subscribe.errorPrefix}: ${p.title}` : p.title,
    isPrivate: true,
    children: (
      <>
        <ErrorSummary errors={errors} m={m} />
        {props.saved && (
          <p class="notice" role="status">
            {p.saved}
          </p>
        )}
        <h1 class="title">{p.title}</h1>
        {subscriber.email && <p class="lead">{subscriber.email}</p>}
        {!isReader && <p class="lead">{isSuppressed ? p.suppressed : p.stopped}</p>}
        {until && (
          <form action={action} method="post">
            <p class="lead">
              {p.paused(formatDate(dateLocale(locale, settings), until, timeZone))}
            </p>
            <input type="hidden" name="action" value="resume" />
            <button class="second" type="submit">
              {p.resume}
            </button>
          </form>
        )}
        {!isSuppressed && (
          <form action={action} method="post" novalidate>
            <input type="hidden" name="action" value={isReader ? 'save' : 'subscribe'} />
            <PreferenceFields
              settings={settings}
              m={m}
              values={values}
              errors={errors}
              categories={categories}
              // What is no longer offered may be kept by those who have it.
              cadences={offered.includes(cadence) ? offered : [...offered, cadence]}
            />
            <button type="submit">{isReader ? p.save : p.again}</button>
          </form>
        )}
        <div class="issue">
          {subscriber.state === 'confirmed' && (
            <Section
              title={p.pause}
              hint={p.pauseHint}
              action={action}
              name="pause"
              button={p.pauseButton}
            >
              <Field path="pausedUntil" label={p.pauseUntil} errors={errors} m={m}>
                <input
                  class="short"
                  type="date"
                  id="field-pausedUntil"
                  name="pausedUntil"
                  required
                  {...describedBy(errors, 'pausedUntil')}
                />
              </Field>
            </Section>
          )}
          {isReader && (
            <Section
              title={p.address}
              hint={p.addressHint}
              action={action}
              name="address"
              button={p.addressButton}
            >
              <Field path="email" label={p.newAddress} errors={errors} m={m}>
                <input
                  type="email"
                  id="field-email"
                  name="email"
                  required
                  maxlength={254}
                  autocomplete="email"
                  {...describedBy(errors, 'email')}
                />
              </Field>
            </Section>
          )}
          <Section
            title={p.data}
            hint={p.dataHint}
            action={action}
            name="export"
            button={p.export}
          />
          {isReader && (
            <Section
              title={p.leave}
              hint={p.leaveHint}
              action={action}
              name="unsubscribe"
              button={p.leaveButton}
            />
          )}
          <Section
            title={p.erase}
            hint={p.eraseHint}
            action={action}
            name="erase"
            button={p.eraseButton}
          >
            <div class="field">
              <label class="choice">
                <input
                  type="checkbox"
                  id="field-confirm"
                  name="confirm"
                  value="yes"
                  required
                  {...describedBy(errors, 'confirm')}
                />
                <span>{p.eraseConfirm}</span>
              </label>
              <Fault errors={errors} path="confirm" m={m} />
            </div>
          </Section>
        </div>
      </>
    ),
  })
}

function Section(props: {
  title: string
  hint: string
  action: string
  name: string
  button: string
  children?: unknown
}) {
  const { title, hint, action, name, button, children } = props
  return (
    <section class="section" aria-labelledby={`section-${name}`}>
      <h2 id={`section-${name}`}>{title}</h2>
      <p class="hint">{hint}</p>
      <form action={action} method="post">
        <input type="hidden" name="action" value={name} />
        {children}
        <button class="second" type="submit">
          {button}
        </button>
      </form>
    </section>
  )
}
