import { invalid } from '../../errors.ts'
import { urlPaths } from '../../keys.ts'
import type { Settings } from '../../settings/settings.ts'
import { resolveUrl, webAddress } from '../content/urls.ts'
import type { Identity } from '../identity.ts'
import { ownOrigin } from '../own-address.ts'
import { slugify, slugOfAddress } from '../slug.ts'
import type { PostSource } from './parse-post.ts'
import type { PostFields } from './post-fields.ts'
import type { SourcePath } from './source-path.ts'

/** Where a post with this slug stands with us, under `ownOrigin`. */
export const pageUrl = (slug: string) => `${ownOrigin}${urlPaths.post(slug)}`

/** Without Jekyll's styles (`pretty`) and templates (`/:year/:title`), which name no post. */
export function permalinkOf({ permalink }: PostFields): string | undefined {
  if (permalink === undefined || permalink.length > 2000) return undefined
  if (/(^|\/):[a-z_]+/i.test(permalink)) return undefined
  return /^(date|pretty|ordinal|weekdate|none)$/.test(permalink) ? undefined : permalink
}

/** The author's slug, else the permalink's last segment, else the file's name; empty when all are. */
export function slugOf(
  fields: PostFields,
  permalink: string | undefined,
  place: SourcePath | undefined,
): string {
  // An address with a query does not name the post by its path.
  const named = permalink === undefined || permalink.includes('?') ? '' : slugOfAddress(permalink)
  return slugOfAddress(fields.slug ?? '') || named || slugify(place?.words ?? '')
}

/** The post's home elsewhere, as the author names it. A JSON `url` that is none is refused. */
export function canonicalOf(
  fields: PostFields,
  source: PostSource,
  settings: Settings,
): string | undefined {
  const address = [fields.canonicalUrl, fields.permalink]
    .map((given) => (given === undefined ? undefined : webAddress(given)))
    .find((given) => given !== undefined)
  if (address === undefined && source.contentType === 'application/json' && fields.canonicalUrl) {
    throw invalid(
      'post.url',
      'The `url` is not an absolute http(s) address. Correct it or leave it out.',
    )
  }
  // Our own page is where a post without another home lives.
  return address?.startsWith(`${settings.site.baseUrl}/posts/`) ? undefined : address
}

/** Every way in which the source names the post, in the order in which they are looked up. */
export function identitiesOf(from: {
  fields: PostFields
  permalink: string | undefined
  place: SourcePath | undefined
  settings: Settings
}): Identity[] {
  const { fields, permalink, place, settings } = from
  const path = settings.content.identity === 'name' ? place?.name : place?.identity
  const url =
    permalink === undefined
      ? undefined
      : resolveUrl(permalink, `${settings.site.baseUrl}/`, 'image')
  const identities: Identity[] = []
  if (fields.id) identities.push({ kind: 'id', value: fields.id })
  if (path) identities.push({ kind: 'path', value: path })
  if (url !== undefined) identities.push({ kind: 'url', value: url })
  return identities
}
