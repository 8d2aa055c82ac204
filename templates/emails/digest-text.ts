import { urlPaths } from '../../functions/keys.ts'
import { formatDate, formatPeriod } from '../locales/format.ts'
import { dateLocale, messagesFor } from '../locales/index.ts'
import { chosenTitles } from './chosen-titles.ts'
import type { DigestEmailInput } from './digest-email.tsx'
import { displayWidth } from './display-width.ts'
import { textColumns, textFooter, textRule } from './email.ts'
import { wrapText } from './wrap-text.ts'

/** The plain text of a digest: the same posts in the same order, links in full on their own line. */
export function digestText(input: DigestEmailInput): string {
  const { settings, locale, groups, more, editionUrl, links } = input
  const m = messagesFor(locale)
  const dates = dateLocale(locale, settings)
  const count = groups.reduce((sum, { posts }) => sum + posts.length, 0) + more
  const period = formatPeriod(dates, input.from, input.until, input.timeZone)
  const wrap = (text: string) => wrapText(text, textColumns)
  const lines = [
    wrap(settings.site.title),
    wrap(`${period} · ${m.mail.posts(count)}`),
    textRule,
    '',
  ]
  for (const { category, posts } of groups) {
    if (category || groups.length > 1) {
      const heading = category ? category.title : m.mail.uncategorised
      lines.push(wrap(heading), '─'.repeat(Math.min(textColumns, displayWidth(heading))), '')
    }
    for (const post of posts) {
      const small = [
        formatDate(dates, post.date, input.timeZone),
        ...(post.authors.length > 0 ? [post.authors.join(', ')] : []),
        ...(post.minutes && post.minutes > 1 ? [m.post.minutes(post.minutes)] : []),
      ]
      lines.push(wrap(post.title), wrap(small.join(' · ')))
      if (post.summary) lines.push('', wrap(post.summary))
      lines.push('', post.url, '', '')
    }
  }
  if (more > 0) lines.push(wrap(m.mail.andMore(more)), ...(editionUrl ? [editionUrl] : []), '')
  lines.push(
    textFooter({
      why: m.mail.why(settings.site.title, chosenTitles(m, input.categoryTitles), input.cadence),
      labels: [
        [m.mail.label(m.mail.preferences), links.preferences],
        [m.mail.label(m.mail.unsubscribe), links.unsubscribe],
        [m.mail.label(m.mail.archive), `${settings.site.baseUrl}${urlPaths.archive}`],
      ],
      address: settings.mail.postalAddress,
    }),
  )
  return lines.join('\n')
}
