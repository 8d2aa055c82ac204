import { docsPage, type OpenApi } from '../../templates/pages/docs-page.tsx'
import { errorCodes } from '../error-codes.ts'
import type { Platform } from '../platform.ts'

/** The API's description as a page to read; each known error has the anchor `error-<code>`. */
export function apiDocs(openapi: unknown, { settings }: Pick<Platform, 'settings'>): string {
  return docsPage({
    settings,
    locale: 'en',
    openapi: openapi as OpenApi,
    errors: Object.entries(errorCodes).map(([code, meaning]) => ({ code, meaning })),
  })
}
