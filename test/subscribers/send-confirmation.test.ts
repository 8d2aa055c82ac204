import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import type {
  Mailer,
  OutgoingMessage,
  Platform,
  RecordStore,
  SendOutcome,
} from '../../functions/platform.ts'
import { subscriberIdOf } from '../../functions/subscribers/address.ts'
import {
  driveConfirmations,
  sendConfirmation,
} from '../../functions/subscribers/send-confirmation.ts'
import { keepRequest } from '../../functions/subscribers/subscription-requests.ts'
import { type Actor, runStepped } from '../support/stepped-record-store.ts'
import { aReader, preferencesFor } from './readers.ts'
import { readersPlatform } from './readers-platform.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const ada = 'ada@example.org'

/** The same numbers below a bound in every run (mulberry32). */
function randomFrom(seed: number) {
  let state = seed
  return (bound: number) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % bound
  }
}

/** A mailer that answers as told, by default that it sent, and keeps what it took. */
function scriptedMailer(...answers: (SendOutcome | 'crash')[]) {
  const taken: OutgoingMessage[] = []
  const evidence = new Map<string, 'accepted' | 'none' | 'cannot tell'>()
  const mailer: Mailer = {
    name: 'scripted',
    async send(message) {
      const answer = answers.shift() ?? { status: 'sent' }
      if (answer === 'crash') throw new Error('the machine stopped')
      if (answer.status === 'sent' || answer.status === 'unclear') taken.push(message)
      return answer
    },
    quota: async () => ({}),
    evidence: async (id) => evidence.get(id) ?? 'cannot tell',
    evidenceDelaySeconds: 0,
    hasFinalEvidence: false,
  }
  return { mailer, taken, evidence }
}

const due = async (platform: Platform) =>
  (await platform.records.query(recordKeys.confirmationsDue)).records.length

describe('the mail of the confirmation kind', () => {
  it('goes to an address once in 24 hours, however often and by whatever case it is asked for', async () => {
    const { platform, post, mailsTo } = await readersPlatform()
    for (let i = 0; i < 5; i++) {
      await post('/subscribe', { email: i % 2 ? ada.toUpperCase() : ada })
      await platform.settle()
      platform.advance(hour)
    }
    expect(await mailsTo(ada)).toHaveLength(1)
    platform.advance(19 * hour - 1000)
    await post('/subscribe', { email: ada })
    await platform.settle()
    expect(await mailsTo(ada)).toHaveLength(1)
    platform.advance(1000)
    await post('/subscribe', { email: ada })
    await platform.settle()
    expect(await mailsTo(ada)).toHaveLength(2)
    expect(await due(platform)).toBe(0)
  })

  it('is one for thousands of requests that name one victim, in any mix and from any place', async () => {
    const { mailer, taken } = scriptedMailer()
    const { platform, app } = await readersPlatform({ mailer })
    const started = platform.now().getTime()
    for (let i = 0; i < 60; i++) {
      const env = { incoming: { socket: { remoteAddress: `10.${i % 250}.${i % 7}.${i % 100}` } } }
      await Promise.all(
        Array.from({ length: 50 }, (_, k) =>
          app.request(
            '/subscribe',
            {
              method: 'POST',
              body:
                k % 2
                  ? JSON.stringify({ email: ada, cadence: 'daily' })
                  : new URLSearchParams({ email: ada.toUpperCase() }).toString(),
              headers: {
                'content-type': k % 2 ? 'application/json' : 'application/x-www-form-urlencoded',
              },
            },
            env,
          ),
        ),
      )
      if (i % 20 === 0) await platform.settle()
      platform.setNow(new Date(started + i * 20 * minute))
    }
    await platform.settle()
    expect(platform.now().getTime() - started).toBeLessThan(day)
    expect(taken).toHaveLength(1)
  }, 120_000)

  it('is sent by one of three workers, however their steps fall and wherever one dies', async () => {
    const { platform } = await readersPlatform()
    const id = subscriberIdOf(platform, ada)
    const sentKey = { partition: 'sent', sort: 'count' }
    const worker =
      (): Actor =>
      (records): Promise<void> => {
        const mailer: Mailer = {
          ...platform.mailer,
          async send() {
            await records.add(sentKey, 1)
            return { status: 'sent' }
          },
        }
        return sendConfirmation({ ...platform, records, mailer }, id)
      }
    const prepare = async (records: RecordStore) => {
      const at = platform.now().toISOString()
      await keepRequest({ records }, id, {
        email: ada,
        wanted: preferencesFor(),
        nonce: 'a nonce',
        consent: { at, source: 'form' },
        expires: '2026-03-09T08:00:00.000Z',
      })
      const pending = aReader({ id, email: ada, state: 'pending', categories: {} })
      await records.put({ ...recordKeys.subscriber(id), value: pending })
    }
    // Walked and not searched: claims have random names, so no two states are alike.
    const choice = randomFrom(1)
    for (let walk = 0; walk < 150; walk++) {
      const { store } = await runStepped(
        prepare,
        [worker(), worker(), worker()],
        (choices) => {
          const steps = choices.filter(({ kind }) => kind === 'step')
          return choice(20) === 0 ? choices[choice(choices.length)] : steps[choice(steps.length)]
        },
        { kills: 1 },
      )
      const sent = await store.get<{ count: number }>(sentKey)
      expect(sent?.value.count ?? 0).toBeLessThanOrEqual(1)
    }
  }, 60_000)

  it('is not lost to a crash before it is sent: the lease runs out and a tick goes on', async () => {
    const { mailer, taken } = scriptedMailer('crash')
    const { platform, post, idOf } = await readersPlatform({ mailer })
    await post('/subscribe', { email: ada })
    await expect(sendConfirmation(platform, idOf(ada))).rejects.toThrow('the machine stopped')
    await sendConfirmation(platform, idOf(ada))
    expect(taken).toHaveLength(0)
    platform.advance(2 * minute)
    expect(await driveConfirmations(platform)).toBe(1)
    await platform.settle()
    expect(taken).toHaveLength(1)
    expect(await driveConfirmations(platform)).toBe(0)
  })

  it('is not sent again after a crash when the mailer has proof of it', async () => {
    const { mailer, taken, evidence } = scriptedMailer('crash')
    const { platform, post, idOf } = await readersPlatform({ mailer })
    await post('/subscribe', { email: ada })
    await expect(sendConfirmation(platform, idOf(ada))).rejects.toThrow()
    const claim = await platform.records.get<{ deliveryId: string }>(
      recordKeys.confirmation(idOf(ada)),
    )
    evidence.set(claim?.value.deliveryId ?? '', 'accepted')
    platform.advance(3 * minute)
    await sendConfirmation(platform, idOf(ada))
    await post('/subscribe', { email: ada })
    await platform.settle()
    expect(taken).toHaveLength(0)
    expect(await due(platform)).toBe(0)
  })

  it('is begun three times a day at most, although every worker dies', async () => {
    const { mailer, taken } = scriptedMailer(...Array<'crash'>(20).fill('crash'))
    const { platform, post, idOf } = await readersPlatform({ mailer })
    await post('/subscribe', { email: ada })
    let crashes = 0
    for (let i = 0; i < 10; i++) {
      await sendConfirmation(platform, idOf(ada)).catch(() => crashes++)
      platform.advance(5 * minute)
    }
    expect([crashes, taken.length]).toEqual([3, 0])
  })

  it('is put off as long as the server asks, then sent', async () => {
    const { mailer, taken } = scriptedMailer(
      { status: 'deferred', reason: 'greylisted', retryAfterSeconds: 300 },
      { status: 'deferred', reason: 'greylisted', retryAfterSeconds: 7200 },
    )
    const { platform, post } = await readersPlatform({ mailer })
    await post('/subscribe', { email: ada })
    await platform.settle()
    platform.advance(299_000)
    await platform.settle()
    expect(taken).toHaveLength(0)
    platform.advance(1000)
    await platform.settle()
    // Put off twice by now, and longer than a job can be delayed.
    for (let i = 0; i < 119; i++) {
      platform.advance(minute)
      await driveConfirmations(platform)
      await platform.settle()
    }
    expect(taken).toHaveLength(0)
    platform.advance(minute)
    await driveConfirmations(platform)
    await platform.settle()
    expect(taken).toHaveLength(1)
    expect(await due(platform)).toBe(0)
  })

  it('counts as sent when nobody can say whether it went out', async () => {
    const { mailer, taken } = scriptedMailer({ status: 'unclear', reason: 'connection lost' })
    const { platform, post } = await readersPlatform({ mailer })
    for (let i = 0; i < 3; i++) {
      await post('/subscribe', { email: ada })
      await platform.settle()
      platform.advance(hour)
    }
    expect(taken).toHaveLength(1)
  })

  it.each([
    ['the address’s', true, 24],
    ['ours', false, 1],
  ])(
    'waits before it tries again what was refused, when the fault is %s',
    async (_whose, address, hours) => {
      const { mailer, taken } = scriptedMailer({ status: 'rejected', reason: 'no', address })
      const { platform, post } = await readersPlatform({ mailer })
      await post('/subscribe', { email: ada })
      await platform.settle()
      platform.advance(hours * hour - 1000)
      await post('/subscribe', { email: ada })
      await platform.settle()
      expect(taken).toHaveLength(0)
      platform.advance(1000)
      await post('/subscribe', { email: ada })
      await platform.settle()
      expect(taken).toHaveLength(1)
    },
  )

  it('goes out although its job was lost', async () => {
    const { mailer, taken } = scriptedMailer()
    const { platform, post } = await readersPlatform({ mailer })
    await post('/subscribe', { email: ada })
    for (const { receipt } of await platform.jobs.receive('urgent', {
      limit: 10,
      leaseSeconds: 60,
    })) {
      await platform.jobs.complete(receipt)
    }
    await platform.settle()
    expect(taken).toHaveLength(0)
    platform.advance(2 * minute)
    await driveConfirmations(platform)
    await platform.settle()
    expect(taken).toHaveLength(1)
  })

  it('is given up after the hours of patience', async () => {
    const { mailer } = scriptedMailer(
      ...Array<SendOutcome>(50).fill({ status: 'deferred', reason: 'busy', retryAfterSeconds: 60 }),
    )
    const { platform, post } = await readersPlatform({ mailer })
    await post('/subscribe', { email: ada })
    await platform.settle()
    platform.advance(24 * hour + 1)
    expect(await driveConfirmations(platform)).toBe(0)
    expect(await due(platform)).toBe(0)
  })

  it('speaks the language that was chosen and says nothing that a stranger typed', async () => {
    const { platform, post, mailsTo } = await readersPlatform()
    await post('/subscribe', { email: ada, locale: 'de', categories: 'tech', name: 'BUY-NOW' })
    await platform.settle()
    const { simpleParser } = await import('mailparser')
    const mail = await simpleParser((await mailsTo(ada))[0]?.raw ?? '')
    expect(`${mail.html}${mail.text}${mail.subject}`).not.toContain('BUY-NOW')
    expect(mail.html).toContain('lang="de"')
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated')
    expect(mail.messageId).toMatch(/^<confirm_[\w-]+@/)
  })

  it('leaves by the quota of the day that bulk may not use, and is put off when that is gone', async () => {
    const { mailer, taken } = scriptedMailer()
    mailer.quota = async () => ({ perDay: 1 })
    const { platform, post } = await readersPlatform({ mailer })
    await post('/subscribe', { email: ada })
    await post('/subscribe', { email: 'bob@example.org' })
    await platform.settle()
    expect(taken).toHaveLength(1)
    expect(await due(platform)).toBe(1)
    expect(platform.logged.join('\n')).toContain('confirmation.deferred')
  })

  it('leaves no address in the log', async () => {
    const { mailer } = scriptedMailer(
      { status: 'rejected', reason: `550 <${ada}> unknown`, address: true },
      { status: 'unclear', reason: ada },
    )
    const { platform, post } = await readersPlatform({ mailer })
    await post('/subscribe', { email: ada })
    await platform.settle()
    expect(platform.logged.length).toBeGreaterThan(0)
    expect(platform.logged.join('\n')).not.toContain('example.org')
  })
})
