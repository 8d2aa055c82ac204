import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createApiKey } from '../../../functions/api-keys.ts'
import { deliveryIdOf } from '../../../functions/digests/delivery/ledger.ts'
import { putRun } from '../../../functions/digests/runs/run-store.ts'
import { recordKeys } from '../../../functions/keys.ts'
import { normaliseAddress, subscriberIdOf } from '../../../functions/subscribers/address.ts'
import { moveReader } from '../../../functions/subscribers/change-address.ts'
import { changeSubscriber } from '../../../functions/subscribers/memberships.ts'
import { getSubscriber } from '../../../functions/subscribers/store.ts'
import type { DeliveryNote, Subscriber } from '../../../functions/subscribers/subscriber.ts'
import { openService } from '../../journeys/service.ts'
import { abuseReport, automaticReply, statusReport } from '../../mail/reports.ts'
import { preferencesFor } from '../../subscribers/readers.ts'
import { aRun } from '../delivery/ledger-world.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { scriptedMailer } from '../scripted-mailer.ts'

const ada = 'ada@example.org'

/** A service that has mailed a digest to Ada, and whoever else reads it. */
async function mailed(options: { others?: string[]; hasEvidence?: boolean } = {}) {
  const mailer = scriptedMailer({ hasEvidence: options.hasEvidence ?? true })
  const { platform, api, app } = await openService({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
  const id = await confirmReader(platform, ada)
  for (const email of options.others ?? []) await confirmReader(platform, email)
  await publishArticle(platform, { title: 'Post A' })
  const send = async (day = '2026-03-02') => {
    await tickAt(platform, `${day}T08:00:00Z`)
    return mailer.sent.filter(({ to }) => to === ada).at(-1)?.deliveryId ?? ''
  }
  const reader = async () => (await getSubscriber(platform, id))?.value as Subscriber
  const tell = async (body: unknown, type = 'application/json', query = '') => {
    const response = await api('POST', `/api/v1/feedback${query}`, body, { 'content-type': type })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const everything = async () => JSON.stringify([await reader(), await runs()])
  const runs = async () => (await api('GET', '/api/v1/runs')).json()
  return { platform, api, app, mailer, id, send, reader, tell, everything }
}

const noted = { status: 200, body: { noted: 1, ignored: 0 } }
const ignored = { status: 200, body: { noted: 0, ignored: 1 } }

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

describe('feedback that is unknown, forged or junk', () => {
  it.each([
    ['another run', (id: string) => id.replace('daily-0800', 'daily-0900')],
    ['another chunk', (id: string) => id.replace('_0_', '_1_')],
    ['another reader', (id: string) => id.replace(/_[0-9a-f]{32}_/, `_${'0'.repeat(32)}_`)],
    ['a try that never was', (id: string) => id.replace(/_0$/, '_7')],
    ['a confirmation to nobody', () => `confirm_${'0'.repeat(32)}_AAAAAAAAAAAA`],
    ['something else', () => 'x'.repeat(256)],
  ])('for %s changes nothing', async (_, forge) => {
    const { send, tell, everything, platform } = await mailed()
    const deliveryId = forge(await send())
    const before = await everything()
    for (const kind of ['hard-bounce', 'soft-bounce', 'complaint', 'delivered']) {
      expect(await tell({ deliveryId, kind })).toMatchObject(ignored)
    }
    expect(
      await tell(statusReport({ envelopeId: deliveryId, finalRecipient: 'x' }), 'message/rfc822'),
    ).toMatchObject(ignored)
    expect(await everything()).toBe(before)
    expect(await platform.records.get(recordKeys.evidence(deliveryId))).toBeUndefined()
  })

  it('is not helped by the address beside it', async () => {
    const { send, tell, everything } = await mailed()
    const forged = (await send()).replace('daily-0800', 'daily-0900')
    const before = await everything()
    const report = statusReport({ returned: [`Message-ID: <${forged}@news.example>`] })
    expect(await tell(report, 'message/rfc822')).toMatchObject(ignored)
    expect(await everything()).toBe(before)
  })

  it('names only an address, and is believed in JSON and not in a mail, or as the publisher wants', async () => {
    const { send, tell, everything, reader } = await mailed()
    await send()
    const before = await everything()
    const byAddress = { email: ada, kind: 'complaint' }
    expect(await tell(statusReport({}), 'message/rfc822')).toMatchObject(ignored)
    expect(await tell(byAddress, undefined, '?match=delivery')).toMatchObject(ignored)
    expect(await everything()).toBe(before)
    expect(await tell(statusReport({}), 'message/rfc822', '?match=any')).toMatchObject(noted)
    expect((await reader()).reason).toBe('hard-bounce')
    const other = await mailed()
    await other.send()
    expect(await other.tell(byAddress)).toMatchObject(noted)
    expect((await other.reader()).reason).toBe('complaint')
  })

  it.each<[string, unknown, string, number, string | undefined]>([
    ['an automatic reply', automaticReply, 'message/rfc822', 200, undefined],
    ['an empty mail', '', 'message/rfc822', 200, undefined],
    [
      'a report about nobody',
      statusReport({ finalRecipient: 'x' }),
      'message/rfc822',
      200,
      undefined,
    ],
    ['a mail that is too large', 'x'.repeat(1_100_000), 'message/rfc822', 413, 'too-large'],
    ['too long a head', `A: ${'x'.repeat(400_000)}`, 'message/rfc822', 422, 'feedback.report'],
    ['another type', 'x', 'text/plain', 415, 'media-type'],
    ['no type', 'x', '', 415, 'media-type'],
    ['no JSON', '{"kind"', 'application/json', 400, 'malformed-json'],
    ['JSON of another shape', [], 'application/json', 422, 'invalid-input'],
    ['nothing named', { kind: 'complaint' }, 'application/json', 422, 'invalid-input'],
    [
      'two things named',
      { kind: 'complaint', email: ada, deliveryId: 'x' },
      'application/json',
      422,
      'invalid-input',
    ],
    ['no kind', { email: ada }, 'application/json', 422, 'invalid-input'],
    ['another kind', { email: ada, kind: 'opened' }, 'application/json', 422, 'invalid-input'],
    [
      'an unknown field',
      { email: ada, kind: 'complaint', x: 1 },
      'application/json',
      422,
      'invalid-input',
    ],
    ['no items', { items: [] }, 'application/json', 422, 'invalid-input'],
    [
      'one bad item among good ones',
      {
        items: [
          { email: ada, kind: 'complaint' },
          { email: ada, kind: 'x' },
        ],
      },
      'application/json',
      422,
      'invalid-input',
    ],
    [
      'too many items',
      { items: Array(501).fill({ email: ada, kind: 'complaint' }) },
      'application/json',
      422,
      'invalid-input',
    ],
  ])('is answered clearly and changes nothing: %s', async (_, body, type, status, code) => {
    const { send, tell, everything } = await mailed()
    await send()
    const before = await everything()
    const answer = await tell(body, type)
    expect([answer.status, answer.body.code]).toEqual([status, code])
    if (status === 200) expect(answer).toMatchObject(ignored)
    expect(await everything()).toBe(before)
    expect(JSON.stringify(answer.body)).not.toContain('@')
  })

  it('comes without the right key and is refused', async () => {
    const { platform, app } = await mailed()
    const { key } = await createApiKey(platform, 'reader of runs', ['runs:read', 'runs:write'])
    const ask = (headers: Record<string, string>) =>
      app.request('/api/v1/feedback', { method: 'POST', headers, body: '{}' })
    expect((await ask({})).status).toBe(401)
    expect((await ask({ authorization: `Bearer ${key}` })).status).toBe(403)
  })
})

/** What can be told of one of Ada's first six mails. */
const event = fc.record({
  mail: fc.nat(5),
  kind: fc.constantFrom('soft-bounce', 'soft-bounce', 'delivered', 'complaint', 'hard-bounce'),
})

describe('replayed, doubled and reordered feedback', () => {
  it('leaves the reader and the books as the first telling did', async () => {
    const { platform, id, reader, tell, api } = await mailed()
    const start = { ...(await reader()), mails: 6 }
    const deliveries = Array.from({ length: 6 }, (_, i) => {
      const note = { run: `run-${i}`, chunk: 0, try: 0 } as DeliveryNote
      return { id: deliveryIdOf(note, id), run: note.run, n: i + 1 }
    })
    const outcomeOf = async (events: readonly { mail: number; kind: string }[]) => {
      await changeSubscriber(platform, id, () => start)
      for (const delivery of deliveries) {
        await putRun(platform, aRun({ id: delivery.run, state: 'done' }), { ifAbsent: true })
        await platform.records.put({
          ...recordKeys.chunk(delivery.run, 0),
          value: { readers: [id], end: true },
        })
        const value = {
          ...{ ...delivery, chunk: 0, subscriberId: id, try: 0, sends: 1, to: 1 },
          outcome: 'unknown',
          at: '2026-03-02T08:00:00Z',
        }
        await platform.records.put({ ...recordKeys.ledgerRow(delivery.run, 0, id), value })
      }
      for (const { mail, kind } of events) {
        expect(await tell({ deliveryId: deliveries[mail]?.id, kind })).toMatchObject(noted)
      }
      const page = await (await api('GET', '/api/v1/runs')).json()
      return {
        reader: await reader(),
        counts: (page as { items: { id: string; counts: object }[] }).items.map(
          ({ id, counts }) => [id, counts],
        ),
      }
    }
    const seen = new Set<string | undefined>()
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 7 }).chain((list) =>
          fc.tuple(
            fc.constant(list),
            fc.subarray(list).chain((again) => {
              const all = [...list, ...again]
              return fc.shuffledSubarray(all, { minLength: all.length })
            }),
          ),
        ),
        async ([list, other]) => {
          const first = await outcomeOf(list)
          expect(await outcomeOf(other)).toEqual(first)
          seen.add(first.reader.reason)
        },
      ),
      { numRuns: 40 },
    )
    expect(seen.size).toBeGreaterThan(2)
  })
})
