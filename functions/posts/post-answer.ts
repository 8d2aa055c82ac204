import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { everything, type FeedAnswer, feedAnswer, urlPaths } from '../keys.ts'
import type { Settings } from '../settings/settings.ts'
import { postUrl } from './addresses.ts'
import { withOwnAddresses } from './own-address.ts'
import { mailModes, type Post, type PostBody } from './post.ts'

const address = v.string()

/** The addresses of one feed. */
export const feedLinks = v.object({
  category: v.optional(v.string()),
  ...({ rss: address, atom: address, json: address } satisfies Record<FeedAnswer, unknown>),
})

/** What a change of a post is answered with. */
export const changeSchema = v.object({
  id: v.string(),
  url: v.string(),
  outcome: v.picklist(['published', 'updated', 'unchanged', 'hidden', 'withdrawn']),
  categories: v.array(v.string()),
  feeds: v.array(feedLinks),
  mailed: v.boolean(),
  reason: v.optional(v.string()),
  scheduledFor: v.optional(
    v.pipe(v.string(), v.description('When it comes out, of a post dated in the future.')),
  ),
  letter: v.optional(
    v.pipe(
      v.object({
        runId: v.string(),
        at: v.optional(v.pipe(v.string(), v.description('When it goes; without it, at once.'))),
        approveBy: v.optional(
          v.pipe(v.string(), v.description('It goes only if its run is approved, until then.')),
        ),
      }),
      v.description('How it is mailed, where it is mailed as a letter.'),
    ),
  ),
})
export type ChangeAnswer = v.InferOutput<typeof changeSchema>

/** A post as the API shows it; `content` only where one post is asked for. */
export const postSchema = v.object({
  id: v.string(),
  url: v.string(),
  entryId: v.string(),
  slug: v.string(),
  state: v.picklist(['visible', 'scheduled', 'hidden', 'withdrawn']),
  title: v.string(),
  published: v.string(),
  updated: v.string(),
  categories: v.array(v.string()),
  tags: v.array(v.string()),
  authors: v.array(v.string()),
  language: v.optional(v.string()),
  summary: v.string(),
  image: v.optional(
    v.object({
      url: v.string(),
      alt: v.optional(v.string()),
      width: v.optional(v.number()),
      height: v.optional(v.number()),
    }),
  ),
  enclosures: v.array(v.object({ url: v.string(), type: v.string(), length: v.number() })),
  canonicalUrl: v.optional(v.string()),
  mail: v.optional(v.picklist(mailModes)),
  mailAt: v.optional(v.string()),
  mailed: v.boolean(),
  reason: v.optional(v.string()),
  path: v.optional(v.string()),
  contentType: v.optional(v.string()),
  content: v.optional(v.string()),
})
export type PostAnswer = v.InferOutput<typeof postSchema>

/** A post as the API shows it, with its safe HTML when its body is given. */
export function postAnswer(settings: Settings, post: Post, body?: PostBody): PostAnswer {
  const reason = post.hiddenReason ?? post.notMailedReason
  const { image, enclosures } = withOwnAddresses(post, settings)
  return {
    id: post.id,
    url: postUrl(settings, post.slug),
    entryId: post.entryId,
    slug: post.slug,
    state: post.state,
    title: post.title,
    published: post.published,
    updated: post.updated,
    categories: post.categories,
    tags: post.tags,
    authors: post.authors,
    ...(post.language === undefined ? {} : { language: post.language }),
    summary: post.summary,
    ...(image === undefined ? {} : { image }),
    enclosures,
    ...(post.canonicalUrl === undefined ? {} : { canonicalUrl: post.canonicalUrl }),
    ...(post.mail === undefined ? {} : { mail: post.mail }),
    ...(post.mailAt === undefined ? {} : { mailAt: post.mailAt }),
    mailed: post.mailed,
    ...(reason === undefined ? {} : { reason }),
    ...(post.path === undefined ? {} : { path: post.path }),
    ...(body === undefined ? {} : { contentType: 'text/html', content: body.html }),
  }
}

/** The addresses of the feeds a post is in; the one without `category` is everything's. */
export function feedLinksOf(settings: Settings, feeds: readonly string[]): ChangeAnswer['feeds'] {
  const { baseUrl } = settings.site
  return feeds.map((feed) => ({
    ...(feed === everything ? {} : { category: feed }),
    ...feedAnswer((document) => baseUrl + urlPaths.feed(feed, document)),
  }))
}

/** The strong ETag of a post's representation: what counts in it, whoever wrote the record last. */
export function etagOf(settings: Settings, post: Post): string {
  const seen = JSON.stringify([postAnswer(settings, post), post.revision, post.sourceHash])
  return `"${createHash('sha256').update(seen).digest('base64url').slice(0, 22)}"`
}

/** Whether an `If-Match` or `If-None-Match` names the ETag; a proxy that compresses may have weakened it. */
export function namesEtag(header: string, etag: string): boolean {
  return header
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
    .some((tag) => tag === '*' || tag === etag)
}
