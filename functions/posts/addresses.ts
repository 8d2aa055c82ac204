import { recordKeys, urlPaths } from '../keys.ts'
import type { Platform, StoredRecord } from '../platform.ts'
import type { Settings } from '../settings/settings.ts'
import { getPost, type Post } from './post.ts'
import type { StoredPost } from './stored-post.ts'

/** A post's page, absolute. */
export function postUrl(settings: Pick<Settings, 'site'>, slug: string): string {
  return settings.site.baseUrl + urlPaths.post(slug)
}

/** What a slug's record holds. */
interface SlugTarget {
  postId: string
}

/**
 * The post that has or had a slug, whatever its state: a withdrawn one answers 410. `undefined` for
 * a slug that no post asked for.
 */
export async function findPostBySlug(
  { records }: Pick<Platform, 'records'>,
  slug: string,
): Promise<Post | undefined> {
  if (slug === '' || Buffer.byteLength(slug) > 900) return undefined
  const target = await records.get<SlugTarget>(recordKeys.slug(slug))
  return target && (await getPost({ records }, target.value.postId))?.value
}

/**
 * Makes a slug lead to the post for good and gives it back; when it leads to another post,
 * `<slug>-<id>` instead. Repeatable: the same post gets the same slug again.
 */
export async function claimAddress(
  { records }: Pick<Platform, 'records'>,
  postId: string,
  wanted: string,
): Promise<string> {
  for (let tries = 0; ; tries++) {
    const slug = tries === 0 ? wanted : `${wanted}-${postId}${tries === 1 ? '' : `-${tries}`}`
    for (;;) {
      const record = { ...recordKeys.slug(slug), value: { postId } satisfies SlugTarget }
      const outcome = await records.put(record, { ifAbsent: true })
      if (outcome.status === 'stored') return slug
      const holder: StoredRecord<SlugTarget> | undefined = await records.get(record)
      if (!holder) continue
      if (holder.value.postId === postId) {
        // Written anew, as somebody may be about to release it (`releaseAddress`).
        const renewed = await records.put(record, { ifVersion: holder.version })
        if (renewed.status === 'stored') return slug
        continue
      }
      // The holder may have been given up before it was finished: then nothing was ever shown there.
      if (await records.get(recordKeys.post(holder.value.postId))) break
      const taken = await records.put(record, { ifVersion: holder.version })
      if (taken.status === 'stored') return slug
    }
  }
}

/**
 * Gives an address back that nobody has seen and that the post no longer has. Another post's stays,
 * and so does one that the post has come back to meanwhile: it was then claimed after its record was
 * written, so at another version.
 */
export async function releaseAddress(
  { records }: Pick<Platform, 'records'>,
  postId: string,
  slug: string,
): Promise<void> {
  const holder = await records.get<SlugTarget>(recordKeys.slug(slug))
  if (holder?.value.postId !== postId) return
  const post = await records.get<StoredPost>(recordKeys.post(postId))
  if (post && [post.value.slug, post.value.wantedSlug].includes(slug)) return
  await records.delete(recordKeys.slug(slug), { ifVersion: holder.version })
}
