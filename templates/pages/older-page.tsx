import { urlPaths } from '../../functions/keys.ts'
import type { CategoryItem } from '../components/category-list.tsx'
import { PostListItem, type PostListItemProps } from '../components/post-list-item.tsx'
import { languageOf, type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

export interface OlderPageProps extends PageContext {
  /** Absent for everything. */
  category?: CategoryItem
  /** Newest first. */
  posts: readonly PostListItemProps['post'][]
  /** Slug → title of the categories that posts name. */
  categoryTitles: ReadonlyMap<string, string>
  /** Its own. */
  path: string
  /** Of the page that goes on; absent on the last. */
  older?: string
}

/** What the front page or a category's page is too short for. */
export function olderPage(props: OlderPageProps): string {
  const { settings, locale, category, posts } = props
  const m = messagesFor(locale)
  const title = category ? `${category.title} · ${m.home.more}` : m.home.more
  const titles = new Map(props.categoryTitles)
  // On its own pages a category goes without saying.
  if (category) titles.delete(category.slug)
  return renderPage({
    settings,
    locale,
    title,
    canonical: props.path,
    ...(category ? { feed: category } : {}),
    children: (
      <>
        {category ? (
          <h1 class="title" lang={languageOf(settings.site.language, locale)}>
            {category.title}
          </h1>
        ) : (
          <h1 class="title">{m.home.latest}</h1>
        )}
        <p class="facts">{m.home.more}</p>
        <ul class="plain issue">
          {posts.map((post) => (
            <PostListItem
              post={post}
              categoryTitles={titles}
              settings={settings}
              locale={locale}
              level={2}
            />
          ))}
        </ul>
        <p class="formats small">
          {props.older && <a href={props.older}>{m.home.more}</a>}
          <a href={category ? urlPaths.category(category.slug) : urlPaths.home}>{m.home.newest}</a>
        </p>
      </>
    ),
  })
}
