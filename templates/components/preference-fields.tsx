import type { FieldError } from '../../functions/errors.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import type { Cadence } from '../../functions/subscribers/subscriber.ts'
import { weekdays } from '../locales/format.ts'
import { locales, messagesFor } from '../locales/index.ts'
import type { Messages } from '../locales/messages.ts'
import type { CategoryItem } from './category-list.tsx'
import { describedBy, Fault, Field } from './form-field.tsx'
import { dayName, scheduleSentence } from './schedule-sentence.ts'
import { TimeZoneOptions } from './time-zone-options.tsx'

/** What a form shows as filled in; fields that are absent show the site's defaults. */
export interface FormValues {
  email?: string
  categories?: readonly string[]
  cadence?: string
  day?: string
  at?: string
  timeZone?: string
  locale?: string
}

interface FieldsProps {
  settings: Settings
  m: Messages
  values: FormValues
  errors: readonly FieldError[]
  categories: readonly CategoryItem[]
  cadences: readonly Cadence[]
}

/** Which categories, how often, when and in which language: the same on subscribing and later. */
export function PreferenceFields(props: FieldsProps) {
  return (
    <>
      <CategoryChoices {...props} />
      <CadenceChoices {...props} />
      <TimeChoices {...props} />
    </>
  )
}

function CategoryChoices({ categories, values, errors, m }: FieldsProps) {
  if (categories.length === 0) return null
  const chosen = new Set(values.categories)
  return (
    <fieldset
      class="field"
      id="field-categories"
      aria-describedby={groupDescribedBy(errors, 'categories', 'hint-categories')}
    >
      <legend>{m.subscribe.categories}</legend>
      <p class="hint" id="hint-categories">
        {m.subscribe.categoriesHint}
      </p>
      <Fault errors={errors} path="categories" m={m} />
      {/* Sent also when no box is ticked: without it none would be taken for unchanged. */}
      <input type="hidden" name="categories" value="" />
      <div class={categories.length > 8 ? 'choices many' : 'choices'}>
        {categories.map(({ slug, title, description }) => (
          <label class="choice">
            <input type="checkbox" name="categories" value={slug} checked={chosen.has(slug)} />
            <span>
              {title}
              {description && categories.length <= 8 && <span class="hint">{description}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

/** A group is described as a control is, but cannot be invalid itself. */
function groupDescribedBy(...of: Parameters<typeof describedBy>): string | undefined {
  return describedBy(...of)['aria-describedby']
}

function CadenceChoices({ cadences, values, errors, settings, m }: FieldsProps) {
  const chosen = values.cadence ?? settings.digests.cadence
  return (
    <fieldset
      class="field"
      id="field-cadence"
      aria-describedby={groupDescribedBy(errors, 'cadence')}
    >
      <legend>{m.subscribe.cadence}</legend>
      <Fault errors={errors} path="cadence" m={m} />
      {cadences.map((cadence) => (
        <label class="choice">
          <input type="radio" name="cadence" value={cadence} checked={cadence === chosen} />
          <span>{m.cadences[cadence]}</span>
        </label>
      ))}
    </fieldset>
  )
}

function TimeChoices({ values, errors, settings, m, cadences }: FieldsProps) {
  const { digests } = settings
  const at = values.at ?? digests.at
  const timeZone = values.timeZone ?? digests.timeZone
  const cadence = cadences.find((offered) => offered === values.cadence) ?? digests.cadence
  const day = values.day ?? (cadence === digests.cadence ? digests.day : undefined)
  const isOpen = errors.some(({ path }) => ['day', 'at', 'timeZone', 'locale'].includes(path))
  const sentence = scheduleSentence(m, { cadence, at, timeZone, ...(day ? { day } : {}) })
  return (
    <details open={isOpen}>
      <summary>{m.subscribe.when}</summary>
      <div>
        <p class="hint">{m.subscribe.whenDefault(sentence)}</p>
        <Field path="day" label={m.subscribe.day} hint={m.subscribe.dayHint} errors={errors} m={m}>
          <DaySelect m={m} day={values.day ?? ''} errors={errors} />
        </Field>
        <Field path="at" label={m.subscribe.at} errors={errors} m={m}>
          <input
            class="short"
            type="time"
            id="field-at"
            name="at"
            value={at}
            {...describedBy(errors, 'at')}
          />
        </Field>
        <Field path="timeZone" label={m.subscribe.timeZone} errors={errors} m={m}>
          <select id="field-timeZone" name="timeZone" {...describedBy(errors, 'timeZone')}>
            <TimeZoneOptions chosen={timeZone} />
          </select>
        </Field>
        <Field path="locale" label={m.subscribe.locale} errors={errors} m={m}>
          <select id="field-locale" name="locale" {...describedBy(errors, 'locale')}>
            {locales.map((locale) => (
              <option
                value={locale}
                lang={locale}
                selected={locale === messagesFor(values.locale ?? m.locale).locale}
              >
                {messagesFor(locale).language}
              </option>
            ))}
          </select>
        </Field>
      </div>
    </details>
  )
}

function DaySelect(props: { m: Messages; day: string; errors: readonly FieldError[] }) {
  const { m, day, errors } = props
  const option = (value: string) => (
    <option value={value} selected={value === day}>
      {dayName(m, value)}
    </option>
  )
  return (
    <select class="short" id="field-day" name="day" {...describedBy(errors, 'day', 'hint-day')}>
      <option value="">{m.subscribe.dayUsual}</option>
      <optgroup label={m.subscribe.dayWeekly}>{weekdays.map(option)}</optgroup>
      <optgroup label={m.subscribe.dayMonthly}>
        {['first', 'last'].flatMap((position) =>
          weekdays.map((weekday) => option(`${position}-${weekday}`)),
        )}
        {Array.from({ length: 31 }, (_, i) => option(String(i + 1)))}
      </optgroup>
    </select>
  )
}
