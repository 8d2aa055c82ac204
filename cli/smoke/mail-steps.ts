import { objectKeys, recordKeys, urlPaths } from '../../functions/keys.ts'
import { normaliseAddress, subscriberIdOf } from '../../functions/subscribers/address.ts'
import {
  type ConfirmationClaim,
  readConfirmation,
} from '../../functions/subscribers/confirmation-claim.ts'
import { getSubscriber } from '../../functions/subscribers/store.ts'
import { logsOf } from '../doctor/aws-service.ts'
import { remove } from './post-steps.ts'
import { atSite, type SmokeTest, StepFault, type StepOutcome, until } from './step.ts'

/**
 * What becomes of a mail to each address of SES's mailbox simulator, which takes labels, counts for
 * no reputation and answers in the sandbox, too.
 * https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
 */
const fates = ['success', 'bounce', 'complaint'] as const
type Fate = (typeof fates)[number]

const addressOf = ({ mark }: SmokeTest, fate: Fate) =>
  normaliseAddress(`${fate}+broadsheet-${mark}@simulator.amazonses.com`)
const readerOf = (test: SmokeTest, fate: Fate) =>
  subscriberIdOf(test.platform, addressOf(test, fate))

/**
 * Subscribes the simulator's addresses at the site, as a reader would, and waits until the deployed
 * jobs have sent each its confirmation.
 */
export async function confirmationsLeave(test: SmokeTest): Promise<StepOutcome> {
  for (const fate of fates) {
    const response = await atSite(test, urlPaths.subscribe, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ email: addressOf(test, fate) }),
    })
    await response.body?.cancel()
    if (response.ok) continue
    throw new StepFault(
      `Subscribing was answered with ${response.status}.`,
      logsOf(test.stack, 'Web'),
    )
  }
  let claims: (ConfirmationClaim | undefined)[] = []
  await until(
    test,
    async () => {
      claims = await claimsOf(test)
      return claims.every((claim) => claim?.state === 'sent') || undefined
    },
    {
      seconds: 180,
      every: 3,
      otherwise: () =>
        new StepFault(
          claims.some((claim) => claim?.state === 'deferred')
            ? 'SES puts the mails off: `confirmation.deferred` in the log of jobs.'
            : 'The mails did not leave within three minutes.',
          `${logsOf(test.stack, 'Jobs')} and npx broadsheet doctor --stack ${test.stack.name}`,
        ),
    },
  )
  return (await areKept(test))
    ? `${fates.length} mails, kept in the bucket under outbox/: no verified sender is set`
    : `${fates.length} mails, taken by SES`
}

/** SES's events come back and mean what they should: a bounce and a complaint end all mail to the address. */
export async function eventsComeBack(test: SmokeTest): Promise<StepOutcome> {
  if (await areKept(test)) return { skipped: 'nothing was sent by SES' }
  const wanted = { bounce: 'hard-bounce', complaint: 'complaint' } as const
  for (const [fate, reason] of Object.entries(wanted)) {
    const id = readerOf(test, fate as keyof typeof wanted)
    await until(
      test,
      async () => {
        const reader = (await getSubscriber(test.platform, id))?.value
        return (reader?.state === 'suppressed' && reader.reason === reason) || undefined
      },
      {
        seconds: 300,
        every: 5,
        otherwise: () =>
          new StepFault(
            `No ${fate} came back within five minutes.`,
            `${logsOf(test.stack, 'Feedback')} and the queue: npx broadsheet doctor --stack ${test.stack.name}`,
          ),
      },
    )
  }
  return (await isProven(test))
    ? 'bounce and complaint suppressed their addresses; a Send event proved the other mail'
    : 'bounce and complaint suppressed their addresses; no Send event came (sendEvents=false?)'
}

/** Forgets the simulator's addresses and what was kept of their mails. Repeatable. */
export async function forgetReaders(test: SmokeTest): Promise<StepOutcome> {
  const { records, objects } = test.platform
  for (const fate of fates) {
    const id = readerOf(test, fate)
    const claim = await readConfirmation(test.platform, id)
    await remove(test, `/api/v1/subscribers/${id}`)
    // The stub that stays of an erased reader keeps an import from reviving a person. This is none,
    // and each test would leave three more.
    await records.delete(recordKeys.subscriber(id))
    if (claim) await objects.delete(objectKeys.outbox(claim.deliveryId))
  }
  return 'the simulator’s addresses are erased'
}

function claimsOf(test: SmokeTest): Promise<(ConfirmationClaim | undefined)[]> {
  return Promise.all(fates.map((fate) => readConfirmation(test.platform, readerOf(test, fate))))
}

/** Whether a mail ended in the outbox of the bucket instead of at SES. */
async function areKept(test: SmokeTest): Promise<boolean> {
  const [claim] = await claimsOf(test)
  if (!claim) return false
  return (await test.platform.objects.get(objectKeys.outbox(claim.deliveryId))) !== undefined
}

/** A `Send` event is as quick as the others, but may be switched off: it is waited for a little. */
async function isProven(test: SmokeTest): Promise<boolean> {
  const claim = await readConfirmation(test.platform, readerOf(test, 'success'))
  if (!claim) return false
  const none = new StepFault('no Send event', '')
  try {
    return await until(
      test,
      async () =>
        (await test.platform.mailer.evidence(claim.deliveryId)) === 'accepted' || undefined,
      { seconds: 30, every: 5, otherwise: () => none },
    )
  } catch (error) {
    if (error === none) return false
    throw error
  }
}
