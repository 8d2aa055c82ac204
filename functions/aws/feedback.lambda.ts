import { noteAccepted, readDeliveryId } from '../digests/evidence.ts'
import { noteBounce, suppress } from '../subscribers/suppression.ts'
import { platformFromEnvironment } from './environment.ts'
import { answerBatch, type SqsBatchAnswer, type SqsEvent } from './jobs.lambda.ts'
import type { AwsPlatform } from './platform.ts'
import { readSesEvent, type SesEvent } from './ses-event.ts'

/** What SES tells of mails that it took: topic → queue → here. Doubled and late events change nothing wrong. */
export async function handler(event: SqsEvent): Promise<SqsBatchAnswer> {
  const platform = await platformFromEnvironment()
  return answerBatch(platform, event, async (body) => {
    const told = readSesEvent(body)
    // Junk comes back until it lies in the dead letters, where a person sees it.
    if (!told) throw new Error('the message is no event of SES')
    await noteSesEvent(platform, told)
  })
}

/** Records one event: proof first, then what it means for the address. Repeatable. */
export async function noteSesEvent(
  platform: Pick<AwsPlatform, 'records' | 'now' | 'settings' | 'log'>,
  { kind, deliveryId }: SesEvent,
): Promise<void> {
  const name = deliveryId === undefined ? undefined : readDeliveryId(deliveryId)
  if (deliveryId === undefined || !name) {
    // Confirmations and tests carry ids of their own kind: nothing of a run to settle.
    platform.log.info('feedback.other', { kind })
    return
  }
  // SES rejects after it accepted, and bounces only what it had taken: each is proof of acceptance.
  await noteAccepted(platform, deliveryId)
  if (kind === 'hard-bounce') await suppress(platform, name.subscriberId, 'hard-bounce')
  else if (kind === 'complaint') await suppress(platform, name.subscriberId, 'complaint')
  else if (kind === 'soft-bounce') await noteBounce(platform, name.subscriberId, 'soft')
}
