import { urlPaths } from '../../functions/keys.ts'
import { issueName } from '../components/issue-name.ts'
import { scheduleSentence } from '../components/schedule-sentence.ts'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { formatDate } from '../locales/format.ts'
import { dateLocale, messagesFor } from '../locales/index.ts'

export interface ArchivePageProps extends PageContext {
  /** Newest first; `title` is of its newest post, `count` of its posts, `date` RFC 3339. */
  editions: readonly { url: string; date: string; title: string; count: number }[]
}

/** The list of past digests. */
export function archivePage({ settings, locale, editions }: ArchivePageProps): string {
  const m = messagesFor(locale)
  const dates = dateLocale(locale, settings)
  return renderPage({
    settings,
    locale,
    title: m.archive.title,
    canonical: urlPaths.archive,
    current: urlPaths.archive,
    children: (
      <>
        <h1 class="title">{m.archive.title}</h1>
        <p class="lead">{m.archive.lead}</p>
        {editions.length === 0 && (
          <p class="lead">
            {settings.digests.cadence === 'instant'
              ? m.archive.instant
              : m.archive.empty(scheduleSentence(m, settings.digests))}
          </p>
        )}
        <ul class="plain issue">
          {editions.map(({ url, date, title, count }) => (
            <li class="entry">
              <h2>
                <a href={url}>{issueName(m, title, count)}</a>
              </h2>
              <p class="small">
                <time datetime={date}>{formatDate(dates, date, settings.site.timeZone)}</time>
                {' · '}
                {m.archive.posts(count)}
              </p>
            </li>
          ))}
        </ul>
      </>
    ),
  })
}
