import { chooseLocale } from '../../../templates/locales/index.ts'
import { invalid } from '../../errors.ts'
import { everything } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { listCategories } from '../../posts/categories.ts'
import { newestPosts } from '../../posts/date-index.ts'
import { readLogHead } from '../../posts/log.ts'
import { checkPreferences } from '../../subscribers/preferences.ts'
import { scheduleOf } from '../../subscribers/schedule.ts'
import type { Preferences } from '../../subscribers/subscriber.ts'
import type { Audience } from '../runs/audience.ts'
import { occurrenceBefore } from '../runs/period.ts'
import { type Frame, writeDigest } from './compose-digest.ts'
import { type Edition, editionOf, newestFirst } from './edition.ts'
import { openListing } from './listing.ts'
import { type OwedPost, owedPosts } from './owed.ts'
import { categoryTitles } from './parcels.ts'
import { type PreviewedMail, previewMessage } from './preview-message.ts'

export interface PreviewRequest {
  /** Slugs; none means everything. */
  categories?: string[] | undefined
  cadence?: string | undefined
  /** The instant of which it shows the digest. @default now */
  at?: Date | undefined
  locale?: string | undefined
  /** Mails it to this address, marked as a test. */
  to?: string | undefined
}

export interface Preview extends PreviewedMail {
  /** Whom it would go to. */
  audience: Audience
  posts: number
  /** Nothing is new at that instant: the newest posts stand in. */
  isSample: boolean
}

type Source = Pick<Platform, 'records' | 'settings' | 'secrets' | 'mailer' | 'now'>

/** Posts that stand in where nothing is new. */
const samplePosts = 10

/**
 * The digest that a reader with these choices would get at an instant, from the occurrence before it
 * on. Changes nothing. Its links lead nowhere.
 *
 * @throws `digest.empty` when there is no post at all; what `checkPreferences` throws; `mail.not-sent`.
 */
export async function previewDigest(platform: Source, request: PreviewRequest): Promise<Preview> {
  const { settings } = platform
  const at = request.at ?? platform.now()
  const wanted = checkPreferences(
    { ...request, categories: request.categories ?? [] },
    {
      settings,
      categories: await listCategories(platform),
      chooseLocale: (tag) => chooseLocale(tag, settings),
    },
  )
  const frame = frameOf(wanted, at)
  const owed = await owedAt(platform, wanted, frame)
  const posts = owed.length > 0 ? owed : await newest(platform, wanted)
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
  const digest = writeDigest(platform, frame, edition, posts, titles)
  const message = await previewMessage(platform, {
    run: frame.run,
    mail: digest,
    date: at,
    to: request.to,
  })
  const schedule = scheduleOf(wanted).id
  const audience: Audience =
    wanted.cadence === 'instant' ? { instant: wanted.categories } : { schedule }
  return { ...message, audience, posts: posts.length, isSample: owed.length === 0 }
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

/** By date, since the log has no time: what was published within the period. */
async function owedAt(
  platform: Source,
  wanted: Preferences,
  { from = '', until }: Frame,
): Promise<OwedPost[]> {
  const { last } = await readLogHead(platform)
  const listed = await openListing(platform, last).above(0)
  const inPeriod = listed.filter(({ post }) => post.published > from && post.published <= until)
  const slugs = wanted.categories.length > 0 ? wanted.categories : [everything]
  const categories = Object.fromEntries(slugs.map((slug) => [slug, 0]))
  const owed = owedPosts({ categories }, inPeriod, { from: 0, to: last }, platform.settings)
  return wanted.cadence === 'instant' ? newestFirst(owed).slice(0, 1) : owed
}

async function newest(platform: Source, wanted: Preferences): Promise<OwedPost[]> {
  const feeds = wanted.categories.length > 0 ? wanted.categories.slice(0, 20) : [everything]
  const found = new Map<string, OwedPost>()
  for (const feed of feeds) {
    const { posts } = await newestPosts(platform, feed, { limit: samplePosts })
    for (const post of posts) {
      if (!found.has(post.id)) found.set(post.id, { n: post.number ?? 0, post, via: feed })
    }
  }
  return newestFirst([...found.values()]).slice(0, samplePosts)
}
