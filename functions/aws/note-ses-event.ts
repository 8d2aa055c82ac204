import { noteAccepted, readDeliveryId } from '../digests/evidence.ts'
import { readConfirmationId } from '../subscribers/confirmation-id.ts'
import { noteBounce, suppress } from '../subscribers/suppression.ts'
import type { AwsPlatform } from './platform.ts'
import type { SesEvent } from './ses-event.ts'

/** Records one event: proof first, then what it means for the address. Repeatable, in any order. */
export async function noteSesEvent(
  platform: Pick<AwsPlatform, 'records' | 'now' | 'settings' | 'log'>,
  { kind, deliveryId }: SesEvent,
): Promise<void> {
  const subscriberId =
    deliveryId === undefined
      ? undefined
      : (readDeliveryId(deliveryId)?.subscriberId ?? readConfirmationId(deliveryId))
  if (deliveryId === undefined || subscriberId === undefined) {
    platform.log.info('feedback.other', { kind })
    return
  }
  // SES rejects after it accepted, and bounces only what it had taken: each is proof of acceptance.
  await noteAccepted(platform, deliveryId)
  if (kind === 'hard-bounce') await suppress(platform, subscriberId, 'hard-bounce')
  else if (kind === 'complaint') await suppress(platform, subscriberId, 'complaint')
  else if (kind === 'soft-bounce') {
    await noteBounce(platform, subscriberId, { delivery: deliveryId, what: 'soft' })
  }
}
