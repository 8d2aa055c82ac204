import { urlPaths } from '../../functions/keys.ts'
import type { Post } from '../../functions/posts/post.ts'
import type { Settings } from '../../functions/settings/settings.ts'
import { languageOf } from '../layouts/page.tsx'
import { formatDate } from '../locales/format.ts'
import { dateLocale } from '../locales/index.ts'

export interface PostListItemProps {
  post: Pick<
    Post,
    'slug' | 'title' | 'published' | 'summary' | 'categories' | 'image' | 'language' | 'authors'
  >
  /** Slug → title; a category without one is left out. */
  categoryTitles: ReadonlyMap<string, string>
  settings: Settings
  locale: string
  /** `1` under a heading of level 1, and so on. */
  level?: 2 | 3
  isFirst?: boolean
}

/** A post in a list: headline, one line of small print, two lines of summary, a picture if wide. */
export function PostListItem(props: PostListItemProps) {
  const { post, settings, locale, level = 3, isFirst = false } = props
  const Heading = level === 2 ? 'h2' : 'h3'
  const classes = ['entry', isFirst && 'first', post.image && 'pictured'].filter(Boolean).join(' ')
  const language = languageOf(post.language ?? settings.site.language, locale)
  return (
    <li class={classes}>
      <div>
        <Heading lang={language}>
          <a href={urlPaths.post(post.slug)}>{post.title}</a>
        </Heading>
        <p class="small">
          <time datetime={post.published}>
            {formatDate(dateLocale(locale, settings), post.published, settings.site.timeZone)}
          </time>
          {post.categories.map((slug) => {
            const title = props.categoryTitles.get(slug)
            return (
              title && (
                <>
                  {' · '}
                  <a href={urlPaths.category(slug)}>{title}</a>
                </>
              )
            )
          })}
        </p>
        {post.summary && (
          <p class="summary" lang={language}>
            {post.summary}
          </p>
        )}
      </div>
      {post.image && (
        // The headline says what the picture illustrates; read aloud it would only be repeated.
        <img src={post.image.url} alt="" loading="lazy" decoding="async" width="252" height="168" />
      )}
    </li>
  )
}
