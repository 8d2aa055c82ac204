import { chooseLocale } from '../../../templates/locales/index.ts'
import { everything, recordKeys, urlPaths } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import type { Settings } from '../../settings.ts'
import { type Schedule, scheduleOf } from '../../subscribers/schedule.ts'
import { type Edition, editionId, newestFirst } from './edition.ts'
import { openListing } from './listing.ts'
import { type OwedPost, owedPosts } from './owed.ts'

/** One edition in the public list. */
export interface ArchiveEntry {
  url: string
  /** RFC 3339. */
  date: string
  title: string
  count: number
}

type Source = Pick<Platform, 'records' | 'settings' | 'secrets'>

const mostEditions = 60

/** The schedule of readers who chose none; `undefined` where that is instant, which has no editions. */
export function defaultSchedule({ digests }: Pick<Settings, 'digests'>): Schedule | undefined {
  const { cadence, day, at, timeZone } = digests
  if (cadence === 'instant') return undefined
  return scheduleOf({ cadence, day, at, timeZone })
}

/**
 * Past editions of everything in the site's language, newest first, from one occurrence of the
 * default schedule to the next. Those without posts are left out.
 */
export async function listEditions(platform: Source): Promise<ArchiveEntry[]> {
  const { records, settings } = platform
  const page = await records.query<{ to: number }>(recordKeys.archive, {
    reverse: true,
    limit: mostEditions + 1,
  })
  const marks = page.records
  const newest = marks[0]
  if (!newest) return []
  const locale = chooseLocale(undefined, settings)
  const listing = openListing(platform, newest.value.to)
  const entries: ArchiveEntry[] = []
  for (const [i, { sort: date, value }] of marks.slice(0, mostEditions).entries()) {
    const from = marks[i + 1]?.value.to ?? 0
    if (value.to <= from) continue
    const edition: Edition = { to: value.to, from: { [everything]: from }, locale }
    const posts = owedPosts(
      { categories: edition.from },
      await listing.above(from),
      { from, to: value.to },
      settings,
    )
    const id = editionId(platform, edition)
    const title = newestFirst(posts)[0]?.post.title
    if (title === undefined || id === undefined) continue
    entries.push({ url: urlPaths.edition(id), date, title, count: posts.length })
  }
  return entries
}

/** The posts of an edition as they stand now, newest first. */
export async function readEdition(
  platform: Pick<Platform, 'records' | 'settings'>,
  edition: Edition,
): Promise<OwedPost[]> {
  const from = Math.min(...Object.values(edition.from))
  if (!(from < edition.to)) return []
  const listed = await openListing(platform, edition.to).above(from)
  const window = { from, to: edition.to }
  return newestFirst(owedPosts({ categories: edition.from }, listed, window, platform.settings))
}
