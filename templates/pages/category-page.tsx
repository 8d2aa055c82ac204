import { urlPaths } from '../../functions/keys.ts'
import type { CategoryItem } from '../components/category-list.tsx'
import { FeedAddresses } from '../components/feed-addresses.tsx'
import { PostListItem, type PostListItemProps } from '../components/post-list-item.tsx'
import { BriefSubscribeForm } from '../components/subscribe-form.tsx'
import { languageOf, type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

export interface CategoryPageProps extends PageContext {
  category: CategoryItem
  /** The entries of the feed's window, newest first. */
  posts: readonly PostListItemProps['post'][]
  /** Slug → title of the categories that posts name. */
  categoryTitles: ReadonlyMap<string, string>
  /** The page that goes on, when there are older posts. */
  older?: string
}

/** A category: what its feed holds, its addresses to copy, and a form that is preset to it. */
export function categoryPage(props: CategoryPageProps): string {
  const { settings, locale, category, posts } = props
  const m = messagesFor(locale)
  const language = languageOf(settings.site.language, locale)
  return renderPage({
    settings,
    locale,
    shape: 'wide',
    title: category.title,
    ...(category.description ? { description: category.description } : {}),
    canonical: urlPaths.category(category.slug),
    feed: category,
    children: (
      <>
        <header>
          <h1 class="title" lang={language}>
            {category.title}
          </h1>
          {category.description && (
            <p class="lead" lang={language}>
              {category.description}
            </p>
          )}
          {category.posts !== undefined && <p class="facts">{m.category.posts(category.posts)}</p>}
        </header>
        <div class="columns issue">
          <section aria-label={m.home.latest}>
            {posts.length > 0 ? (
              <ul class="plain">
                {posts.map((post) => (
                  <PostListItem
                    post={post}
                    // On its own page a category goes without saying.
                    categoryTitles={withoutOne(props.categoryTitles, category.slug)}
                    settings={settings}
                    locale={locale}
                    level={2}
                  />
                ))}
              </ul>
            ) : (
              <p>{m.category.empty}</p>
            )}
            {props.older && (
              <p class="small">
                <a href={props.older}>{m.home.more}</a>
              </p>
            )}
          </section>
          <aside class="stack">
            <BriefSubscribeForm locale={locale} category={category} />
            <section class="section" aria-labelledby="feeds">
              <h2 id="feeds">{m.category.feeds}</h2>
              <p class="hint">{m.category.copyHint}</p>
              <FeedAddresses feed={category.slug} baseUrl={settings.site.baseUrl} />
            </section>
          </aside>
        </div>
      </>
    ),
  })
}

function withoutOne(titles: ReadonlyMap<string, string>, slug: string): Map<string, string> {
  const others = new Map(titles)
  others.delete(slug)
  return others
}
