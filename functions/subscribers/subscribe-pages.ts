import { type Context, Hono } from 'hono'
import { honeypotField } from '../../templates/components/subscribe-form.tsx'
import { chooseLocale, messagesFor } from '../../templates/locales/index.ts'
import { checkInboxPage } from '../../templates/pages/check-inbox-page.tsx'
import { subscribePage } from '../../templates/pages/subscribe-page.tsx'
import { problem } from '../api/api.ts'
import { type FieldError, invalid, ServiceError } from '../errors.ts'
import { urlPaths } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { type Category, listCategories } from '../posts/categories.ts'
import { normaliseAddress } from './address.ts'
import { clientAddress } from './client-address.ts'
import { type Fields, readFields, shortTexts, textOf, wantsJson } from './form-fields.ts'
import { admitRequest } from './limits.ts'
import { checkPreferences } from './preferences.ts'
import { presentSlugs } from './present-names.ts'
import { requestSubscription } from './subscribe.ts'
import type { Preferences } from './subscriber.ts'
import { tooMany } from './too-many.ts'

/** `/subscribe`: the form, and what it and JSON callers send. Forms of other sites may send here too. */
export function subscribePages(platform: Platform): Hono {
  const app = new Hono()
  const { settings } = platform

  app.get(urlPaths.subscribe, async (c) => {
    const locale = chooseLocale(c.req.query('locale') ?? c.req.header('accept-language'), settings)
    const chosen = [...(c.req.queries('categories') ?? []), ...(c.req.queries('category') ?? [])]
    const { cadence, day, at, timeZone } = c.req.query()
    c.header('cache-control', 'no-cache')
    c.header('vary', 'accept-language')
    return c.html(
      subscribePage({
        settings,
        locale,
        categories: await listCategories(platform),
        cadences: settings.digests.cadences,
        values: Object.assign(shortTexts({ cadence, day, at, timeZone }), {
          categories: presentSlugs(chosen.slice(0, 500), settings),
        }),
        errors: [],
      }),
    )
  })

  app.post(urlPaths.subscribe, async (c) => {
    c.header('cache-control', 'no-store')
    try {
      return await subscribe(c, platform)
    } catch (error) {
      if (!(error instanceof ServiceError) || !wantsJson(c)) throw error
      return problem(error, settings.site.baseUrl)
    }
  })
  return app
}

async function subscribe(c: Context, platform: Platform): Promise<Response> {
  const { settings } = platform
  const fields = await readFields(c)
  const locale = chooseLocale(textOf(fields, 'locale') ?? c.req.header('accept-language'), settings)
  const categories = await listCategories(platform)
  const { errors, wish } = readWish(fields, categories, platform)
  if (!wish) {
    if (wantsJson(c)) {
      throw invalid('subscribe.invalid', errors.map(({ message }) => message).join(' '), { errors })
    }
    const { email, cadence, day, at, timeZone } = fields.values
    const chosen = fields.values.categories
    return c.html(
      subscribePage({
        settings,
        locale,
        categories,
        cadences: settings.digests.cadences,
        values: Object.assign(shortTexts({ email, cadence, day, at, timeZone, locale }), {
          categories: Array.isArray(chosen) ? chosen.map(String) : [],
        }),
        errors,
      }),
      422,
    )
  }
  if (textOf(fields, honeypotField) === undefined) {
    const admission = await admitRequest(platform, clientAddress(c, settings))
    if (admission.status === 'refused') return tooMany(c, platform, admission, locale)
    await requestSubscription(platform, {
      ...wish,
      consent: {
        source: fields.isJson ? 'api' : 'form',
        from: originOf(c, settings.site.baseUrl),
        text: messagesFor(wish.preferences.locale).subscribe.consent,
      },
    })
  }
  return wantsJson(c)
    ? c.json({ status: 'check-inbox' }, 202)
    : c.html(checkInboxPage({ settings, locale }))
}

/** Every fault at once, so that a person mends a form in one go. */
function readWish(
  { values }: Fields,
  categories: readonly Category[],
  { settings }: Pick<Platform, 'settings'>,
): { errors: FieldError[]; wish?: { email: string; preferences: Preferences } } {
  const errors: FieldError[] = []
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      errors.push(...error.errors)
      return undefined
    }
  }
  const email = attempt(() =>
    normaliseAddress(typeof values.email === 'string' ? values.email : ''),
  )
  const preferences = attempt(() =>
    checkPreferences(values, {
      settings,
      categories,
    }),
  )
  return email !== undefined && preferences ? { errors, wish: { email, preferences } } : { errors }
}

/** The page that the form stood on, without its query: kept as part of the proof of consent. */
function originOf(c: Context, baseUrl: string): string {
  for (const header of ['referer', 'origin']) {
    const value = c.req.header(header)
    if (!value || !URL.canParse(value)) continue
    const { origin, pathname } = new URL(value)
    if (origin !== 'null') return `${origin}${pathname}`.slice(0, 500)
  }
  return `${baseUrl}${urlPaths.subscribe}`
}
