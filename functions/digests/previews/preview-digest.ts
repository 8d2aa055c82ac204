import { invalid } from '../../errors.ts'
import { everything } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { categoryTitles, listCategories } from '../../posts/categories.ts'
import { newestPosts } from '../../posts/date-index.ts'
import { readLogHead } from '../../posts/log.ts'
import { checkPreferences } from '../../subscribers/preferences.ts'
import { scheduleOf } from '../../subscribers/schedule.ts'
import type { Preferences } from '../../subscribers/subscriber.ts'
import { type Frame, writeDigest } from '../editions/compose-digest.ts'
import { type Edition, editionOf, newestFirst } from '../editions/edition.ts'
import { openListing, readListed } from '../editions/listing.ts'
import { type OwedPost, owedPosts, type ShownPost } from '../editions/owed.ts'
import type { Audience } from '../runs/audience.ts'
import { occurrenceBefore } from '../runs/period.ts'
import type { DigestChoices, Preview } from './preview.ts'
import { previewMessage, type TestEnvelope } from './preview-message.ts'

type Source = Pick<Platform, 'records' | 'settings' | 'secrets' | 'now'>

/** Posts that stand in where nothing is new. */
const samplePosts = 10
const mostListed = 2000

/**
 * The digest that a reader with these choices would get at an instant, from the occurrence before it
 * on. Changes nothing. Its links lead nowhere.
 *
 * @throws `digest.empty` when there is no post at all; what `checkPreferences` and
 * `previewMessage` throw.
 */
export async function previewDigest(
  platform: Source,
  {
    at: instant,
    categories = [],
    cadence,
    locale,
    test,
  }: DigestChoices & { at?: Date; test?: TestEnvelope | undefined },
): Promise<Preview> {
  const { settings } = platform
  const at = instant ?? platform.now()
  // Not the instant: the `at` of preferences is an hour of the day.
  const wanted = checkPreferences(
    { categories, cadence, locale },
    {
      settings,
      categories: await listCategories(platform),
    },
  )
  const frame = frameOf(wanted, at)
  const owed = await owedAt(platform, wanted, frame)
  const { maxPosts } = settings.digests
  const posts =
    owed.length > 0
      ? await readListed(platform, owed.slice(0, maxPosts))
      : (await newest(platform, wanted)).slice(0, maxPosts)
  if (posts.length === 0) {
    throw invalid(
      'digest.empty',
      'There is no post in these categories yet. Publish one, or leave the categories out.',
    )
  }
  const { last } = await readLogHead(platform)
  const edition: Edition =
    owed.length > 0
      ? editionOf(owed, last, wanted.locale)
      : { to: last, from: {}, locale: wanted.locale }
  const titles = await categoryTitles(platform)
  const count = Math.max(owed.length, posts.length)
  const digest = writeDigest(platform, frame, edition, { posts, count }, titles)
  const message = previewMessage(platform, {
    run: frame.run,
    mail: digest,
    date: at,
    test,
  })
  const schedule = scheduleOf(wanted).id
  const audience: Audience =
    wanted.cadence === 'instant' ? { instant: wanted.categories } : { schedule }
  return { ...message, audience, posts: count, isSample: owed.length === 0 }
}

function frameOf(wanted: Preferences, at: Date): Frame {
  const until = `${at.toISOString().slice(0, 19)}Z`
  const frame = {
    run: { id: 'preview', kind: wanted.cadence === 'instant' ? 'instant' : 'digest' } as const,
    cadence: wanted.cadence,
    timeZone: wanted.timeZone,
    until,
  }
  if (wanted.cadence === 'instant') return frame
  return { ...frame, from: occurrenceBefore(scheduleOf(wanted), until) }
}

/**
 * By date, since the log has no time: what was published within the period, newest first. Looked for
 * among the last 2,000 posts listed.
 */
async function owedAt(
  platform: Source,
  wanted: Preferences,
  { from = '', until }: Frame,
): Promise<OwedPost[]> {
  const { last } = await readLogHead(platform)
  const listed = await openListing(platform, last, { most: mostListed }).above(0)
  const inPeriod = listed.filter(({ post }) => post.published > from && post.published <= until)
  const slugs = wanted.categories.length > 0 ? wanted.categories : [everything]
  const categories = Object.fromEntries(slugs.map((slug) => [slug, 0]))
  const owed = owedPosts({ categories }, inPeriod, { from: 0, to: last }, platform.settings)
  const posts = newestFirst(owed)
  return wanted.cadence === 'instant' ? posts.slice(0, 1) : posts
}

async function newest(platform: Source, wanted: Preferences): Promise<ShownPost[]> {
  const feeds = wanted.categories.length > 0 ? wanted.categories.slice(0, 20) : [everything]
  const found = new Map<string, ShownPost>()
  for (const feed of feeds) {
    const { posts } = await newestPosts(platform, feed, { limit: samplePosts })
    for (const post of posts) {
      if (!found.has(post.id)) found.set(post.id, { n: post.number ?? 0, post, via: feed })
    }
  }
  return newestFirst([...found.values()]).slice(0, samplePosts)
}
