import { objectKeys } from '../keys.ts'
import type { Platform } from '../platform.ts'
import { withOwnAddress } from './own-address.ts'
import { getPost, type Post, type PostBody } from './post.ts'

/** Names one revision of a post's body. */
export type BodyOf = Pick<Post, 'id' | 'revision'>

/** Names the source that a post was last read from. */
type SourceOf = Pick<Post, 'id' | 'sourceHash' | 'sourceType'>

/**
 * The body of a post as it stands, or of exactly the revision named, with every address absolute.
 * `undefined` for a post that does not exist.
 */
export async function getPostBody(
  platform: Pick<Platform, 'objects' | 'records' | 'settings'>,
  post: string | BodyOf,
): Promise<PostBody | undefined> {
  const { records, settings } = platform
  const of = typeof post === 'string' ? (await getPost({ records }, post))?.value : post
  const stored = of && (await getStoredBody(platform, of))
  return (
    stored && {
      html: withOwnAddress(stored.html, settings),
      text: withOwnAddress(stored.text, settings),
    }
  )
}

/**
 * A revision's body as it is stored, with `ownOrigin` for the site's address. Bodies are never
 * rewritten (an edit stores another object beside), so two writers cannot leave one's words under
 * the other's title.
 */
export async function getStoredBody(
  { objects }: Pick<Platform, 'objects'>,
  { id, revision }: BodyOf,
): Promise<PostBody | undefined> {
  const stored = await objects.get(objectKeys.postBody(id, revision))
  return stored && (JSON.parse(new TextDecoder().decode(stored.body)) as PostBody)
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

/** Where the publisher's bytes lie: with an ending, so that they can be opened there. */
export function sourceKey({ id, sourceHash, sourceType }: SourceOf): string {
  const ending = sourceType === 'text/html' ? 'html' : sourceType.endsWith('json') ? 'json' : 'md'
  return objectKeys.postSource(id, sourceHash, ending)
}
