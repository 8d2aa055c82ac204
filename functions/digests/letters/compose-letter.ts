import { letterEmail } from '../../../templates/emails/letter-email.tsx'
import { linkPlaceholders } from '../../mail/message.ts'
import type { Platform } from '../../platform.ts'
import { getPostBody } from '../../posts/post-body.ts'
import type { DigestText } from '../editions/compose-digest.ts'
import { cardOf } from '../editions/edition.ts'
import type { ApprovedPost } from '../runs/run.ts'

/** A post as a letter: whole, links to preferences as placeholders. */
export async function writeLetter(
  platform: Pick<Platform, 'objects' | 'records' | 'settings'>,
  post: ApprovedPost,
  locale: string,
  titles: ReadonlyMap<string, string>,
): Promise<DigestText> {
  const { settings } = platform
  const body = await getPostBody(platform, post)
  if (!body) throw new Error(`the body of post ${post.id} is missing`)
  return letterEmail({
    settings,
    locale,
    post: { ...cardOf(post, settings), html: body.html, text: body.text },
    categoryTitles: post.categories.map((slug) => titles.get(slug) ?? slug),
    links: linkPlaceholders,
  })
}
