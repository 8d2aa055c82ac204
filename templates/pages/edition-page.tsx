import { urlPaths } from '../../functions/keys.ts'
import { issueName } from '../components/issue-name.ts'
import type { DigestEmailInput } from '../emails/digest-email.tsx'
import { languageOf, type PageContext, renderPage } from '../layouts/page.tsx'
import { formatDate, formatPeriod } from '../locales/format.ts'
import { dateLocale, messagesFor } from '../locales/index.ts'

export interface EditionPageProps extends PageContext {
  edition: Pick<DigestEmailInput, 'groups' | 'more' | 'timeZone'>
  /** Of its newest post. */
  title: string
  /** All its posts, those on other pages too. */
  count: number
  /** RFC 3339: its day in the archive; else the dates of its oldest and newest post. */
  date: string | { from: string; until: string }
  /** Other pages of the same edition, when it has more posts than one page. */
  next?: string
}

/** A digest as a page: the same groups in the same order, without anything of its reader. */
export function editionPage(props: EditionPageProps): string {
  const { settings, locale, edition, count, date, next } = props
  const m = messagesFor(locale)
  const dates = dateLocale(locale, settings)
  const name = issueName(m, props.title, count)
  const day =
    typeof date === 'string'
      ? formatDate(dates, date, edition.timeZone)
      : formatPeriod(dates, date.from, date.until, edition.timeZone)
  return renderPage({
    settings,
    locale,
    title: name,
    isPrivate: true,
    current: urlPaths.archive,
    children: (
      <>
        <h1 class="title">{name}</h1>
        <p class="facts">{`${day} · ${m.mail.posts(count)}`}</p>
        {edition.groups.map(({ category, posts }) => (
          <section class="group">
            {(category || edition.groups.length > 1) && (
              <h2 class="label">
                {category ? (
                  <a href={urlPaths.category(category.slug)}>{category.title}</a>
                ) : (
                  m.mail.uncategorised
                )}
              </h2>
            )}
            <ul class="plain">
              {posts.map((post) => {
                const language = languageOf(post.language ?? settings.site.language, locale)
                return (
                  <li class={post.image ? 'entry pictured' : 'entry'}>
                    <div>
                      <h3 lang={language}>
                        <a href={post.url}>{post.title}</a>
                      </h3>
                      <p class="small">
                        <time datetime={post.date}>
                          {formatDate(dates, post.date, edition.timeZone)}
                        </time>
                        {post.authors.length > 0 && ` · ${post.authors.slice(0, 5).join(', ')}`}
                      </p>
                      {post.summary && (
                        <p class="summary" lang={language}>
                          {post.summary}
                        </p>
                      )}
                    </div>
                    {post.image && (
                      <img src={post.image.url} alt="" loading="lazy" width="252" height="168" />
                    )}
                  </li>
                )
              })}
            </ul>
          </section>
        ))}
        {edition.more > 0 && (
          <p class="lead">
            {next ? (
              <a href={next}>{m.archive.more(edition.more)}</a>
            ) : (
              m.archive.more(edition.more)
            )}
          </p>
        )}
      </>
    ),
  })
}
