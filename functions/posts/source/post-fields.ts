import { invalid } from '../../errors.ts'
import type { Enclosure, MailMode, PostImage } from '../post.ts'
import {
  asOne,
  type Fields,
  field,
  fieldsOf,
  namesOf,
  splitCommas,
  splitWords,
  textOf,
  truthOf,
} from './field-values.ts'
import type { FrontMatter } from './front-matter.ts'
import type { PostInput } from './post-input.ts'
import { isMapping } from './yaml.ts'

/** What an author says about a post, in one vocabulary whatever the dialect. */
export interface PostFields {
  id?: string
  title?: string
  /** As written; absent when none was given. */
  date?: string
  updated?: string
  categories: string[]
  tags: string[]
  authors: string[]
  /** Why the post is not to be seen. */
  hidden?: string
  slug?: string
  /** A path on the author's site or an absolute address, that of the post itself. */
  permalink?: string
  /** Where the author says that the post lives, or what it points to. */
  canonicalUrl?: string
  /** May hold Markdown or HTML. */
  summary?: string
  image?: PostImage
  enclosures: Enclosure[]
  language?: string
  mail?: MailMode
  /** When its letter is to go, as written. */
  mailAt?: string
  /** A page of the site rather than a post, by its layout. */
  isPage: boolean
  excerptSeparator?: string
}

/** Reads the keys of Jekyll, Hugo, Zola, Eleventy, Docusaurus, Hexo and Pelican. */
export function fieldsOfFrontMatter({ values, dialect }: FrontMatter): PostFields {
  const fields = fieldsOf(values)
  const shown = truthOf(fields.get('published'))
  const split = dialect === 'pelican' ? splitCommas : splitWords
  return compact({
    id: textOf(field(fields, 'guid', 'id')),
    title: textOf(field(fields, 'title')),
    date: writtenDate(
      later(field(fields, 'date'), field(fields, 'publishdate')) ??
        field(fields, 'pubdate', 'datepublished', 'publishedat', 'created', 'createdat') ??
        (shown === undefined ? field(fields, 'published') : undefined),
    ),
    updated: writtenDate(
      field(
        fields,
        ...['updated', 'lastmod', 'lastmodifiedat', 'modified', 'updatedat', 'lastupdated'],
        ...['datemodified', 'lastupdate.date'],
      ),
    ),
    categories: [
      ...namesOf(field(fields, 'categories', 'taxonomies.categories'), split),
      ...namesOf(field(fields, 'category'), asOne),
    ],
    tags: [
      ...namesOf(field(fields, 'tags', 'taxonomies.tags'), split),
      ...namesOf(field(fields, 'tag'), asOne),
    ],
    authors: authorsOf(fields),
    hidden: hiddenReason(fields, shown),
    slug: textOf(field(fields, 'slug')),
    permalink: textOf(field(fields, 'permalink', 'url', 'path')),
    canonicalUrl: textOf(field(fields, 'canonicalurl', 'canonical', 'externalurl', 'link')),
    summary: textOf(field(fields, 'summary', 'excerpt', 'description', 'abstract')),
    image: imageOf(fields),
    enclosures: enclosuresOf(field(fields, 'enclosures', 'enclosure')),
    language: textOf(field(fields, 'lang', 'language', 'locale')),
    mail: mailOf(fields.get('mail')),
    mailAt: writtenDate(field(fields, 'mailat')),
    isPage: /^(page|section)s?$/i.test(textOf(field(fields, 'layout', 'type')) ?? ''),
    excerptSeparator: separatorOf(field(fields, 'excerptseparator')),
  })
}

export function fieldsOfInput(input: PostInput): PostFields {
  return compact({
    id: textOf(input.id),
    title: textOf(input.title),
    date: textOf(input.published),
    updated: textOf(input.updated),
    categories: namesOf(input.categories, splitCommas),
    tags: namesOf(input.tags, splitCommas),
    authors: namesOf(input.authors, asOne).map(withoutAddress).filter(Boolean),
    hidden: input.draft === true ? 'draft: true' : undefined,
    slug: textOf(input.slug),
    permalink: textOf(input.url),
    canonicalUrl: textOf(input.url),
    summary: textOf(input.summary),
    image: imageValue(input.image),
    enclosures: enclosuresOf(input.enclosures),
    language: textOf(input.language),
    mail: input.mail,
    mailAt: textOf(input.mailAt),
    isPage: false,
    excerptSeparator: undefined,
  })
}

type Loose = { [K in keyof PostFields]: PostFields[K] | undefined }

/** Without the members that are `undefined`. */
function compact(
  fields: Loose & Pick<PostFields, 'categories' | 'tags' | 'authors' | 'enclosures' | 'isPage'>,
): PostFields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as unknown as PostFields
}

/** Anything that was given stays given, so that what is no text is refused and not overlooked. */
function writtenDate(value: unknown): string | undefined {
  return value === undefined ? undefined : (textOf(value) ?? JSON.stringify(value).slice(0, 60))
}

/** Hugo shows a post from `publishDate` on, whatever its `date`. Texts of one form compare alike. */
function later(date: unknown, publishDate: unknown): unknown {
  if (typeof date !== 'string' || typeof publishDate !== 'string') return date ?? publishDate
  return publishDate.trim() > date.trim() ? publishDate : date
}

function hiddenReason(fields: Fields, shown: boolean | undefined): string | undefined {
  if (shown === false) return 'published: false'
  for (const key of ['draft', 'hidden', 'unlisted', 'private', 'headless']) {
    if (truthOf(fields.get(key)) === true) return `${key}: true`
  }
  if (truthOf(fields.get('render')) === false) return 'render: false'
  for (const key of ['status', 'visibility']) {
    const word = textOf(fields.get(key))?.toLowerCase()
    if (word !== undefined && /^(draft|hidden|private|unlisted|pending|trash)$/.test(word)) {
      return `${key}: ${word}`
    }
  }
  return undefined
}

function authorsOf(fields: Fields): string[] {
  const names = [
    ...namesOf(field(fields, 'authors', 'taxonomies.authors'), splitCommas),
    ...namesOf(field(fields, 'author'), asOne),
  ]
  return [...new Set(names.map(withoutAddress))].filter(Boolean).slice(0, 50)
}

/** `Name <address>` and `address (Name)` are the name; an address alone is nobody's name. */
function withoutAddress(author: string): string {
  return author
    .slice(0, 200)
    .replace(/\p{Surrogate}/gu, '')
    .replace(/^[^\s<>()]{1,100}@[^\s<>()]{1,100} \(([^()]*)\)$/, '$1')
    .replace(/<[^<>]*>/g, '')
    .replace(/[^\s<>()@]{1,100}@[^\s<>()@]{1,100}/g, '')
    .trim()
}

function imageOf(fields: Fields): PostImage | undefined {
  const value = field(
    fields,
    ...['image', 'cover.image', 'cover', 'header.image', 'header.teaser', 'header.ogimage'],
    ...['featuredimage', 'featureimage', 'thumbnail', 'banner', 'ogimage', 'socialimage'],
    ...['extra.image', 'extra.cover', 'params.image', 'images'],
  )
  const image = imageValue(Array.isArray(value) ? value[0] : value)
  const alt = textOf(field(fields, 'imagealt', 'cover.alt'))
  return image && alt !== undefined && image.alt === undefined ? { ...image, alt } : image
}

function imageValue(value: unknown): PostImage | undefined {
  if (!isMapping(value)) {
    const url = textOf(value)
    return url === undefined ? undefined : { url }
  }
  const url = textOf(value.url ?? value.path ?? value.src ?? value.image)
  if (url === undefined) return undefined
  const image: PostImage = { url }
  const alt = textOf(value.alt)
  const width = Number(value.width)
  const height = Number(value.height)
  if (alt !== undefined) image.alt = alt
  if (Number.isInteger(width) && width > 0) image.width = width
  if (Number.isInteger(height) && height > 0) image.height = height
  return image
}

const mediaTypes: Record<string, string> = {
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  webm: 'video/webm',
  pdf: 'application/pdf',
  epub: 'application/epub+zip',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
}

function enclosuresOf(value: unknown): Enclosure[] {
  const list = Array.isArray(value) ? value.slice(0, 20) : value === undefined ? [] : [value]
  return list.flatMap((item: unknown) => {
    const url = textOf(isMapping(item) ? (item.url ?? item.href) : item)
    if (url === undefined) return []
    const given = isMapping(item) ? textOf(item.type ?? item.mimetype) : undefined
    const length = isMapping(item) ? Number(item.length ?? item.size ?? 0) : 0
    const extension = /\.([a-z0-9]{2,5})(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase() ?? ''
    return {
      url,
      type:
        given !== undefined && /^[\w.+-]+\/[\w.+-]+$/.test(given)
          ? given
          : (mediaTypes[extension] ?? 'application/octet-stream'),
      length: Number.isSafeInteger(length) && length > 0 ? length : 0,
    }
  })
}

function mailOf(value: unknown): MailMode | undefined {
  if (value === null || value === undefined || value === '' || truthOf(value) === true)
    return undefined
  if (truthOf(value) === false) return 'none'
  const word = textOf(value)?.toLowerCase()
  if (word === 'digest' || word === 'letter' || word === 'none') return word
  throw invalid(
    'post.mail',
    `\`mail: ${word?.slice(0, 60) ?? '…'}\` is not known. Use \`digest\`, \`letter\` or \`none\`, or leave it out.`,
  )
}

function separatorOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= 200 ? value : undefined
}
