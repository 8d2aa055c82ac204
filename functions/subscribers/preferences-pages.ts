import { type Context, Hono } from 'hono'
import type { FormValues } from '../../templates/components/preference-fields.tsx'
import { messagesFor } from '../../templates/locales/index.ts'
import { checkInboxPage } from '../../templates/pages/check-inbox-page.tsx'
import { erasedPage } from '../../templates/pages/erased-page.tsx'
import { messagePage } from '../../templates/pages/message-page.tsx'
import { preferencesPage } from '../../templates/pages/preferences-page.tsx'
import { unsubscribedPage } from '../../templates/pages/unsubscribed-page.tsx'
import { problem } from '../api/api.ts'
import { type FieldError, invalid, ServiceError } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { listCategories } from '../posts/categories.ts'
import { normaliseAddress, subscriberIdOf } from './address.ts'
import { changePreferences, presentId, subscribeAgain, unsubscribe } from './change-preferences.ts'
import { clientAddress } from './client-address.ts'
import { eraseSubscriber } from './erase.ts'
import { type Fields, readFields, shortTexts, textOf, wantsJson } from './form-fields.ts'
import { admitChange, admitRequest } from './limits.ts'
import { verifyLink } from './links.ts'
import { pauseUntil, resume } from './pauses.ts'
import { checkPreferences, preferencesOf } from './preferences.ts'
import { presentSinces } from './present-names.ts'
import { publicSubscriber } from './public-subscriber.ts'
import { readInstant } from './read-instant.ts'
import { expired, localeFor, preferencesUrl } from './reader-pages.ts'
import { getSubscriber } from './store.ts'
import { requestSubscription } from './subscribe.ts'
import { isReader, type Subscriber } from './subscriber.ts'
import { tooMany } from './too-many.ts'

/** `/preferences/<token>`: everything that a reader can see and change, by the link in every mail. */
export function preferencesPages(platform: Platform): Hono {
  const app = new Hono()

  app.get('/preferences/:token', async (c) => {
    const subscriber = await readerOf(c, platform)
    return subscriber instanceof Response ? subscriber : page(c, platform, subscriber)
  })

  app.post('/preferences/:token', async (c) => {
    const subscriber = await readerOf(c, platform)
    if (subscriber instanceof Response) return subscriber
    let fields: Fields | undefined
    try {
      fields = await readFields(c)
      return await act(c, platform, subscriber, fields)
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      if (wantsJson(c)) return problem(error, platform.settings.site.baseUrl)
      if (!fields || error.errors.length === 0) throw error
      return page(c, platform, subscriber, { errors: error.errors, typed: typedIn(fields) })
    }
  })
  return app
}

/** Whom the link is for, or the page that says why there is nothing to show. */
async function readerOf(c: Context, platform: Platform): Promise<Subscriber | Response> {
  const id = verifyLink(platform, 'preferences', c.req.param('token') ?? '')?.subscriberId
  if (id === undefined) return expired(c, platform, 404)
  const subscriber = (await getSubscriber(platform, id))?.value
  if (!subscriber || subscriber.state === 'pending') return expired(c, platform, 410)
  if (subscriber.email !== undefined) return subscriber
  const { settings } = platform
  const locale = localeFor(c, platform)
  const present = (await getSubscriber(platform, await presentId(platform, id)))?.value
  if (present?.email === undefined) return c.html(erasedPage({ settings, locale }), 410)
  // Whoever reads the old mailbox sees nothing of the new one.
  const { title, lead } = messagesFor(locale).moved
  return c.html(messagePage({ settings, locale, title, text: lead }), 410)
}

async function act(
  c: Context,
  platform: Platform,
  subscriber: Subscriber,
  fields: Fields,
): Promise<Response> {
  const { settings } = platform
  const { id } = subscriber
  const locale = localeFor(c, platform, subscriber)
  const action = actionOf(fields)
  if (countedActions.includes(action)) {
    const admission = await admitChange(platform, id)
    if (admission.status === 'refused') return tooMany(c, platform, admission, locale, 'changes')
  }
  switch (action) {
    case 'save': {
      const wanted = await preferencesFrom(platform, subscriber, fields)
      return saved(c, platform, await changePreferences(platform, id, wanted))
    }
    case 'subscribe': {
      const wanted = await preferencesFrom(platform, subscriber, fields)
      return saved(c, platform, await subscribeAgain(platform, id, wanted))
    }
    case 'pause':
      return saved(
        c,
        platform,
        await pauseUntil(platform, id, pauseEnd(fields, subscriber, platform.now())),
      )
    case 'resume':
      return saved(c, platform, await resume(platform, id))
    case 'unsubscribe': {
      const left = await unsubscribe(platform, id)
      if (wantsJson(c)) return saved(c, platform, left)
      return c.html(
        unsubscribedPage({ settings, locale, preferencesUrl: preferencesUrl(platform, id) }),
      )
    }
    case 'address':
      return changeAddress(c, platform, subscriber, fields)
    case 'export':
      c.header('content-disposition', 'attachment; filename="my-subscription.json"')
      return c.json(publicSubscriber(subscriber, platform.settings))
    case 'erase':
      if (textOf(fields, 'confirm') !== 'yes') {
        throw fault('confirm', 'Tick the box to have everything about you deleted.')
      }
      await eraseSubscriber(platform, id)
      await eraseWhereMoved(platform, id)
      return wantsJson(c) ? c.json({ status: 'erased' }) : c.html(erasedPage({ settings, locale }))
    default:
      throw fault(
        'action',
        'The action must be one of `save`, `pause`, `resume`, `address`, `export`, `erase`, `unsubscribe` and `subscribe`.',
      )
  }
}

/** A change of address that was finished since the reader was looked up has taken everything along. */
async function eraseWhereMoved(platform: Platform, id: string): Promise<void> {
  const present = await presentId(platform, id)
  if (present !== id) await eraseSubscriber(platform, present)
}

/** What a reader can do without end; leaving and being forgotten are never refused. */
const countedActions = ['save', 'subscribe', 'pause', 'resume']

/** A caller without the page's forms need not name the action: the field that it sends says it. */
function actionOf(fields: Fields): string {
  const named = textOf(fields, 'action')
  if (named !== undefined) return named
  if (textOf(fields, 'pausedUntil') !== undefined) return 'pause'
  return textOf(fields, 'email') === undefined ? 'save' : 'address'
}

async function preferencesFrom(platform: Platform, subscriber: Subscriber, { values }: Fields) {
  const { settings } = platform
  const { day, ...rest } = preferencesOf(subscriber, settings)
  // The form shows the reader's day as chosen: who empties it wants the usual one instead.
  const isUsualDay = values.day === '' || day === undefined
  return checkPreferences(values, {
    settings,
    categories: await listCategories(platform),
    current: isUsualDay ? rest : { ...rest, day },
  })
}

/** The start of a day in the reader's zone, or an instant; at most a year ahead. */
function pauseEnd(fields: Fields, { timeZone }: Subscriber, now: Date): Date {
  const end = readInstant(textOf(fields, 'pausedUntil') ?? '', timeZone)
  if (!end) {
    throw fault('pausedUntil', 'The end of the pause must be a date such as `2026-05-01`.')
  }
  const year = 366 * 24 * 60 * 60 * 1000
  if (end <= now) throw fault('pausedUntil', 'The pause must end on a day to come.')
  if (end.getTime() > now.getTime() + year)
    throw fault('pausedUntil', 'A pause can last a year at most.')
  return end
}

/** The new address is asked; nothing changes before it says yes. The answer tells nothing about it. */
async function changeAddress(
  c: Context,
  platform: Platform,
  subscriber: Subscriber,
  fields: Fields,
): Promise<Response> {
  const { settings } = platform
  const locale = localeFor(c, platform, subscriber)
  const email = normaliseAddress(textOf(fields, 'email') ?? '')
  if (!isReader(subscriber)) {
    throw fault('email', 'Subscribe again first: only a reader’s address can be changed.')
  }
  if (subscriberIdOf(platform, email) === subscriber.id) {
    throw fault('email', 'This is the address that mail goes to already.')
  }
  const admission = await admitRequest(platform, clientAddress(c, settings))
  if (admission.status === 'refused') return tooMany(c, platform, admission, locale)
  await requestSubscription(platform, {
    email,
    preferences: preferencesOf(subscriber, platform.settings),
    consent: { source: 'form' },
    changeFrom: subscriber.id,
  })
  return wantsJson(c)
    ? c.json({ status: 'check-inbox' }, 202)
    : c.html(checkInboxPage({ settings, locale, isChange: true }))
}

function saved(c: Context, platform: Platform, subscriber: Subscriber | undefined) {
  if (!subscriber) return expired(c, platform, 410)
  if (wantsJson(c)) return c.json(publicSubscriber(subscriber, platform.settings))
  // Who left or may not be mailed meanwhile reads that instead.
  return page(c, platform, subscriber, { saved: isReader(subscriber) })
}

async function page(
  c: Context,
  platform: Platform,
  subscriber: Subscriber,
  more: { errors?: readonly FieldError[]; typed?: FormValues; saved?: boolean } = {},
): Promise<Response> {
  const { settings } = platform
  const { errors = [], typed = {}, saved: isSaved = false } = more
  const listed = await listCategories(platform)
  // Without a box of its own a choice is lost with the next save, and none left means everything.
  const unlisted = preferencesOf(subscriber, settings).categories.filter(
    (slug) => !listed.some((category) => category.slug === slug),
  )
  return c.html(
    preferencesPage({
      settings,
      locale: localeFor(c, platform, subscriber),
      token: c.req.param('token') ?? '',
      subscriber: {
        ...subscriber,
        categories: presentSinces(subscriber.categories, settings),
      },
      typed,
      categories: [...listed, ...unlisted.map((slug) => ({ slug, title: slug }))],
      cadences: settings.digests.cadences,
      errors,
      saved: isSaved,
    }),
    errors.length > 0 ? 422 : 200,
  )
}

/** What stays in the form that is shown again. */
function typedIn({ values }: Fields): FormValues {
  const { categories, cadence, day, at, timeZone, locale } = values
  return {
    ...shortTexts({ cadence, day, at, timeZone, locale }),
    ...(Array.isArray(categories) ? { categories: categories.map(String) } : {}),
  }
}

function fault(path: 'action' | 'confirm' | 'email' | 'pausedUntil', message: string) {
  return invalid(`preferences.${path}`, message, { errors: [{ path, message }] })
}
