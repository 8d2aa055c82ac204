import type { Context } from 'hono'
import { messagesFor } from '../../templates/locales/index.ts'
import { messagePage } from '../../templates/pages/message-page.tsx'
import { problem } from '../api/api.ts'
import { ServiceError } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { wantsJson } from './form-fields.ts'
import type { Admission } from './limits.ts'

/** 429 with `Retry-After`, as a page or a problem; `of` says what there was too much of. */
export function tooMany(
  c: Context,
  { settings }: Pick<Platform, 'settings'>,
  { retryAfterSeconds }: Admission & { status: 'refused' },
  locale: string,
  of: 'requests' | 'changes' = 'requests',
): Response {
  const { errors, preferences } = messagesFor(locale)
  const { title, lead } = errors.tooMany
  const [code, what, text] =
    of === 'requests'
      ? (['subscribe.too-many', 'Too many requests came from here.', lead] as const)
      : ([
          'preferences.too-many',
          'This was changed too often today.',
          preferences.tooOften,
        ] as const)
  const response = wantsJson(c)
    ? problem(
        new ServiceError(429, code, `${what} Try again in ${retryAfterSeconds} seconds.`),
        settings.site.baseUrl,
      )
    : c.html(messagePage({ settings, locale, title, text, code }), 429)
  response.headers.set('retry-after', String(retryAfterSeconds))
  return response
}
