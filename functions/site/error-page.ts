import { chooseLocale, messagesFor } from '../../templates/locales/index.ts'
import type { ErrorKind } from '../../templates/locales/messages.ts'
import { messagePage } from '../../templates/pages/message-page.tsx'
import type { ServiceError } from '../errors.ts'
import type { Platform } from '../platform.ts'

/**
 * A refusal as a page in the reader's language. What only the code knows to say is added as it is,
 * in English; where the status says everything it is left out.
 */
export function errorPage(
  error: ServiceError,
  { settings }: Pick<Platform, 'settings'>,
  acceptLanguage?: string,
): Response {
  const locale = chooseLocale(acceptLanguage, settings)
  const kind = kindOf(error.status)
  const { title, lead } = messagesFor(locale).errors[kind]
  const speaksForItself = kind === 'notFound' || kind === 'gone' || kind === 'fault'
  const page = messagePage({
    settings,
    locale,
    title,
    text: lead,
    ...(speaksForItself ? {} : { detail: error.message, code: error.code }),
  })
  return new Response(page, {
    status: error.status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      vary: 'Accept-Language',
    },
  })
}

function kindOf(status: number): ErrorKind {
  switch (status) {
    case 404:
      return 'notFound'
    case 410:
      return 'gone'
    case 400:
    case 415:
    case 422:
      return 'refused'
    case 401:
    case 403:
      return 'notAllowed'
    case 409:
    case 412:
      return 'conflict'
    case 413:
      return 'tooLarge'
    case 429:
      return 'tooMany'
    default:
      return status >= 500 ? 'fault' : 'other'
  }
}
