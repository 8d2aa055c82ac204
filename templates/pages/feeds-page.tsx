import { everything, urlPaths } from '../../functions/keys.ts'
import type { CategoryItem } from '../components/category-list.tsx'
import { FeedAddresses, FeedLinks } from '../components/feed-addresses.tsx'
import { type PageContext, renderPage } from '../layouts/page.tsx'
import { messagesFor } from '../locales/index.ts'

export interface FeedsPageProps extends PageContext {
  categories: readonly CategoryItem[]
}

/** The directory of all feeds. */
export function feedsPage({ settings, locale, categories }: FeedsPageProps): string {
  const m = messagesFor(locale)
  return renderPage({
    settings,
    locale,
    title: m.feeds.title,
    canonical: urlPaths.feeds,
    current: urlPaths.feeds,
    children: (
      <>
        <h1 class="title">{m.feeds.title}</h1>
        <p class="lead">{m.feeds.lead}</p>
        <section class="feed issue" aria-labelledby="everything">
          <h2 id="everything">{m.feeds.everything}</h2>
          <p class="hint">{m.feeds.everythingHint}</p>
          <FeedAddresses feed={everything} baseUrl={settings.site.baseUrl} />
        </section>
        {categories.length === 0 && <p class="feed">{m.feeds.none}</p>}
        {categories.map((category) => (
          <section class="feed row">
            <div>
              <h2>
                <a href={urlPaths.category(category.slug)}>{category.title}</a>
              </h2>
              {category.description && <p class="hint">{category.description}</p>}
            </div>
            <FeedLinks
              feed={category.slug}
              title={category.title}
              {...(category.posts === undefined ? {} : { note: m.category.posts(category.posts) })}
            />
          </section>
        ))}
        <p class="feed">
          <a href={urlPaths.opml}>{m.feeds.opml}</a>
          <br />
          <span class="hint">{m.feeds.opmlHint}</span>
        </p>
      </>
    ),
  })
}
