import { readFileSync } from 'node:fs'
import { ServiceError } from '../../functions/errors.ts'
import {
  type ParseContext,
  type ParsedPost,
  parsePost,
} from '../../functions/posts/source/parse-post.ts'
import { defaultSettings, type Settings } from '../../functions/settings/settings.ts'

export const siteSettings: Settings = {
  ...defaultSettings,
  site: { ...defaultSettings.site, title: 'The Quay', baseUrl: 'https://news.example' },
}

/** A file below `test/fixtures/posts`. */
export const fixture = (path: string) =>
  readFileSync(new URL(`../fixtures/posts/${path}`, import.meta.url))

type Source = {
  path?: string
  contentType?: 'text/markdown' | 'text/html' | 'application/json'
}

export function outcomeOf(
  bytes: string | Uint8Array,
  source: Source = {},
  context: Partial<ParseContext> = {},
) {
  return parsePost(
    {
      bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes,
      contentType: source.contentType ?? 'text/markdown',
      ...(source.path !== undefined && { path: source.path }),
    },
    {
      settings: siteSettings,
      now: new Date('2026-03-02T08:00:00.123Z'),
      way: 'publish',
      ...context,
    },
  )
}

export function parsed(
  bytes: string | Uint8Array,
  source: Source = {},
  context: Partial<ParseContext> = {},
): ParsedPost {
  const outcome = outcomeOf(bytes, source, context)
  if (outcome.status !== 'post') throw new Error(`ignored: ${outcome.reason}`)
  return outcome.post
}

/** The refusal of something, which must be one that a person can act on. */
export function refusalOf(act: () => unknown): ServiceError {
  try {
    act()
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
