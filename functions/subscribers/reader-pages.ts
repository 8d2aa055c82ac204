import { type Context, Hono } from 'hono'
import { chooseLocale, messagesFor } from '../../templates/locales/index.ts'
import { confirmPage } from '../../templates/pages/confirm-page.tsx'
import { confirmedPage } from '../../templates/pages/confirmed-page.tsx'
import { linkExpiredPage } from '../../templates/pages/link-expired-page.tsx'
import { messagePage } from '../../templates/pages/message-page.tsx'
import { unsubscribePage } from '../../templates/pages/unsubscribe-page.tsx'
import { unsubscribedPage } from '../../templates/pages/unsubscribed-page.tsx'
import { urlPaths } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { currentSlug, listCategories } from '../posts/categories.ts'
import { nextOccurrence } from './cadence.ts'
import { unsubscribe } from './change-preferences.ts'
import { readFields } from './form-fields.ts'
import { signLink, verifyLink } from './links.ts'
import { preferencesOf } from './preferences.ts'
import { getSubscriber } from './store.ts'
import { confirmSubscription, pendingConfirmation } from './subscribe.ts'
import { isReader, type Subscriber } from './subscriber.ts'

/**
 * What the links in mails lead to, except the preferences. A GET or HEAD changes nothing, whoever
 * follows the link: mail scanners do, long before the reader.
 */
export function readerPages(platform: Platform): Hono {
  const app = new Hono()

  app.get('/confirm/:token', async (c) => {
    const link = confirmLink(platform, c.req.param('token'))
    if (!link) return expired(c, platform, 404)
    const request = await pendingConfirmation(platform, link.subscriberId, link.nonce)
    if (!request) {
      const known = (await getSubscriber(platform, link.subscriberId))?.value
      return known && isReader(known) ? confirmed(c, platform, known) : expired(c, platform, 410)
    }
    return c.html(
      confirmPage({
        settings: platform.settings,
        locale: request.wanted.locale,
        token: c.req.param('token'),
        preferences: request.wanted,
        categories: await listCategories(platform),
      }),
    )
  })

  app.post('/confirm/:token', async (c) => {
    const link = confirmLink(platform, c.req.param('token'))
    if (!link) return expired(c, platform, 404)
    const outcome = await confirmSubscription(platform, link.subscriberId, link.nonce)
    switch (outcome.status) {
      case 'confirmed':
        return confirmed(c, platform, outcome.subscriber)
      case 'moving': {
        const { locale } = outcome.subscriber
        const { title, lead } = messagesFor(locale).moving
        return c.html(messagePage({ settings: platform.settings, locale, title, text: lead }))
      }
      case 'expired':
        return expired(c, platform, 410)
    }
  })

  app.get('/unsubscribe/:token', async (c) => {
    const id = verifyLink(platform, 'unsubscribe', c.req.param('token'))?.subscriberId
    if (!id) return expired(c, platform, 404)
    const subscriber = (await getSubscriber(platform, id))?.value
    const category = await categoryOf(platform, subscriber, c.req.query('category'))
    return c.html(
      unsubscribePage({
        settings: platform.settings,
        locale: localeFor(c, platform, subscriber),
        token: c.req.param('token'),
        ...(category ? { category } : {}),
        preferencesUrl: preferencesUrl(platform, id),
      }),
    )
  })

  // RFC 8058 §3.1: mailbox providers send `List-Unsubscribe=One-Click` here without cookie, origin
  // or person, and must not be redirected. The form's button does the same.
  app.post('/unsubscribe/:token', async (c) => {
    const id = verifyLink(platform, 'unsubscribe', c.req.param('token'))?.subscriberId
    if (!id) return expired(c, platform, 404)
    const fields = await readFields(c)
    const wish = fields.values.category ?? c.req.query('category')
    const before = (await getSubscriber(platform, id))?.value
    const category = await categoryOf(platform, before, typeof wish === 'string' ? wish : undefined)
    const after = await unsubscribe(platform, id, category?.slug)
    const isOnlyCategory = category !== undefined && after !== undefined && isReader(after)
    // One who has moved leaves at the new address; the old mailbox gets no way into its settings.
    const isOwn = after?.id === id && after.email !== undefined
    return c.html(
      unsubscribedPage({
        settings: platform.settings,
        locale: localeFor(c, platform, after),
        ...(isOnlyCategory ? { category } : {}),
        ...(isOwn ? { preferencesUrl: preferencesUrl(platform, id) } : {}),
      }),
    )
  })
  return app
}

/** The page for a link that is forged, damaged, expired or used up: 404 or 410. */
export function expired(c: Context, platform: Pick<Platform, 'settings'>, status: 404 | 410) {
  const { settings } = platform
  return c.html(linkExpiredPage({ settings, locale: localeFor(c, platform) }), status)
}

/** The reader's language, else the browser's, else the site's. */
export function localeFor(
  c: Context,
  { settings }: Pick<Platform, 'settings'>,
  subscriber?: Subscriber,
): string {
  const known = subscriber?.email === undefined ? undefined : subscriber.locale
  return chooseLocale(known ?? c.req.header('accept-language'), settings)
}

export function preferencesUrl(
  platform: Pick<Platform, 'secrets' | 'settings'>,
  id: string,
): string {
  const token = signLink(platform, 'preferences', id)
  return `${platform.settings.site.baseUrl}${urlPaths.preferences(token)}`
}

async function confirmed(c: Context, platform: Platform, subscriber: Subscriber) {
  const preferences = preferencesOf(subscriber, platform.settings)
  const nextAt =
    subscriber.state === 'confirmed' && preferences.cadence !== 'instant'
      ? nextOccurrence(preferences, platform.now()).toISOString()
      : undefined
  return c.html(
    confirmedPage({
      settings: platform.settings,
      locale: subscriber.locale,
      preferencesUrl: preferencesUrl(platform, subscriber.id),
      preferences,
      categories: await listCategories(platform),
      ...(nextAt ? { nextAt } : {}),
    }),
  )
}

/** Both kinds of links say which mail they stood in, by its nonce. */
function confirmLink(platform: Pick<Platform, 'secrets' | 'now'>, token: string) {
  const link =
    verifyLink(platform, 'confirm', token) ?? verifyLink(platform, 'change-address', token)
  return link?.extra === undefined
    ? undefined
    : { subscriberId: link.subscriberId, nonce: link.extra }
}

/** The one category that is to be left; one that neither the site nor the reader has is all mail. */
async function categoryOf(
  platform: Platform,
  subscriber: Subscriber | undefined,
  slug: string | undefined,
): Promise<{ slug: string; title: string } | undefined> {
  if (!slug) return undefined
  const wanted = currentSlug(platform.settings, slug.normalize('NFC'))
  const known = (await listCategories(platform)).find((category) => category.slug === wanted)
  if (known) return { slug: known.slug, title: known.title }
  const isChosen =
    subscriber && preferencesOf(subscriber, platform.settings).categories.includes(wanted)
  return isChosen ? { slug: wanted, title: wanted } : undefined
}
