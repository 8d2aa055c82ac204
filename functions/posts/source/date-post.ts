import { invalid } from '../../errors.ts'
import { firstYear, formatInstant } from '../format-instant.ts'
import { type CalendarDay, readDate, startOfDay } from './dates.ts'
import type { ParseContext, ParsedPost } from './parse-post.ts'
import type { PostFields } from './post-fields.ts'
import { dayInAddress, type SourcePath } from './source-path.ts'

export interface DatedPost {
  published: string
  updated?: string
  datedBy: ParsedPost['datedBy']
}

interface Dating {
  fields: PostFields
  place: SourcePath | undefined
  permalink: string | undefined
  isHidden: boolean
}

/**
 * Dates a post: by its front matter; in an import else by its file's name, its folders or its
 * permalink; in every other way in else by the instant of receipt. A date that is given and cannot
 * be read is refused (`post.date`), never replaced. An import without any is refused
 * (`post.date-missing`), but for a hidden post, where `undefined` says that there is none.
 */
export function datePost(dating: Dating, context: ParseContext): DatedPost | undefined {
  const { fields } = dating
  const { timeZone } = context.settings.content
  const found = fields.date === undefined ? undefined : readGiven('date', fields.date, timeZone)
  const updated =
    fields.updated === undefined ? undefined : readGiven('updated', fields.updated, timeZone)
  const dated =
    found !== undefined
      ? { date: found, datedBy: 'front matter' as const }
      : context.way === 'import'
        ? dateOfPlace(dating, timeZone)
        : { date: context.now, datedBy: 'receipt' as const }
  if (!dated) {
    if (dating.isHidden) return undefined
    throw invalid(
      'post.date-missing',
      'The post has no date: none in its front matter, and none in its file name, its folders or its permalink. Give it a `date`, or a name such as `2022-02-23-words.md`.',
    )
  }
  return {
    published: formatInstant(dated.date),
    ...(updated && updated > dated.date && { updated: formatInstant(updated) }),
    datedBy: dated.datedBy,
  }
}

/**
 * When the author wants the letter to go. Local time is the site's, as for dates; in the gap of a
 * clock change it is the first instant behind it, as for digests. A day without an hour is refused,
 * since nobody means midnight.
 *
 * @throws ServiceError `post.mail-at`
 */
export function mailTimeOf(
  { mailAt }: Pick<PostFields, 'mailAt'>,
  { content }: ParseContext['settings'],
): string | undefined {
  if (mailAt === undefined) return undefined
  const date = namesHour.test(mailAt) ? readDate(mailAt, content.timeZone, 'first') : undefined
  if (date) return formatInstant(date)
  throw invalid(
    'post.mail-at',
    `The mail time \`${mailAt.slice(0, 60)}\` cannot be read as a day and an hour. Write it as \`2026-03-06 08:00\`, \`2026-03-06 08:00 +0100\` or in RFC 3339.`,
  )
}

/** `8:00`, `T0800`. */
const namesHour = /\d:\d\d|\d[Tt]\d{4}/

function readGiven(name: string, value: string, timeZone: string): Date {
  const date = readDate(value, timeZone)
  if (date) return date
  throw invalid(
    'post.date',
    `The ${name} \`${value.slice(0, 60)}\` cannot be read as a date. Write it as \`2022-02-23 12:08:51 +0800\`, \`2022-02-23\` or in RFC 3339, in the years ${firstYear} to 9999.`,
  )
}

function dateOfPlace({ place, permalink }: Dating, timeZone: string) {
  const places: { day: CalendarDay | undefined; datedBy: ParsedPost['datedBy'] }[] = [
    { day: place?.nameDay, datedBy: 'file name' },
    { day: place?.folderDay, datedBy: 'path' },
    { day: permalink === undefined ? undefined : dayInAddress(permalink), datedBy: 'permalink' },
  ]
  for (const { day, datedBy } of places) {
    if (!day) continue
    const date = startOfDay(day, timeZone)
    if (date) return { date, datedBy }
    throw invalid(
      'post.date',
      `The ${datedBy} names the day ${day.year}-${day.month}-${day.day}, which does not exist or lies before ${firstYear}. Correct it, or give the post a \`date\`.`,
    )
  }
  return undefined
}
