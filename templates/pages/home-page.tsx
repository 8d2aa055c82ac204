import { urlPaths } from '../../functions/keys.ts'
import { type CategoryItem, CategoryList } from '../components/category-list.tsx'
import { PostListItem, type PostListItemProps } from '../components/post-list-item.tsx'
import { BriefSubscribeForm } from '../components/subscribe-form.tsx'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

export interface HomePageProps extends PageContext {
  /** Newest first. */
  posts: readonly PostListItemProps['post'][]
  categories: readonly CategoryItem[]
  /** The page that goes on, when there are older posts. */
  older?: string
}

const categoriesAtSide = 24

/** The front page: latest posts, and at the side the subscribe form and the categories. */
export function homePage(props: HomePageProps): string {
  const { settings, locale, posts, categories } = props
  const m = messagesFor(locale)
  const titles = new Map(categories.map(({ slug, title }) => [slug, title]))
  const newest = posts[0]
  return renderPage({
    settings,
    locale,
    shape: 'front',
    canonical: urlPaths.home,
    current: urlPaths.home,
    ...(newest ? { date: newest.published } : {}),
    children: (
      <div class="columns">
        <section aria-labelledby="latest">
          <h2 class={newest ? 'hidden' : 'label'} id="latest">
            {m.home.latest}
          </h2>
          {newest ? (
            <ul class="plain">
              {posts.map((post, i) => (
                <PostListItem
                  post={post}
                  categoryTitles={titles}
                  settings={settings}
                  locale={locale}
                  isFirst={i === 0}
                />
              ))}
            </ul>
          ) : (
            <p>{m.home.empty}</p>
          )}
          {props.older && (
            <p class="small">
              <a href={props.older}>{m.home.more}</a>
            </p>
          )}
        </section>
        <aside class="stack">
          <BriefSubscribeForm locale={locale} />
          {categories.length > 0 && (
            <section class="section" aria-labelledby="categories">
              <h2 id="categories">{m.home.directory}</h2>
              <CategoryList categories={categories} locale={locale} limit={categoriesAtSide} />
              <p class="small">
                <a href={urlPaths.feeds}>{m.home.allCategories(categories.length)}</a>
              </p>
            </section>
          )}
        </aside>
      </div>
    ),
  })
}
