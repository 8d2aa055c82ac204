import type { ErrorCode } from '../../error-codes.ts'
import { invalid, tooLarge } from '../../errors.ts'
import { hiddenPatterns, type Settings } from '../../settings/settings.ts'
import { type Content, type ContentOptions, readContent } from '../content/content.ts'
import { joinTexts } from '../content/joint.ts'
import { renderMarkdown } from '../content/markdown.ts'
import { cutText, summarise } from '../content/summary.ts'
import { resolveUrl } from '../content/urls.ts'
import type { Identity } from '../identity.ts'
import { ownOrigin } from '../own-address.ts'
import type { Enclosure, MailMode, PostBody, PostImage } from '../post.ts'
import { slugify } from '../slug.ts'
import type { ContentType } from './content-type.ts'
import { datePost, mailTimeOf } from './date-post.ts'
import { decodeText } from './decode.ts'
import { type Dialect, readFrontMatter } from './front-matter.ts'
import { guessLanguage, readLanguage } from './language.ts'
import { mostPostBytes } from './most-post-bytes.ts'
import { whyNoPost } from './no-post.ts'
import { canonicalOf, identitiesOf, pageUrl, permalinkOf, slugOf } from './post-address.ts'
import { fieldsOfFrontMatter, fieldsOfInput, type PostFields } from './post-fields.ts'
import { readPostInput } from './post-input.ts'
import { prepareBody } from './prepare-body.ts'
import { describePath, type SourcePath } from './source-path.ts'

export interface PostSource {
  bytes: Uint8Array
  contentType: ContentType
  /** Below the root, `/`-separated. */
  path?: string
}

export interface ParseContext {
  settings: Settings
  /** The instant of receipt. */
  now: Date
  way: 'publish' | 'import'
  /** The address that was found for the post, where it differs from the one it asks for. */
  slug?: string
}

/** What the source says, before anything of the store is known. */
export interface ParsedPost {
  title: string
  /** RFC 3339, UTC, whole seconds. */
  published: string
  /** Not before `published`. */
  updated?: string
  /** Names as written, each once. */
  categories: string[]
  tags: string[]
  authors: string[]
  language?: string
  summary: string
  image?: PostImage
  enclosures: Enclosure[]
  canonicalUrl?: string
  mail?: MailMode
  /** When its letter is to go: RFC 3339, UTC, whole seconds. */
  mailAt?: string
  /** The author's, or from permalink or file name, else from the title. Never empty. */
  slug: string
  /** Why it is not to be seen. */
  hidden?: string
  /** In the order in which they are looked up. */
  identities: Identity[]
  body: PostBody
  datedBy: 'front matter' | 'file name' | 'path' | 'permalink' | 'receipt'
}

export type ParseOutcome =
  | { status: 'post'; post: ParsedPost }
  /** Not meant as a post, so nothing is wrong with it. */
  | { status: 'ignored'; code: ErrorCode; reason: string }

/**
 * Reading Markdown takes half a second a megabyte, and nine times that where it is made to be slow:
 * every other request waits meanwhile. Its HTML may not be longer than this, either.
 */
const markdownLimit = 2_000_000

/**
 * Reads one post from its bytes. Pure: the same source, settings and instant give the same post.
 * What is refused is thrown as `ServiceError`: `too-large`, `post.encoding`, `post.front-matter`,
 * `post.input`, `post.date`, `post.date-missing`, `post.title`, `post.id`, `post.url`, `post.mail`,
 * `post.mail-at`, `post.categories`, `post.tags`, `post.nesting`.
 */
export function parsePost(source: PostSource, context: ParseContext): ParseOutcome {
  if (source.bytes.byteLength > mostPostBytes) throw tooLarge('The post', '5 MB')
  const place = source.path === undefined ? undefined : describePath(source.path)
  const { dialect, fields, body, markup } = readSource(source)
  const isJson = source.contentType === 'application/json'
  const isBare = dialect === 'none' && !isJson
  checkBounds(fields)
  const noPost = whyNoPost({ place, isJson, isBare, fields, body, way: context.way })
  if (noPost) return { status: 'ignored', ...noPost }
  const hidden = fields.hidden ?? (place?.inDrafts ? 'in _drafts' : undefined)
  const permalink = permalinkOf(fields)
  const dated = datePost({ fields, place, permalink, isHidden: hidden !== undefined }, context)
  if (!dated)
    return {
      status: 'ignored',
      code: 'undated-draft',
      reason: `It is hidden (${hidden}) and has no date.`,
    }

  const { settings } = context
  const mailAt = mailTimeOf(fields, settings)
  const canonicalUrl = canonicalOf(fields, source, settings)
  const written = prepareBody(body, {
    dialect,
    markup,
    fields,
    settings,
    extension: place?.extension,
  })
  const html = markup === 'html' ? written : renderMarkdown(bounded(written))
  const asked = slugOf(fields, permalink, place)
  const read = (slug: string, title: string | undefined) =>
    withPathsInWords(readContent(html, contentOptions(settings, slug, title, canonicalUrl)))
  let content = read(context.slug ?? (asked || 'post'), fields.title)
  // A file's name alone is no post to publish; as a draft it may grow into one.
  if (hidden === undefined && saysNothing(fields, content)) throw untitled()
  const title = fields.title ?? titleOf(content, place)
  const slug = asked || slugify(title) || 'post'
  // Only a post without any name of its own learns its address from its text.
  if (context.slug === undefined && asked === '' && slug !== 'post')
    content = read(slug, fields.title)
  const canonical = canonicalUrl ?? content.sourceLink
  const base = canonicalUrl ?? pageUrl(context.slug ?? slug)
  const image = imageOf(fields, content, base)
  const language = readLanguage(fields.language, settings) ?? guessLanguage(content.runs, settings)

  return {
    status: 'post',
    post: {
      title,
      published: dated.published,
      ...(dated.updated !== undefined && { updated: dated.updated }),
      categories: checkedNames(fields.categories, 'categories', 50),
      tags: checkedNames(fields.tags, 'tags', 100),
      authors: fields.authors,
      ...(language !== undefined && { language }),
      summary: summaryOf(fields, content, title),
      ...(image && { image }),
      enclosures: fields.enclosures.flatMap((enclosure) => {
        const url = resolveUrl(enclosure.url, base, 'image')
        return url === undefined ? [] : [{ ...enclosure, url }]
      }),
      ...(canonical !== undefined && { canonicalUrl: canonical }),
      ...(fields.mail !== undefined && { mail: fields.mail }),
      ...(mailAt !== undefined && { mailAt }),
      slug,
      ...(hidden !== undefined && { hidden }),
      identities: identitiesOf({ fields, permalink, place, settings }),
      body: { html: content.html, text: content.text },
      datedBy: dated.datedBy,
    },
  }
}

interface ReadSource {
  dialect: Dialect
  fields: PostFields
  body: string
  markup: 'markdown' | 'html'
}

function readSource(source: PostSource): ReadSource {
  const text = decodeText(source.bytes)
  if (source.contentType === 'application/json') {
    const input = readPostInput(text)
    const markup = input.contentType === 'text/html' ? 'html' : 'markdown'
    return {
      dialect: 'none',
      fields: fieldsOfInput(input),
      body: input.content.replace(/\r\n?/g, '\n'),
      markup,
    }
  }
  const front = readFrontMatter(text)
  return {
    dialect: front.dialect,
    fields: fieldsOfFrontMatter(front),
    body: front.body,
    markup: source.contentType === 'text/html' ? 'html' : 'markdown',
  }
}

function contentOptions(
  settings: Settings,
  slug: string,
  title: string | undefined,
  canonicalUrl: string | undefined,
): ContentOptions {
  const page = pageUrl(slug)
  return {
    baseUrl: canonicalUrl ?? page,
    pageUrl: page,
    ...hiddenPatterns(settings),
    ...(title !== undefined && { title }),
    takesSourceLink: canonicalUrl === undefined,
  }
}

/** Title and summary are cut to a length, and no address is put into them later. */
function withPathsInWords(content: Content): Content {
  const { heading, runs } = content
  if (!`${heading}${runs.map(({ text }) => text)}`.includes(ownOrigin)) return content
  const shown = (text: string) => text.replaceAll(ownOrigin, '')
  return {
    ...content,
    runs: runs.map((run) => ({ ...run, text: shown(run.text) })),
    ...(heading !== undefined && { heading: shown(heading) }),
  }
}

/** The heading, the document's title, the file's name, or the first words. */
function titleOf(content: Content, place: SourcePath | undefined): string {
  const given = content.heading ?? content.documentTitle
  if (given !== undefined) return cutText(given, 200)
  const words = (place?.words ?? '').replace(/[-_\s]+/g, ' ').trim()
  // A number is how a program names files.
  if (/\p{L}/u.test(words)) return words.charAt(0).toUpperCase() + words.slice(1)
  const first = content.runs.find(({ kind }) => kind !== 'code') ?? content.runs[0]
  const alt = content.images.find((image) => image.alt)?.alt
  const text = first?.text ?? alt ?? words
  if (text === '') throw untitled()
  return cutText(text, 80)
}

/** Neither a title of its own nor anything to read, see or hear. */
function saysNothing(fields: PostFields, { heading, documentTitle, text, images }: Content) {
  if ((fields.title ?? heading ?? documentTitle ?? fields.summary) !== undefined) return false
  return text === '' && images.length === 0 && !fields.image && fields.enclosures.length === 0
}

function untitled() {
  return invalid(
    'post.title',
    'The post has no title and no text to take one from. Give it a `title`.',
  )
}

function summaryOf(fields: PostFields, content: Content, title: string): string {
  if (fields.summary !== undefined) {
    const text = /[<>&*_`[\]\\]/.test(fields.summary)
      ? plainSummary(fields.summary)
      : fields.summary
    if (text !== '') return cutText(text, 280)
  }
  return summarise(content, title)
}

function plainSummary(summary: string): string {
  const html = renderMarkdown(summary.slice(0, 20_000))
  const nowhere = 'https://invalid.invalid/'
  const { runs } = readContent(html, { baseUrl: nowhere, pageUrl: nowhere, title: '' })
  return joinTexts(runs.map(({ text }) => text))
}

/** Pixels. What is smaller is an icon, a badge or a line between sections and says nothing of the post. */
const leastWidth = 120
const leastHeight = 60

/** The author's, else the first of the text that is no icon or badge. */
function imageOf(fields: PostFields, content: Content, base: string): PostImage | undefined {
  if (fields.image) {
    const url = resolveUrl(fields.image.url, base, 'image')
    if (url !== undefined) return { ...fields.image, url }
  }
  return content.images.find(({ url, width = 1000, height = 1000 }) => {
    return (
      width >= leastWidth &&
      height >= leastHeight &&
      !/shields\.io\/|\/badges?[/.]|badge\.svg/.test(url)
    )
  })
}

function checkBounds({ title, id }: PostFields): void {
  if (title !== undefined && title.length > 2000) {
    throw invalid('post.title', 'The title is longer than 2,000 characters. Shorten it.')
  }
  if (id !== undefined && id.length > 500) {
    throw invalid('post.id', 'The id is longer than 500 characters. Shorten it.')
  }
}

function checkedNames(
  names: readonly string[],
  what: 'categories' | 'tags',
  most: number,
): string[] {
  const unique = [...new Set(names)]
  if (unique.length > most) {
    throw invalid(`post.${what}`, `The post has more than ${most} ${what}. Leave some out.`)
  }
  if (unique.some((name) => name.length > 200)) {
    throw invalid(`post.${what}`, `One of the ${what} is longer than 200 characters. Shorten it.`)
  }
  return unique
}

function bounded(text: string): string {
  if (text.length > markdownLimit) {
    throw tooLarge('The Markdown of the post', '2 million characters')
  }
  return text
}
