import type { Settings } from '../settings/settings.ts'
import type { Post } from './post.ts'

/**
 * Stands for the site's own address in what is stored of a post. Posts outlive addresses: a link
 * made absolute when the post came in would lead to the old address for ever, and the same source
 * would be another revision at the new one. No author's link leads to such a host (RFC 2606 §2).
 */
export const ownOrigin = 'https://this-site.invalid'

type Site = { site: Pick<Settings['site'], 'baseUrl'> }

/** Stored HTML, text or an address, with the site's address as it is now. */
export function withOwnAddress(stored: string, { site }: Site): string {
  // Every address that was resolved against it has a path.
  return stored.replaceAll(`${ownOrigin}/`, `${site.baseUrl}/`)
}

/** The post with every address in its record absolute: for whatever shows it, not for storing. */
export function withOwnAddresses<P extends Pick<Post, 'image' | 'enclosures'>>(
  post: P,
  settings: Site,
): P {
  const { image, enclosures } = post
  const isOwn = ({ url }: { url: string }) => url.startsWith(`${ownOrigin}/`)
  if (!(image && isOwn(image)) && !enclosures.some(isOwn)) return post
  const absolute = <T extends { url: string }>(part: T): T => ({
    ...part,
    url: withOwnAddress(part.url, settings),
  })
  return {
    ...post,
    ...(image && { image: absolute(image) }),
    enclosures: enclosures.map(absolute),
  }
}
