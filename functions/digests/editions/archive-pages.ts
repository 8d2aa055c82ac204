import type { Context } from 'hono'
import { chooseLocale, messagesFor } from '../../../templates/locales/index.ts'
import { archivePage } from '../../../templates/pages/archive-page.tsx'
import { editionPage } from '../../../templates/pages/edition-page.tsx'
import { urlPaths } from '../../keys.ts'
import type { Platform } from '../../platform.ts'
import { categoryTitles } from '../../posts/categories.ts'
import { editionDate, listEditions, readEdition } from './archive.ts'
import { editionFromId, groupPosts } from './edition.ts'
import { readListed } from './listing.ts'

const postsOnPage = 100
const cacheControl = 'public, max-age=300'

/** The list of past digests. */
export async function showArchive(c: Context, platform: Platform): Promise<Response> {
  const { settings } = platform
  const editions = await listEditions(platform)
  const locale = chooseLocale(c.req.header('accept-language'), settings)
  c.header('cache-control', cacheControl)
  c.header('vary', 'Accept-Language')
  return c.html(archivePage({ settings, locale, editions }))
}

/**
 * One digest as a page, all its posts as they stand now, a hundred at a time; `undefined` when the
 * id is none of ours. There is nothing of a reader in it.
 */
export async function showEdition(c: Context, platform: Platform): Promise<Response | undefined> {
  const { settings } = platform
  const id = c.req.param('id') ?? ''
  const edition = editionFromId(platform, id)
  if (!edition) return undefined
  const locale = chooseLocale(edition.locale, settings)
  const posts = await readEdition(platform, edition)
  const wanted = Number(/^\d{1,4}$/.exec(c.req.query('page') ?? '')?.[0] ?? 1)
  const pages = Math.max(1, Math.ceil(posts.length / postsOnPage))
  const page = Math.min(Math.max(wanted, 1), pages)
  const shown = await readListed(
    platform,
    posts.slice((page - 1) * postsOnPage, page * postsOnPage),
  )
  const [newest] = page === 1 ? shown : await readListed(platform, posts.slice(0, 1))
  const titles = await categoryTitles(platform)
  const now = `${platform.now().toISOString().slice(0, 19)}Z`
  const until = posts[0]?.post.published ?? now
  c.header('cache-control', cacheControl)
  return c.html(
    editionPage({
      settings,
      locale,
      edition: {
        groups: groupPosts(shown, titles, { settings, locale }),
        more: Math.max(0, posts.length - page * postsOnPage),
        timeZone: settings.site.timeZone,
      },
      title: newest?.post.title ?? messagesFor(locale).archive.title,
      count: posts.length,
      date: (await editionDate(platform, edition)) ?? {
        from: posts.at(-1)?.post.published ?? until,
        until,
      },
      ...(page < pages ? { next: `${urlPaths.edition(id)}?page=${page + 1}` } : {}),
    }),
  )
}
