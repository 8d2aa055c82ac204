import { type FeedbackKind, noteFeedback } from '../digests/feedback/note-feedback.ts'
import type { AwsPlatform } from './platform.ts'
import type { SesEvent } from './ses-event.ts'

/**
 * Records one event. Repeatable, in any order. SES names the delivery by the tag that our mailer gave
 * it, so it is believed as it stands.
 */
export async function noteSesEvent(
  platform: Pick<AwsPlatform, 'records' | 'now' | 'settings' | 'log'>,
  { kind, deliveryId }: SesEvent,
): Promise<void> {
  const outcome =
    deliveryId === undefined
      ? 'unknown'
      : await noteFeedback(platform, { kind: meaningOf(kind), deliveryId })
  if (outcome === 'unknown') platform.log.info('feedback.other', { kind })
}

function meaningOf(kind: SesEvent['kind']): FeedbackKind {
  switch (kind) {
    case 'send':
    case 'delay':
    // SES rejects what it had accepted and found a virus in.
    case 'reject':
      return 'accepted'
    case 'delivery':
      return 'delivered'
    default:
      return kind
  }
}
