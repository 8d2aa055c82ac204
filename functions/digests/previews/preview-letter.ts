import { notFound } from '../../errors.ts'
import type { Platform } from '../../platform.ts'
import { categoryTitles } from '../../posts/categories.ts'
import { getPost } from '../../posts/post.ts'
import { checkPreferences } from '../../subscribers/preferences.ts'
import { writeLetter } from '../letters/compose-letter.ts'
import type { Preview } from './preview.ts'
import { previewMessage, type TestEnvelope } from './preview-message.ts'

/**
 * A post as the letter that its readers would get, whether or not it is one, also while it is a draft
 * or dated in the future. Changes nothing. Its links lead nowhere.
 *
 * @throws 404 for a post that is not there or was withdrawn; `subscriber.locale`; what
 * `previewMessage` throws.
 */
export async function previewLetter(
  platform: Pick<Platform, 'records' | 'objects' | 'settings' | 'now'>,
  {
    postId,
    locale: wanted,
    test,
  }: {
    postId: string
    /** @default the site's */
    locale?: string | undefined
    test?: TestEnvelope | undefined
  },
): Promise<Preview> {
  const { settings } = platform
  const post = /^[\w.-]{1,64}$/.test(postId) ? (await getPost(platform, postId))?.value : undefined
  if (!post || post.state === 'withdrawn') throw notFound('A post of this id')
  const { locale } = checkPreferences(
    { locale: wanted, categories: [] },
    { settings, categories: [] },
  )
  const mail = await writeLetter(platform, post, locale, await categoryTitles(platform))
  const run = { id: 'preview', kind: 'letter' } as const
  const message = previewMessage(platform, { run, mail, date: platform.now(), test })
  return { ...message, audience: { letter: post.categories }, posts: 1, isSample: false }
}
