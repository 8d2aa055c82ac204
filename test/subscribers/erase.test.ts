import { describe, expect, it } from 'vitest'
import { recordKeys } from '../../functions/keys.ts'
import type { Mailer } from '../../functions/platform.ts'
import { eraseSubscriber } from '../../functions/subscribers/erase.ts'
import { changeSubscriber } from '../../functions/subscribers/memberships.ts'
import { confirmSubscription } from '../../functions/subscribers/subscribe.ts'
import { everyByte, headNumber, readersPlatform } from './readers-platform.ts'

const day = 24 * 60 * 60 * 1000
const ada = 'ada@example.org'

/** Keeps no mails: those of an outbox stay as long as its own setting says. */
const noOutbox: Mailer = {
  name: 'nowhere',
  send: async () => ({ status: 'sent' }),
  quota: async () => ({}),
  evidence: async () => 'none',
  evidenceDelaySeconds: 0,
  hasFinalEvidence: true,
}

describe('the reader’s own data', () => {
  it('can be had as a file', async () => {
    const { join, post, link } = await readersPlatform()
    const { id } = await join(ada, { categories: 'tech' })
    const response = await post(link('preferences', ada), { action: 'export' })
    expect(response.headers.get('content-disposition')).toContain('attachment')
    expect(await response.json()).toMatchObject({ id, email: ada, categories: ['tech'] })
  })

  it('is erased when the box is ticked; what stays is a hash', async () => {
    const email = 'Ada.Lovelace@example.org'
    const { platform, post, link, readerOf, idOf } = await readersPlatform({ mailer: noOutbox })
    await post('/subscribe', { email, categories: 'tech' })
    await platform.settle()
    const { records } = await platform.records.query(recordKeys.subscriptionRequests(idOf(email)))
    const nonce = records.find(({ sort }) => sort !== 'latest')?.sort ?? ''
    await confirmSubscription(platform, idOf(email), nonce)
    await changeSubscriber(
      platform,
      idOf(email),
      (current) =>
        current && {
          ...current,
          watermark: 9,
          note: {
            run: 'r',
            chunk: 0,
            try: 0,
            from: 3,
            to: 9,
            token: 't',
            at: '2026-03-02T08:00:00.000Z',
            born: '2026-03-02T08:00:00.000Z',
            phase: 'deferred',
            sends: 1,
            doubt: false,
            reason: '451 <ada.lovelace@example.org> try later',
            expires: '2027-03-02T08:00:00.000Z',
          },
        },
    )
    expect((await everyByte(platform)).toLowerCase()).toContain('ada.lovelace')
    const refused = await post(link('preferences', email), { action: 'erase' })
    expect(refused.status).toBe(422)
    const erased = await post(link('preferences', email), { action: 'erase', confirm: 'yes' })
    expect(erased.status).toBe(200)
    const stub = await readerOf(email)
    expect(stub).toMatchObject({
      id: idOf(email),
      state: 'suppressed',
      reason: 'erased',
      watermark: 9,
      note: { run: 'r', token: 't', phase: 'deferred' },
      categories: {},
    })
    expect((await everyByte(platform)).toLowerCase()).not.toContain('ada.lovelace')
    expect(platform.logged.join('').toLowerCase()).not.toContain('ada.lovelace')
  })

  it('takes the kept mails along, all but one whose proof it is', async () => {
    const { platform, join, idOf } = await readersPlatform()
    await join(ada)
    await join('bea@example.org')
    const [id, other] = [idOf(ada), idOf('bea@example.org')]
    const send = (deliveryId: string) =>
      platform.mailer.send(
        {
          deliveryId,
          from: 'a@news.example',
          to: ada,
          raw: new Uint8Array(),
          kind: 'bulk',
        },
        new Date(platform.now().getTime() + 60_000),
      )
    for (const name of [`old_1_${id}_0`, `new_2_${id}_0`, `new_2_${other}_0`]) await send(name)
    await changeSubscriber(
      platform,
      id,
      (current) =>
        current && {
          ...current,
          note: {
            run: 'new',
            chunk: 2,
            try: 0,
            to: 1,
            token: 'a',
            at: '2026-03-02T08:00:00Z',
            born: '2026-03-02T08:00:00Z',
            expires: '2027-03-02T08:00:00Z',
            phase: 'fly',
            sends: 1,
            doubt: false,
          },
        },
    )
    await eraseSubscriber(platform, id)
    const left = (await platform.outbox.list({ limit: 100 })).map((mail) => mail.id)
    expect(left.filter((name) => name.includes(id))).toEqual([`new_2_${id}_0`])
    expect(left.filter((name) => name.includes(other))).toHaveLength(2)
  })

  it('may come back by a new confirmation, from now on, with the note of the mail in flight', async () => {
    const { platform, join, post, confirmLink, idOf, readerOf } = await readersPlatform()
    await join(ada)
    const old = await confirmLink(ada)
    await changeSubscriber(
      platform,
      idOf(ada),
      (current) => current && { ...current, watermark: 6 },
    )
    platform.advance(day)
    await post('/subscribe', { email: ada })
    await platform.settle()
    await eraseSubscriber(platform, idOf(ada))
    platform.advance(day)
    await headNumber(platform, 9)
    await post('/subscribe', { email: ada })
    await platform.settle()
    expect((await readerOf(ada))?.email).toBeUndefined()
    expect((await post(old)).status).toBe(410)
    await post(await confirmLink(ada, [old]))
    expect(await readerOf(ada)).toMatchObject({
      state: 'confirmed',
      email: ada,
      watermark: 6,
      categories: { '*': 9 },
    })
  })
})
