import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { secureHeaders } from 'hono/secure-headers'
import { type ApiRoute, problem } from './api/api.ts'
import { findApiKey, owner } from './api/api-keys.ts'
import { openApiDocument } from './api/openapi.ts'
import { serviceRoutes } from './api/service-routes.ts'
import { digestPages, digestRoutes } from './digests/routes.ts'
import { ServiceError } from './errors.ts'
import { feedPages, feedRoutes } from './feeds/routes.ts'
import { logAbout } from './json-log.ts'
import type { Platform } from './platform.ts'
import { postRoutes } from './posts/routes.ts'
import { mostPostBytes } from './posts/source/most-post-bytes.ts'
import { apiDocs } from './site/api-docs.ts'
import { contentSecurityPolicy } from './site/content-security-policy.ts'
import { errorPage } from './site/error-page.ts'
import { sitePages } from './site/routes.ts'
import { subscriberPages, subscriberRoutes } from './subscribers/routes.ts'

/** The largest body that any route takes, a post: an import streams and is bounded by line instead. */
const bodyBytes = mostPostBytes + 64 * 1024

/** What is read record by record and bounded by record, whatever its whole length. */
const streamed: readonly string[] = ['/api/v1/imports', '/api/v1/subscribers/import']

/** Every route of the API, in the order in which the documentation shows them. */
export const apiRoutes: readonly ApiRoute[] = [
  ...postRoutes,
  ...subscriberRoutes,
  ...digestRoutes,
  ...feedRoutes,
  ...serviceRoutes,
]

/**
 * The whole service over HTTP: pages, feeds, forms and the API. The one place where errors become
 * responses: a `ServiceError` as problem+json or a page, anything else as a bare 500 whose reason
 * goes to the log only.
 *
 * @example
 * const app = createApp(await localPlatform({ data: 'data' }))
 * const response = await app.request('/feeds/rss.xml')
 */
export function createApp(platform: Platform): Hono {
  const app = new Hono({ strict: true })
  const { baseUrl } = platform.settings.site

  // A function's own id, by which its log knows the request, too.
  app.use((c, next) => {
    const { requestId = randomUUID() } = (c.env ?? {}) as { requestId?: string }
    return logAbout({ request: requestId }, next)
  })
  app.use(
    secureHeaders({
      contentSecurityPolicy,
      referrerPolicy: 'no-referrer',
      xFrameOptions: 'DENY',
      strictTransportSecurity: baseUrl.startsWith('https:') ? 'max-age=15552000' : false,
      crossOriginResourcePolicy: false,
      // Nothing runs here that it would keep apart, and browsers warn of it beside a framed mail.
      originAgentCluster: false,
      // The outbox shows mails in a frame with a stricter policy of its own.
      overwrite: false,
    }),
  )

  // Those that are not stored: what is, compresses itself. Streams and mails stay as they are.
  for (const path of [
    '/subscribe',
    '/preferences/*',
    '/archive/*',
    '/api/docs',
    '/api/openapi.json',
  ]) {
    app.use(path, compress())
  }

  const { version, importPart } = platform
  app.get('/healthz', (c) =>
    c.json({ status: 'ok', version, ...(importPart ? { importPart } : {}) }),
  )

  for (const route of apiRoutes) {
    const isStream = streamed.includes(route.path)
    app.on(
      route.method.toUpperCase(),
      route.path,
      async (c, next) => {
        if (!route.scope || c.env === owner) return next()
        const key = await findApiKey(platform, c.req.header('authorization'))
        if (!key) {
          throw new ServiceError(
            401,
            'key.missing',
            'This needs a key: send `Authorization: Bearer KEY`. Make one with `broadsheet keys create NAME`.',
          )
        }
        if (!key.scopes.includes(route.scope)) {
          throw new ServiceError(
            403,
            'key.scope',
            `The key \`${key.name}\` may not do this: it needs the scope \`${route.scope}\`.`,
          )
        }
        return next()
      },
      async (c, next) => (isStream ? next() : limitBody(c, next)),
      (c) => route.handle(c, platform),
    )
  }
  app.get('/api/openapi.json', async (c) => c.json(await openApiDocument(apiRoutes, platform)))
  app.get('/api/docs', async (c) =>
    c.html(apiDocs(await openApiDocument(apiRoutes, platform), platform)),
  )

  const limitBody = bodyLimit({
    maxSize: bodyBytes,
    onError: () => {
      throw new ServiceError(413, 'too-large', 'The body is too large: at most 5 MB.')
    },
  })
  app.use(async (c, next) =>
    c.req.method === 'GET' || c.req.method === 'HEAD' ? next() : limitBody(c, next),
  )
  app.route('/', feedPages(platform))
  app.route('/', subscriberPages(platform))
  app.route('/', digestPages(platform))
  app.route('/', sitePages(platform))

  const answer = (error: ServiceError, path: string, locale: string | undefined) =>
    path.startsWith('/api/') ? problem(error, baseUrl) : errorPage(error, platform, locale)

  app.notFound((c) =>
    answer(
      new ServiceError(404, 'not-found', 'There is nothing at this address.'),
      c.req.path,
      c.req.header('accept-language'),
    ),
  )
  app.onError((error, c) => {
    if (error instanceof ServiceError)
      return answer(error, c.req.path, c.req.header('accept-language'))
    platform.log.error('request.failed', error, { method: c.req.method, route: c.req.routePath })
    const fault = new ServiceError(
      500,
      'internal',
      'Something failed on our side. Nothing was lost; try again later.',
    )
    return answer(fault, c.req.path, c.req.header('accept-language'))
  })
  return app
}
