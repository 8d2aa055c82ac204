import { urlPaths } from '../keys.ts'
import type { Post } from '../posts/post.ts'
import type { Settings } from '../settings/settings.ts'
import { escapeText } from './escape.ts'
import {
  byteLength,
  clean,
  entryIdentifier,
  instant,
  languageTag,
  line,
  mediaType,
  webAddress,
} from './guard.ts'

/** A post as a feed shows it: the record and its sanitised HTML. */
export interface FeedEntry {
  post: Post
  html: string
}

/** An entry whose every value is clean: the three formats are written from it and nothing else. */
export interface CleanEntry {
  /** The same characters in every format. */
  id: string
  link: string
  title: string
  published: Date
  updated: Date
  /** Names. */
  authors: string[]
  categories: { slug?: string; name: string }[]
  /** Only when it is another than the feed's. */
  language?: string
  /** Plain text. Empty when the post has none, except where it stands for the content. */
  summary: string
  /** HTML, never empty. */
  html: string
  /** The same as text of an XML document, for two of the formats. */
  escapedHtml: string
  image?: { url: string; width?: number; height?: number }
  enclosures: { url: string; type: string; length: number }[]
}

export type EntryOutcome =
  | { status: 'clean'; entry: CleanEntry }
  /** It cannot stand in any of the formats. `code` is `entry.id` or `entry.date`. */
  | { status: 'refused'; code: string; reason: string }

/**
 * Cleans an entry once for all formats. Only an identifier or a date that cannot be used refuses it:
 * an address that cannot falls back to our page or is left out, and a missing title or body is made
 * from what there is, since every format wants both.
 */
export function cleanEntry(
  { post, html }: FeedEntry,
  { site, feeds }: Settings,
  categoryTitles: ReadonlyMap<string, string>,
): EntryOutcome {
  const id = entryIdentifier(post.entryId)
  if (!id) {
    return {
      status: 'refused',
      code: 'entry.id',
      reason: 'The entry has no id that is a URI, and feeds cannot carry it.',
    }
  }
  const published = instant(post.published)
  const updated = instant(post.updated)
  if (!published || !updated) {
    return {
      status: 'refused',
      code: 'entry.date',
      reason: 'The entry has a date outside of the years 1900 to 9999.',
    }
  }
  const summary = line(post.summary)
  const title = line(post.title) || firstWords(summary) || post.published.slice(0, 10)
  const language = languageTag(post.language)
  const imageUrl = webAddress(post.image?.url)
  const body = clean(html).trim() || `<p>${escapeText(summary || title)}</p>`
  return {
    status: 'clean',
    entry: {
      id,
      link: webAddress(post.canonicalUrl) ?? site.baseUrl + urlPaths.post(clean(post.slug)),
      title,
      published,
      updated: updated < published ? published : updated,
      authors: distinct((post.authors.length > 0 ? post.authors : [site.author ?? '']).map(line)),
      categories: cleanCategories(post, categoryTitles),
      ...(language && language !== site.language ? { language } : {}),
      summary: summary || (feeds.content === 'summary' ? title : ''),
      html: body,
      escapedHtml: escapeText(body),
      ...(imageUrl
        ? {
            image: {
              url: imageUrl,
              ...dimension('width', post.image?.width),
              ...dimension('height', post.image?.height),
            },
          }
        : {}),
      enclosures: post.enclosures.flatMap(({ url, type, length }) => {
        const address = webAddress(url)
        return address ? [{ url: address, type: mediaType(type), length: byteLength(length) }] : []
      }),
    },
  }
}

/** Categories under their names, then tags that say something else. */
function cleanCategories(post: Post, titles: ReadonlyMap<string, string>) {
  const categories: { slug?: string; name: string }[] = post.categories.map((slug) => ({
    slug: line(slug),
    name: line(titles.get(slug) ?? slug) || line(slug),
  }))
  const known = new Set(categories.map(({ name }) => name.toLowerCase()))
  for (const tag of distinct(post.tags.map(line))) {
    if (known.has(tag.toLowerCase())) continue
    known.add(tag.toLowerCase())
    categories.push({ name: tag })
  }
  return categories.filter(({ name }) => name !== '')
}

function firstWords(summary: string) {
  if (summary.length <= 80) return summary
  const cut = Array.from(summary).slice(0, 80).join('')
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), 40))}…`
}

function distinct(names: readonly string[]) {
  return [...new Set(names)].filter((name) => name !== '')
}

function dimension<K extends string>(name: K, pixels: number | undefined) {
  const known = pixels !== undefined && Number.isSafeInteger(pixels) && pixels > 0
  return known ? ({ [name]: pixels } as { [key in K]: number }) : {}
}
