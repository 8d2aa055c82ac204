import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createApiKey } from '../../../functions/api/api-keys.ts'
import { deliveryIdOf } from '../../../functions/digests/delivery/ledger.ts'
import { putRun } from '../../../functions/digests/runs/run-store.ts'
import { recordKeys } from '../../../functions/keys.ts'
import { changeSubscriber } from '../../../functions/subscribers/memberships.ts'
import type { DeliveryNote } from '../../../functions/subscribers/subscriber.ts'
import { automaticReply, statusReport } from '../../mail/reports.ts'
import { aRun } from '../delivery/ledger-world.ts'
import { ada, ignored, mailed, noted } from './mailed-digest.ts'

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
