import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { getPost, type Post, type PostBody } from './post.ts'

/** Names one revision of a post's body. */
export type BodyOf = Pick<Post, 'id' | 'revision'>

/** Names the source that a post was last read from. */
export type SourceOf = Pick<Post, 'id' | 'sourceHash' | 'sourceType'>

/**
 * The body of a post as it stands, or of exactly the revision named. Bodies are never rewritten (an
 * edit stores another object beside), so two writers cannot leave one's words under the other's
 * title. `undefined` for a post that does not exist.
 */
export async function getPostBody(
  { objects, records }: Pick<Platform, 'objects' | 'records'>,
  post: string | BodyOf,
): Promise<PostBody | undefined> {
  const of = typeof post === 'string' ? (await getPost({ records }, post))?.value : post
  if (!of) return undefined
  const stored = await objects.get(objectKeys.postBody(of.id, of.revision))
  return stored && (JSON.parse(new TextDecoder().decode(stored.body)) as PostBody)
}

/** The publisher's bytes as they last came in, or `undefined`. */
export async function getPostSource(
  { objects }: Pick<Platform, 'objects'>,
  post: SourceOf,
): Promise<{ bytes: Uint8Array; contentType: string } | undefined> {
  const stored = await objects.get(sourceKey(post))
  return stored && { bytes: stored.body, contentType: stored.contentType }
}

/**
 * Stores source and body, before anything that leads to them. Older revisions stay: they are the
 * publisher's archive, and whoever read an older record still finds its body. Repeatable.
 */
export async function storePostObjects(
  { objects }: Pick<Platform, 'objects'>,
  post: BodyOf & SourceOf,
  parts: { source: Uint8Array; body: PostBody },
): Promise<void> {
  await Promise.all([
    objects.put(sourceKey(post), parts.source, {
      contentType: post.sourceType,
    }),
    objects.put(
      objectKeys.postBody(post.id, post.revision),
      new TextEncoder().encode(JSON.stringify(parts.body)),
      { contentType: 'application/json' },
    ),
  ])
}

/** With an ending, so that the publisher can open it where it lies. */
function sourceKey({ id, sourceHash, sourceType }: SourceOf): string {
  const ending = sourceType === 'text/html' ? 'html' : sourceType.endsWith('json') ? 'json' : 'md'
  return objectKeys.postSource(id, sourceHash, ending)
}
