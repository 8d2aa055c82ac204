import type { Context } from 'hono'
import * as v from 'valibot'
import { type ApiRoute, apiRoute, pageQuery, problemSchema, queryOf } from '../api/api.ts'
import { invalid, notFound, ServiceError } from '../errors.ts'
import { everything } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { postUrl } from './addresses.ts'
import { getCategory, listCategories } from './categories.ts'
import { newestPosts } from './date-index.ts'
import { answerOnce, type KeptAnswer } from './idempotency.ts'
import { pathFault } from './import-line.ts'
import { importRoute } from './import-route.ts'
import { getPost } from './post.ts'
import {
  type ChangeAnswer,
  changeSchema,
  etagOf,
  feedLinksOf,
  namesEtag,
  postAnswer,
  postSchema,
} from './post-answer.ts'
import { getPostBody } from './post-body.ts'
import type { PublishOutcome } from './publish-outcome.ts'
import { contentTypes } from './source/content-type.ts'
import type { PostSource } from './source/parse-post.ts'
import { postInput } from './source/post-input.ts'

const publishQuery = v.object({
  /** Of the file it comes from, below its root: one of its keys. */
  path: v.optional(v.string()),
  mail: v.optional(v.literal('again', 'can only be `again`')),
})
const listQuery = v.object({ ...pageQuery.entries, category: v.optional(v.string()) })

const body = {
  'text/markdown': 'text',
  'text/html': 'text',
  'application/json': postInput,
} as const
const change = { content: { 'application/json': changeSchema } }
const refusal = (description: string) => ({
  description,
  content: { 'application/problem+json': problemSchema },
})

const publish = apiRoute({
  method: 'post',
  path: '/api/v1/posts',
  summary: 'Publishes a post, or edits the one that its id, path or URL leads to',
  scope: 'posts:write',
  query: publishQuery,
  body,
  answers: {
    200: { description: 'Edited, or unchanged', ...change },
    201: { description: 'New', ...change },
    415: refusal('No media type of posts'),
    422: refusal('The post cannot be used'),
  },
  async handle(c, platform) {
    const { path, mail } = queryOf(c, publishQuery)
    const source = await sourceOf(c, path)
    const { publishPost } = await import('./publish.ts')
    const answer = await answerOnce(platform, c, source.bytes, async (receipt) => {
      const outcome = await publishPost(platform, source, {
        way: 'publish',
        mailAgain: mail === 'again',
        ...(receipt === undefined ? {} : { receipt }),
      })
      return changeAnswer(platform, outcome)
    })
    return respond(answer)
  },
})

const list = apiRoute({
  method: 'get',
  path: '/api/v1/posts',
  summary: 'Lists the visible posts, newest first, of a category or of everything',
  scope: 'posts:read',
  query: listQuery,
  answers: {
    200: {
      description: 'A page; without `cursor` it is the last',
      content: {
        'application/json': v.object({
          items: v.array(postSchema),
          cursor: v.optional(v.string()),
        }),
      },
    },
  },
  async handle(c, platform) {
    const { limit, cursor, category } = queryOf(c, listQuery)
    if (category !== undefined && !(await getCategory(platform, category))) {
      throw notFound(`The category \`${category.slice(0, 100)}\``)
    }
    const page = await newestPosts(platform, category ?? everything, {
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    })
    const items = page.posts.map((post) => postAnswer(platform.settings, post))
    if (page.cursor === undefined) return c.json({ items })
    const next = new URL(c.req.url)
    next.searchParams.set('cursor', page.cursor)
    c.header(
      'link',
      `<${platform.settings.site.baseUrl}${next.pathname}${next.search}>; rel="next"`,
    )
    return c.json({ items, cursor: page.cursor })
  },
})

const show = apiRoute({
  method: 'get',
  path: '/api/v1/posts/:id',
  summary: 'Shows a post with its content',
  scope: 'posts:read',
  answers: {
    200: { description: 'The post', content: { 'application/json': postSchema } },
    304: { description: 'As named by If-None-Match' },
    404: refusal('No such post'),
    410: refusal('Withdrawn'),
  },
  async handle(c, platform) {
    const id = idOf(c)
    const post = (await getPost(platform, id))?.value
    if (!post) throw notFound(`The post \`${id}\``)
    if (post.state === 'withdrawn') {
      throw new ServiceError(
        410,
        'post.withdrawn',
        `The post \`${id}\` was withdrawn on ${(post.withdrawnAt ?? post.updated).slice(0, 10)}. Publish it again to bring it back.`,
      )
    }
    const etag = etagOf(platform.settings, post)
    c.header('etag', etag)
    c.header('cache-control', 'private, no-cache')
    if (namesEtag(c.req.header('if-none-match') ?? '', etag)) return c.body(null, 304)
    return c.json(postAnswer(platform.settings, post, await getPostBody(platform, post)))
  },
})

const edit = apiRoute({
  method: 'put',
  path: '/api/v1/posts/:id',
  summary: 'Replaces a post; with If-Match only if nobody changed it meanwhile',
  scope: 'posts:write',
  query: publishQuery,
  body,
  answers: {
    200: { description: 'Edited, or unchanged', ...change },
    404: refusal('No such post'),
    412: refusal('Changed meanwhile'),
    422: refusal('The post cannot be used'),
  },
  async handle(c, platform) {
    const { path, mail } = queryOf(c, publishQuery)
    const source = await sourceOf(c, path)
    const as = { id: idOf(c), isExpected: expectation(c, platform) }
    const mailAgain = mail === 'again'
    const { publishPost } = await import('./publish.ts')
    const answer = await answerOnce(platform, c, source.bytes, async (receipt) => {
      const outcome = await publishPost(platform, source, {
        way: 'publish',
        mailAgain,
        as,
        ...(receipt === undefined ? {} : { receipt }),
      })
      return changeAnswer(platform, outcome)
    })
    return respond(answer)
  },
})

const withdraw = apiRoute({
  method: 'delete',
  path: '/api/v1/posts/:id',
  summary: 'Takes a post back: out of feeds, pages and digests to come',
  scope: 'posts:write',
  answers: {
    200: { description: 'Withdrawn', ...change },
    404: refusal('No such post'),
    412: refusal('Changed meanwhile'),
  },
  async handle(c, platform) {
    const { withdrawPost } = await import('./withdraw.ts')
    const { post, jobIds } = await withdrawPost(platform, idOf(c), {
      isExpected: expectation(c, platform),
    })
    await platform.settled(jobIds)
    const { id, slug, categories } = post
    const url = postUrl(platform.settings, slug)
    const answer: ChangeAnswer = {
      id,
      url,
      outcome: 'withdrawn',
      categories,
      feeds: [],
      mailed: false,
    }
    return c.json(answer)
  },
})

const categories = apiRoute({
  method: 'get',
  path: '/api/v1/categories',
  summary: 'Lists the categories with their visible posts counted',
  scope: 'posts:read',
  answers: {
    200: {
      description: 'All of them',
      content: {
        'application/json': v.object({
          items: v.array(v.object({ slug: v.string(), title: v.string(), posts: v.number() })),
        }),
      },
    },
  },
  async handle(c, platform) {
    const all = await listCategories(platform)
    return c.json({ items: all.map(({ slug, title, posts }) => ({ slug, title, posts })) })
  },
})

/**
 * The posts' part of the API. What reads and writes posts is loaded with the first of them: most
 * requests that start a function are a form's, and they need no Markdown.
 */
export const postRoutes: readonly ApiRoute[] = [
  publish,
  list,
  show,
  edit,
  withdraw,
  categories,
  importRoute,
]

async function sourceOf(c: Context, path: string | undefined): Promise<PostSource> {
  const [type = '', ...parameters] = (c.req.header('content-type') ?? '').toLowerCase().split(';')
  const contentType = contentTypes.find((known) => known === type.trim())
  const charset = parameters.map((text) => /^\s*charset\s*=\s*"?([^"]*)"?\s*$/.exec(text)?.[1])[0]
  if (!contentType || (charset && !['utf-8', 'utf8', 'us-ascii'].includes(charset))) {
    throw new ServiceError(
      415,
      'media-type',
      `A post is sent as ${contentTypes.map((known) => `\`${known}\``).join(', ')}, in UTF-8.`,
    )
  }
  const fault = path === undefined ? undefined : pathFault(path)
  if (fault)
    throw invalid('post.path', `The path ${fault}. Give the path below the folder of posts.`)
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  return { bytes, contentType, ...(path === undefined ? {} : { path }) }
}

/** The id in the path; one that cannot be ours does not exist. */
function idOf(c: Context): string {
  const id = c.req.param('id') ?? ''
  if (!/^[\w.-]{1,64}$/.test(id)) throw notFound('The post')
  return id
}

function expectation(c: Context, { settings }: Pick<Platform, 'settings'>) {
  const header = c.req.header('if-match')
  return (post: Parameters<typeof etagOf>[1]) =>
    header === undefined || namesEtag(header, etagOf(settings, post))
}

/** Answers once the feeds and pages that it changes are written, where that happens in this process. */
async function changeAnswer(platform: Platform, outcome: PublishOutcome): Promise<KeptAnswer> {
  if (outcome.status === 'refused' || outcome.status === 'ignored') {
    throw 'error' in outcome ? outcome.error : invalid(outcome.code, outcome.reason)
  }
  const { settings } = platform
  const { post, status, feeds, mailed, letter, reason, isNew, jobIds } = outcome
  await platform.settled(jobIds)
  const url = postUrl(settings, post.slug)
  const answer: ChangeAnswer = {
    id: post.id,
    url,
    outcome: status,
    categories: post.categories,
    feeds: feedLinksOf(settings, feeds),
    mailed,
    ...(letter === undefined ? {} : { letter }),
    ...(reason === undefined ? {} : { reason }),
    ...(post.state === 'scheduled' ? { scheduledFor: post.published } : {}),
  }
  const headers: Record<string, string> = { etag: etagOf(settings, post) }
  if (isNew) headers.location = `${settings.site.baseUrl}/api/v1/posts/${post.id}`
  return { status: isNew ? 201 : 200, body: JSON.stringify(answer), headers }
}

function respond({ status, body, headers }: KeptAnswer): Response {
  return new Response(body, {
    status,
    headers: { ...headers, 'content-type': 'application/json', 'cache-control': 'no-store' },
  })
}
