import { describe, expect, it } from 'vitest'
import { normaliseAddress, subscriberIdOf } from '../../../functions/subscribers/address.ts'
import { moveReader } from '../../../functions/subscribers/change-address.ts'
import { getSubscriber } from '../../../functions/subscribers/store.ts'
import { abuseReport, statusReport } from '../../mail/reports.ts'
import { preferencesFor } from '../../subscribers/readers.ts'
import { publishArticle, tickAt } from '../newsroom.ts'
import { ada, mailed, noted } from './mailed-digest.ts'

describe('POST /api/v1/feedback', () => {
  it.each([
    ['hard-bounce', 'hard-bounce'],
    ['complaint', 'complaint'],
  ])('stops all mail at a %s, named by the mail or by the address', async (kind, reason) => {
    for (const by of ['deliveryId', 'email']) {
      const { send, reader, tell, mailer, platform } = await mailed()
      const deliveryId = await send()
      const name = by === 'email' ? { email: 'ADA@Example.org' } : { deliveryId }
      expect(await tell({ ...name, kind, reason: '550 5.1.1 no such user' })).toMatchObject(noted)
      expect(await reader()).toMatchObject({ state: 'suppressed', reason })
      await publishArticle(platform, { title: 'Post B' })
      await tickAt(platform, '2026-03-03T08:00:00Z')
      expect(mailer.sent).toHaveLength(1)
    }
  })

  it('takes what a mail server or a mailbox provider writes, as it comes', async () => {
    for (const [type, prefix] of [
      ['message/rfc822', ''],
      ['multipart/report; boundary="b/1"', 'headless'],
    ] as const) {
      const { send, reader, tell } = await mailed()
      const deliveryId = await send()
      const whole = statusReport({
        finalRecipient: 'rfc822; a.forward@example.net',
        returned: [`Message-ID: <${deliveryId}@news.example>`],
      })
      const body = prefix ? whole.slice(whole.indexOf('\r\n\r\n') + 4) : whole
      expect(await tell(body, type)).toMatchObject(noted)
      expect(await reader()).toMatchObject({ state: 'suppressed', reason: 'hard-bounce' })
    }
    const { send, reader, tell } = await mailed()
    const returned = [`X-Delivery-Id: ${await send()}`, 'Message-ID: <0102@relay.example>']
    expect(await tell(abuseReport({ returned }), 'message/rfc822')).toMatchObject(noted)
    expect(await reader()).toMatchObject({ state: 'suppressed', reason: 'complaint' })
  })

  it('finds the delivery in the headers of the mail that went out', async () => {
    const { send, reader, tell, mailer } = await mailed()
    await send()
    const [sent] = mailer.sent
    const head = new TextDecoder().decode(sent?.raw).split('\r\n\r\n')[0]?.split('\r\n') ?? []
    const report = statusReport({ finalRecipient: 'rfc822; x@example.net', returned: head })
    expect(await tell(report, 'message/rfc822')).toMatchObject(noted)
    expect((await reader()).state).toBe('suppressed')
  })

  it('lets a forwarded mail bounce at one of its targets without harm', async () => {
    const { send, reader, tell } = await mailed()
    const deliveryId = await send()
    const others = [['Final-Recipient: rfc822; b@example.net', 'Action: relayed', 'Status: 2.0.0']]
    const report = statusReport({ envelopeId: deliveryId, others })
    expect(await tell(report, 'message/rfc822')).toMatchObject(noted)
    expect((await reader()).state).toBe('confirmed')
  })

  it('proves that a mail was accepted, also when it came back', async () => {
    for (const kind of ['delivered', 'soft-bounce', 'hard-bounce', 'complaint']) {
      const { send, tell, api, mailer, platform, id } = await mailed({ hasEvidence: false })
      mailer.answer = () => ({ status: 'unclear', reason: 'the line broke' })
      await send()
      await tickAt(platform, '2026-03-02T08:03:00Z')
      const runId = 'daily-0800-UTC_20260302T080000Z'
      const counts = async () =>
        ((await (await api('GET', `/api/v1/runs/${runId}`)).json()) as { counts: object }).counts
      expect(await counts()).toMatchObject({ unknown: 1, accepted: 0 })
      expect(await tell({ deliveryId: `${runId}_0_${id}_0`, kind })).toMatchObject(noted)
      expect(await counts()).toMatchObject({ unknown: 0, accepted: 1 })
    }
  })

  it('takes what is delayed, or refused for a reason of ours, for nothing but that', async () => {
    const { send, reader, tell } = await mailed()
    const envelopeId = await send()
    const before = await reader()
    for (const fields of [
      { action: 'delayed', status: '4.4.1' },
      { action: 'failed', status: '5.7.1' },
    ]) {
      const answer = await tell(statusReport({ envelopeId, ...fields }), 'message/rfc822')
      expect(answer).toMatchObject({ ...noted, body: { items: [{ kind: 'accepted' }] } })
    }
    expect(await reader()).toEqual(before)
  })

  it('suppresses at the third soft bounce of five mails, good ones in between counted', async () => {
    const { send, reader, tell, platform } = await mailed()
    const ids = [await send()]
    for (const day of ['03', '04', '05', '06']) {
      await publishArticle(platform, { title: `Post of ${day}` })
      ids.push(await send(`2026-03-${day}`))
    }
    expect(new Set(ids).size).toBe(5)
    const soft = (deliveryId = '') => tell({ deliveryId, kind: 'soft-bounce' })
    for (const deliveryId of [ids[4], ids[0], ids[4], ids[0]]) {
      expect(await soft(deliveryId)).toMatchObject(noted)
    }
    expect(await reader()).toMatchObject({ state: 'confirmed', softBounces: [1, 5] })
    await tell({ deliveryId: ids[4], kind: 'delivered' })
    await soft(ids[2])
    expect(await reader()).toMatchObject({ state: 'suppressed', reason: 'soft-bounces' })
  })

  it('holds a soft bounce that names only the address against the last mail, once', async () => {
    const { send, reader, tell } = await mailed()
    const full = statusReport({ status: '4.2.2' })
    expect(await tell(full, 'message/rfc822', '?match=any')).toMatchObject(noted)
    expect((await reader()).softBounces).toBeUndefined()
    await send()
    for (let i = 0; i < 3; i++)
      expect(await tell(full, 'message/rfc822', '?match=any')).toMatchObject(noted)
    expect(await reader()).toMatchObject({ state: 'confirmed', softBounces: [1] })
  })

  it.each([
    ['complaint', 'suppressed'],
    ['hard-bounce', 'confirmed'],
  ])(
    'takes a %s about a mail to the old address for what it says of the new one',
    async (kind, state) => {
      const { platform, send, tell, reader, id, mailer } = await mailed()
      const deliveryId = await send()
      const email = normaliseAddress('ada@new.example')
      const newId = subscriberIdOf(platform, email)
      await moveReader(platform, newId, {
        email,
        wanted: preferencesFor(),
        nonce: 'n',
        consent: { at: platform.now().toISOString(), source: 'form' },
        changeFrom: id,
        expires: '2027-01-01T00:00:00.000Z',
      })
      await tickAt(platform, '2026-03-02T08:05:00Z')
      expect((await getSubscriber(platform, newId))?.value.state).toBe('confirmed')
      expect((await reader()).movedTo).toBe(newId)
      expect(await tell({ deliveryId, kind })).toMatchObject(noted)
      expect((await getSubscriber(platform, newId))?.value.state).toBe(state)
      await publishArticle(platform, { title: 'Post B' })
      await tickAt(platform, '2026-03-03T08:00:00Z')
      expect(mailer.sent).toHaveLength(state === 'confirmed' ? 2 : 1)
    },
  )

  it('takes many at once, and says what became of each', async () => {
    const { send, tell, reader } = await mailed({ others: ['bob@example.org'] })
    const deliveryId = await send()
    const items = [
      { email: 'bob@example.org', kind: 'hard-bounce' },
      { deliveryId, kind: 'delivered' },
      { email: 'nobody@example.org', kind: 'complaint' },
      { email: 'not an address', kind: 'complaint' },
      { deliveryId: deliveryId.replace('daily', 'weekly'), kind: 'complaint' },
    ]
    const { status, body } = await tell({ items })
    expect([status, body.noted, body.ignored]).toEqual([200, 2, 3])
    expect((body.items as { outcome: string }[]).map(({ outcome }) => outcome)).toEqual([
      'noted',
      'noted',
      'ignored',
      'ignored',
      'ignored',
    ])
    expect((await reader()).state).toBe('confirmed')
  })

  it('says nothing of an address in its answers and its log', async () => {
    const { send, tell, platform } = await mailed()
    const envelopeId = await send()
    const diagnostic = 'smtp; 550 5.1.1 <ada@example.org>: ada@example.org unknown'
    const answer = await tell(statusReport({ envelopeId, diagnostic }), 'message/rfc822')
    await tell({ email: ada, kind: 'complaint', reason: 'ada@example.org, or ada, complained' })
    expect(JSON.stringify(answer) + platform.logged.join()).not.toContain('@example.org')
    expect(platform.logged.join()).toContain('550 5.1.1')
  })
})
