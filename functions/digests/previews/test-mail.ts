import { allRecords } from '../../all-records.ts'
import { ServiceError } from '../../errors.ts'
import type { Job } from '../../jobs.ts'
import { recordKeys } from '../../keys.ts'
import { parseMailbox, senderOf } from '../../mail/headers.ts'
import { withoutAddress } from '../../mail/refusal.ts'
import { sendTransactional } from '../../mail/send-transactional.ts'
import type { Platform, SendOutcome, StoredRecord } from '../../platform.ts'
import { standsStill } from '../../stands-still.ts'
import { normaliseAddress } from '../../subscribers/address.ts'
import { newToken } from '../delivery/claim-token.ts'
import { leaseSeconds } from '../delivery/ledger.ts'
import { type PreviewRequest, preview } from './preview.ts'

/** How a test mail stands. */
export interface TestMail {
  /** Its delivery's id, by which logs name it. */
  id: string
  /**
   * `sending` that stays: whoever sent it died, and it may have gone out. `unclear`: so it may, but
   * the mail server did not say.
   */
  state: 'waiting' | 'sending' | 'sent' | 'unclear' | 'not-sent'
  /** Why it was not sent, for the person who asked. */
  reason?: string
}

/**
 * A test mail is asked for in one place and sent in another, which may alone be allowed to. What is
 * kept is the request, not the mail, and the address only while it waits.
 */
interface KeptTest extends Omit<TestMail, 'id'> {
  /** RFC 3339: when it was last moved. */
  at: string
  asked?: PreviewRequest & { to: string }
}

/** After an hour nobody waits for a test any more. */
const keptMs = 60 * 60_000
/** What pace puts off is sent by itself; anything longer is an answer, and the person asks again. */
const mostWaitSeconds = 30

/** A name for a test mail that no other has. */
export const newTestId = () => `test_${newToken()}`

/**
 * Asks for a test mail of what `preview` shows, which has checked the request. Gives back the ids of
 * the jobs that send it.
 */
export async function askForTest(
  { records, jobs, now }: Pick<Platform, 'records' | 'jobs' | 'now'>,
  id: string,
  asked: PreviewRequest & { to: string },
): Promise<string[]> {
  const at = now().toISOString()
  // It shows the same whenever it is sent.
  const fixed = asked.post === undefined ? { ...asked, at: asked.at ?? at } : asked
  const value: KeptTest = { state: 'waiting', at, asked: fixed }
  await records.put(
    { ...recordKeys.testMail(id), value, expiresAt: new Date(now().getTime() + keptMs) },
    { ifAbsent: true },
  )
  return jobs.enqueue([{ kind: 'test-mail', id }])
}

/** How a test mail stands, for an hour after it was asked for. */
export async function getTest(
  { records }: Pick<Platform, 'records'>,
  id: string,
): Promise<TestMail | undefined> {
  if (!/^test_[0-9a-f]{1,64}$/.test(id)) return undefined
  const kept = (await records.get<KeptTest>(recordKeys.testMail(id)))?.value
  return kept && { id, state: kept.state, ...(kept.reason ? { reason: kept.reason } : {}) }
}

/**
 * Sends a test mail that waits, at most once: the request is taken out of its record before the mail
 * leaves, and is put back only when pace put it off. Repeating it is harmless.
 */
export async function sendTest(platform: Platform, id: string): Promise<void> {
  const waiting = await platform.records.get<KeptTest>(recordKeys.testMail(id))
  const asked = waiting?.value.asked
  if (!waiting || !asked) return
  const { to: wanted, ...request } = asked
  const to = normaliseAddress(wanted)
  let raw: Uint8Array
  try {
    raw = (await preview(platform, request, { to, deliveryId: id })).eml
  } catch (error) {
    // What it was to show has changed since: a post was withdrawn, a category is gone.
    if (!(error instanceof ServiceError)) throw error
    await move(platform, waiting, { state: 'not-sent', reason: error.message })
    return
  }
  const sending = await move(platform, waiting, { state: 'sending' })
  if (!sending) return

  const from = parseMailbox(senderOf(platform.settings)).address
  const until = new Date(platform.now().getTime() + leaseSeconds * 1000)
  const message = { deliveryId: id, to, from, raw }
  const outcome = await sendTransactional(platform, message, until).catch(
    (error: unknown): SendOutcome => {
      platform.log.error('test-mail.fault', error, { id })
      return { status: 'unclear', reason: 'the mailer failed' }
    },
  )
  if (outcome.status === 'sent') {
    await move(platform, sending, { state: 'sent' })
    return
  }
  const { status } = outcome
  platform.log.warn(`test-mail.${status}`, { id })
  if (status === 'deferred' && outcome.retryAfterSeconds <= mostWaitSeconds) {
    await move(platform, sending, { state: 'waiting', asked })
    const delaySeconds = Math.max(1, Math.ceil(outcome.retryAfterSeconds))
    await platform.jobs.enqueue([{ kind: 'test-mail', id }], { delaySeconds })
    return
  }
  await move(platform, sending, {
    state: status === 'unclear' ? 'unclear' : 'not-sent',
    reason: withoutAddress(outcome.reason, to),
  })
}

/** Enqueues again what has waited for two minutes: its job was lost. Gives back how many. */
export async function driveTests(
  platform: Pick<Platform, 'records' | 'jobs' | 'now'>,
): Promise<number> {
  const standing: Job[] = []
  for await (const { sort, value } of allRecords<KeptTest>(platform, recordKeys.testMails)) {
    if (value.asked && standsStill(value.at, platform.now())) {
      standing.push({ kind: 'test-mail', id: sort })
    }
  }
  await platform.jobs.enqueue(standing)
  return standing.length
}

/** Only while it stands as it was seen: `undefined` when another worker has it. */
async function move(
  { records, now }: Pick<Platform, 'records' | 'now'>,
  { version, value: _, ...record }: StoredRecord<KeptTest>,
  next: Omit<KeptTest, 'at'>,
): Promise<StoredRecord<KeptTest> | undefined> {
  const value: KeptTest = { ...next, at: now().toISOString() }
  const outcome = await records.put({ ...record, value }, { ifVersion: version })
  return outcome.status === 'stored' ? { ...record, value, version: outcome.version } : undefined
}
