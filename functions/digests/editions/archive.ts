import { chooseLocale } from '../../../templates/locales/index.ts'
import { everything, recordKeys, urlPaths } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import type { Settings } from '../../settings/settings.ts'
import { type Schedule, scheduleOf } from '../../subscribers/schedule.ts'
import { type Edition, editionId, newestFirst } from './edition.ts'
import { openListing, readListed } from './listing.ts'
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
/** The list goes back so far, and an edition's pages show so many: what is older stands in the feeds. */
const mostPosts = 2000

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
  const listing = openListing(platform, newest.value.to, { most: mostPosts })
  const found: { date: string; id: string; newest: OwedPost; count: number }[] = []
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
    const newest = newestFirst(posts)[0]
    if (newest && id !== undefined) found.push({ date, id, newest, count: posts.length })
  }
  const titles = new Map<string, string>()
  const newestPosts = found.map(({ newest }) => newest)
  for (const { post } of await readListed(platform, newestPosts)) titles.set(post.id, post.title)
  return found.flatMap(({ date, id, newest, count }) => {
    const title = titles.get(newest.post.id)
    return title === undefined ? [] : [{ url: urlPaths.edition(id), date, title, count }]
  })
}

/**
 * When an edition of the list came due (RFC 3339); `undefined` for those of other schedules, which
 * end elsewhere in the log, and for what is older than the list.
 */
export async function editionDate(
  { records }: Pick<Platform, 'records'>,
  edition: Edition,
): Promise<string | undefined> {
  const marks = await records.query<{ to: number }>(recordKeys.archive, {
    reverse: true,
    limit: mostEditions,
  })
  // Occurrences at which nothing was new end at the same number; the first of them closed it.
  return marks.records.findLast(({ value }) => value.to === edition.to)?.sort
}

/** The posts of an edition as they stand now, newest first: the last 2,000 listed of them. */
export async function readEdition(
  platform: Pick<Platform, 'records' | 'settings'>,
  edition: Edition,
): Promise<OwedPost[]> {
  const { to } = edition
  const from = Math.min(...Object.values(edition.from))
  if (!(from < to)) return []
  const listing = openListing(platform, to)
  const reader = { categories: edition.from }
  // Backwards, as far as it takes: of what was chosen there may be much, or little among much else.
  for (let low = to; ; ) {
    low = Math.max(from, low - mostPosts)
    const owed = owedPosts(reader, await listing.above(low), { from, to }, platform.settings)
    if (low > from && owed.length < mostPosts) continue
    return newestFirst(owed.slice(-mostPosts))
  }
}
