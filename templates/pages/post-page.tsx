import { raw } from 'hono/html'
import { urlPaths } from '../../functions/keys.ts'
import type { Post } from '../../functions/posts/post.ts'
import type { CategoryItem } from '../components/category-list.tsx'
import { readingMinutes } from '../components/reading-time.ts'
import { BriefSubscribeForm } from '../components/subscribe-form.tsx'
import { languageOf, type PageContext, renderPage } from '../layouts/page.tsx'
import { formatDate, formatList } from '../locales/format.ts'
import { dateLocale, messagesFor } from '../locales/index.ts'

export interface PostPageProps extends PageContext {
  post: Post
  /** Sanitised. */
  html: string
  text: string
  /** Those of the post, in its order. */
  categories: readonly CategoryItem[]
  /** Tells pages apart that other settings or another version made. */
  look?: string
}

/** One post, to be read. Where it lives elsewhere, the page says so and points search engines there. */
export function postPage(props: PostPageProps): string {
  const { settings, locale, post, categories } = props
  const m = messagesFor(locale)
  const { site } = settings
  const language = languageOf(post.language ?? site.language, locale)
  const dates = dateLocale(locale, settings)
  const day = (instant: string) => formatDate(dates, instant, site.timeZone)
  const home = post.canonicalUrl ? hostOf(post.canonicalUrl) : undefined
  const attachments = post.enclosures.filter(({ url }) => /^https?:/i.test(url))
  const isUpdated = day(post.updated) !== day(post.published)
  const minutes = readingMinutes(props.text)
  return renderPage({
    settings,
    locale,
    shape: 'wide',
    ...(props.look ? { look: props.look } : {}),
    title: post.title,
    ...(post.summary ? { description: post.summary } : {}),
    canonical: post.canonicalUrl ?? urlPaths.post(post.slug),
    ...(post.image ? { image: post.image.url } : {}),
    ...(categories[0] ? { feed: categories[0] } : {}),
    children: (
      <div class="columns">
        <article>
          <header>
            <h1 class="title" lang={language}>
              {post.title}
            </h1>
            <p class="facts">
              <time datetime={post.published}>{day(post.published)}</time>
              {post.authors.length > 0 && (
                <span>{m.post.by(formatList(m.locale, post.authors.slice(0, 10)))}</span>
              )}
              {minutes > 1 && <span>{m.post.minutes(minutes)}</span>}
              {isUpdated && (
                <span>
                  <time datetime={post.updated}>{m.post.updated(day(post.updated))}</time>
                </span>
              )}
            </p>
          </header>
          <div class="body" lang={language}>
            {raw(focusable(props.html))}
          </div>
          {attachments.length > 0 && (
            <section class="section" aria-labelledby="attachments">
              <h2 id="attachments">{m.post.attachments}</h2>
              <ul class="plain">
                {attachments.map(({ url, type }) => (
                  <li>
                    <a href={url}>{nameOf(url)}</a> <span class="small">{type}</span>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <footer class="facts">
            {categories.map(({ slug, title }) => (
              <a href={urlPaths.category(slug)}>{title}</a>
            ))}
            {home && <a href={post.canonicalUrl}>{m.post.original(home)}</a>}
          </footer>
        </article>
        <aside>
          {categories[0] ? (
            <BriefSubscribeForm locale={locale} category={categories[0]} />
          ) : (
            <BriefSubscribeForm locale={locale} />
          )}
        </aside>
      </div>
    ),
  })
}

/** What scrolls sideways must be reachable with the keyboard (WCAG 2.1.1). */
function focusable(html: string): string {
  return html.replaceAll(/<(pre|table)(?=[\s>])/g, '<$1 tabindex="0"')
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined
}

function nameOf(url: string): string {
  const last = new URL(url).pathname.split('/').findLast((part) => part !== '')
  if (last === undefined) return url
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}
