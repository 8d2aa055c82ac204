import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { ServiceError, tooLarge } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { preferencesPages } from './preferences-pages.ts'
import { readerPages } from './reader-pages.ts'
import { subscribePages } from './subscribe-pages.ts'

export { subscriberRoutes } from './api-routes.ts'

const limitBody = bodyLimit({
  maxSize: 64 * 1024,
  onError: () => {
    throw tooLarge('The form', '64 kB')
  },
})

/** The pages of readers: subscribe, confirm, preferences, unsubscribe. No script, no cookie. */
export function subscriberPages(platform: Platform): Hono {
  const app = new Hono()
  const isOurs = sameOrigin(platform.settings.site.baseUrl)

  for (const path of ['/confirm/*', '/preferences/*', '/unsubscribe/*']) {
    app.use(path, async (c, next) => {
      if (c.req.method === 'POST' && !isOurs(c.req.raw)) {
        throw new ServiceError(
          403,
          'foreign-form',
          'This form was sent by another site. Open the link in the mail and use the page there.',
        )
      }
      await next()
      // Set behind the handler: its answer may be one that was made elsewhere.
      c.res.headers.set('cache-control', 'no-store')
      c.res.headers.set('referrer-policy', 'no-referrer')
      c.res.headers.set('x-robots-tag', 'noindex')
    })
    app.on('POST', path, limitBody)
  }
  app.on('POST', '/subscribe', limitBody)
  app.route('/', subscribePages(platform))
  app.route('/', readerPages(platform))
  app.route('/', preferencesPages(platform))
  return app
}

/**
 * Whether a form comes from our own page, from no page at all, or cannot be told. The token is what
 * allows the act; this keeps another site's page from sending a visitor into it unseen. A page with
 * `Referrer-Policy: no-referrer` sends `Origin: null`, and a mailbox provider sends neither header.
 */
function sameOrigin(baseUrl: string) {
  return ({ headers, url }: Request): boolean => {
    const site = headers.get('sec-fetch-site')
    if (site !== null) return site === 'same-origin' || site === 'none'
    const origin = headers.get('origin')
    if (origin === null || origin === 'null') return true
    return origin === new URL(baseUrl).origin || origin === new URL(url).origin
  }
}
