import { urlPaths } from '../../functions/keys.ts'
import { formatNumber } from '../locales/format.ts'

/** What pages know of a category. */
export interface CategoryItem {
  slug: string
  title: string
  description?: string
  posts?: number
}

/** Categories with their counts, in columns where there is room. */
export function CategoryList({
  categories,
  locale,
  limit = categories.length,
}: {
  categories: readonly CategoryItem[]
  locale: string
  limit?: number
}) {
  return (
    <ul class="directory plain">
      {categories.slice(0, limit).map(({ slug, title, posts }) => (
        <li>
          <a href={urlPaths.category(slug)}>{title}</a>
          {posts !== undefined && <span>{formatNumber(locale, posts)}</span>}
        </li>
      ))}
    </ul>
  )
}
