import { currentSlug } from '../posts/categories.ts'
import type { Settings } from '../settings/settings.ts'
import type { Preferences } from './subscriber.ts'

type Names = Pick<Settings, 'categories'>

/**
 * Chosen categories by the names that they have now: readers keep those that they came with when
 * `broadsheet.yaml` renames a category or merges two, and never chose anything else. Each once.
 */
export function presentSlugs(slugs: readonly string[], settings: Names): string[] {
  return [...new Set(slugs.map((slug) => currentSlug(settings, slug)))]
}

/** The same for what a reader is owed since when: by any of its names, so the earliest counts. */
export function presentSinces(
  sinces: Readonly<Record<string, number>>,
  settings: Names,
): Record<string, number> {
  const present = new Map<string, number>()
  for (const [slug, since] of Object.entries(sinces)) {
    const name = currentSlug(settings, slug)
    present.set(name, Math.min(since, present.get(name) ?? since))
  }
  return Object.fromEntries(present)
}

/** Preferences that were kept for a while, such as those of a request. */
export function presentPreferences(preferences: Preferences, settings: Names): Preferences {
  return { ...preferences, categories: presentSlugs(preferences.categories, settings) }
}
