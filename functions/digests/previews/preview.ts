import { invalid } from '../../errors.ts'
import type { Platform } from '../../platform.ts'
import type { Audience } from '../runs/audience.ts'
import type { PreviewedMail, TestEnvelope } from './preview-message.ts'

/** What a reader may have chosen. */
export interface DigestChoices {
  /** Slugs; none means everything. */
  categories?: string[] | undefined
  cadence?: string | undefined
  locale?: string | undefined
}

/** What is to be shown: a digest as of an instant, or a post as a letter. */
export interface PreviewRequest extends DigestChoices {
  /** RFC 3339: the instant of which it shows the digest. @default now */
  at?: string | undefined
  /** Shows this post as a letter instead. */
  post?: string | undefined
}

export interface Preview extends PreviewedMail {
  /** Whom it would go to. */
  audience: Audience
  posts: number
  /** Nothing is new at that instant: the newest posts stand in. */
  isSample: boolean
}

/**
 * A mail as it would go out, or with `test` the test mail of it. Changes nothing and sends nothing.
 *
 * @throws `preview.post` for choices beside a post; what `previewDigest` and `previewLetter` throw.
 */
export async function preview(
  platform: Pick<Platform, 'records' | 'objects' | 'settings' | 'secrets' | 'now'>,
  { at, post, ...choices }: PreviewRequest,
  test?: TestEnvelope,
): Promise<Preview> {
  if (post !== undefined) {
    if (choices.categories ?? choices.cadence ?? at) throw onlyOfDigests()
    const { previewLetter } = await import('./preview-letter.ts')
    return previewLetter(platform, { postId: post, locale: choices.locale, test })
  }
  // Templates and mail come along with the first preview, not with the server.
  const { previewDigest } = await import('./preview-digest.ts')
  return previewDigest(platform, {
    ...choices,
    ...(at === undefined ? {} : { at: new Date(at) }),
    test,
  })
}

function onlyOfDigests() {
  return invalid(
    'preview.post',
    '`post` shows one post as a letter: leave `categories`, `cadence` and `at` out.',
  )
}
