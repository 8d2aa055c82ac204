import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { awaitsLetter } from '../../functions/digests/letters/awaits-letter.ts'
import { recordKeys } from '../../functions/keys.ts'
import { driveAddressChanges, moveReader } from '../../functions/subscribers/change-address.ts'
import { unsubscribe } from '../../functions/subscribers/change-preferences.ts'
import { membershipRows } from '../../functions/subscribers/membership-rows.ts'
import { changeSubscriber } from '../../functions/subscribers/memberships.ts'
import { preferencesOf } from '../../functions/subscribers/preferences.ts'
import { subscriberPages } from '../../functions/subscribers/routes.ts'
import { getSubscriber } from '../../functions/subscribers/store.ts'
import type { DeliveryNote, Subscriber } from '../../functions/subscribers/subscriber.ts'
import { suppress } from '../../functions/subscribers/suppression.ts'
import { confirmReader, publishArticle, tickAt } from '../digests/newsroom.ts'
import type { ScratchPlatform } from '../support/scratch-platform.ts'
import { readersPlatform } from './readers-platform.ts'

const day = 24 * 60 * 60 * 1000
const ada = 'ada@example.org'
const moved = 'ada@new.example'

const note: DeliveryNote = {
  run: 'run-1',
  chunk: 0,
  try: 0,
  from: 3,
  to: 9,
  token: 't',
  at: '2026-03-02T08:00:00.000Z',
  born: '2026-03-02T08:00:00.000Z',
  phase: 'fly',
  sends: 1,
  doubt: false,
  expires: '2027-03-02T08:00:00.000Z',
}

const drive = (platform: ScratchPlatform) =>
  driveAddressChanges(platform, (reader) => awaitsLetter(platform, reader))

/** A confirmed reader who has asked for mail at another address, up to the mail there. */
async function moving() {
  const all = await readersPlatform()
  const { platform, join, post, link, confirmLink, idOf } = all
  await join(ada, { categories: 'tech', cadence: 'daily', at: '07:15' })
  await changeSubscriber(platform, idOf(ada), (current) => current && { ...current, watermark: 5 })
  const response = await post(link('preferences', ada), { action: 'address', email: moved })
  expect(response.status).toBe(200)
  await platform.settle()
  return { ...all, confirm: await confirmLink(moved) }
}

const setNote = (
  { platform, idOf }: Awaited<ReturnType<typeof moving>>,
  email: string,
  given: DeliveryNote,
  watermark: number,
) =>
  changeSubscriber(
    platform,
    idOf(email),
    (current) => current && { ...current, note: given, watermark },
  )

/** The platform of a reader whose move, all but done, is finished before the nth read from now. */
async function finishedAtRead(n: number, all: Awaited<ReturnType<typeof moving>>) {
  const { platform, post, confirm } = all
  await setNote(all, ada, note, 9)
  await post(confirm)
  await setNote(all, ada, { ...note, phase: 'failed' }, 3)
  const { records } = platform
  let reads = 0
  const get: typeof records.get = async (key) => {
    reads += 1
    if (reads === n) expect(await drive(platform)).toBe(1)
    return records.get(key)
  }
  const watched = new Proxy(records, {
    get: (target, name) => (name === 'get' ? get : Reflect.get(target, name).bind(target)),
  })
  return { ...platform, records: watched }
}

describe('a change of address', () => {
  it('is told by old links to preferences, which show nothing of the new address', async () => {
    const { app, post, link, confirm } = await moving()
    const old = link('preferences', ada)
    const asked = await post(old, { action: 'address', email: 'third@new.example' })
    expect(await asked.text()).toContain('until then everything goes on coming to your present')
    await post(confirm)
    for (const response of [await app.request(old), await post(old, { action: 'export' })]) {
      expect(response.status).toBe(410)
      const page = await response.text()
      expect(page).toContain('Your address was changed')
      expect(page).not.toContain(moved)
      expect(page).not.toContain('erased')
    }
    await post(link('preferences', moved), { action: 'erase', confirm: 'yes' })
    expect(await (await app.request(old)).text()).toContain('Your data is erased')
  })

  it('can still be left by old links, whose page opens nothing of the new address', async () => {
    const { app, post, link, confirm, readerOf } = await moving()
    await post(confirm)
    const old = link('unsubscribe', ada)
    const left = [
      await (await app.request(old)).text(),
      await (await post(`${old}?category=life`)).text(),
      await (await post(old)).text(),
    ]
    expect(await readerOf(moved)).toMatchObject({ state: 'unsubscribed', email: moved })
    for (const page of left) {
      const [path] = /\/preferences\/[\w-]+/.exec(page) ?? []
      if (path) expect(await (await app.request(path)).text()).not.toContain(moved)
    }
  })

  it('that is finished while its reader leaves does not keep them', async () => {
    const all = await moving()
    const { idOf, readerOf } = all
    // Whose item stands for them is looked up by the first two reads.
    await unsubscribe(await finishedAtRead(3, all), idOf(ada))
    expect((await readerOf(moved))?.state).toBe('unsubscribed')
  })

  it('that is finished while its reader has everything erased keeps nothing', async () => {
    const all = await moving()
    const { link, readerOf } = all
    // The reader of the link is looked up by the first one.
    const app = new Hono().route('/', subscriberPages(await finishedAtRead(2, all)))
    const body = new URLSearchParams({ action: 'erase', confirm: 'yes' })
    const answer = await app.request(link('preferences', ada), { method: 'POST', body })
    expect(await answer.text()).toContain('Your data is erased')
    for (const email of [ada, moved]) {
      expect(await readerOf(email)).toMatchObject({ state: 'suppressed', reason: 'erased' })
      expect(await readerOf(email)).not.toHaveProperty('email')
    }
  })

  it('changes nothing until the new address says yes, then takes everything along', async () => {
    const { platform, post, app, readerOf, idOf, confirm } = await moving()
    expect(await readerOf(ada)).toMatchObject({ state: 'confirmed', email: ada })
    expect(await readerOf(moved)).toBeUndefined()
    expect((await app.request(confirm)).status).toBe(200)
    expect((await readerOf(ada))?.state).toBe('confirmed')

    expect((await post(confirm)).status).toBe(200)
    const reader = await readerOf(moved)
    expect(reader).toMatchObject({
      id: idOf(moved),
      email: moved,
      state: 'confirmed',
      categories: { tech: 0 },
      at: '07:15',
      watermark: 5,
      consent: { source: 'form' },
    })
    const rows = await platform.records.getMany(membershipRows(reader as never))
    expect(rows).not.toContain(undefined)
    const stub = await readerOf(ada)
    expect(stub).toMatchObject({ state: 'suppressed', reason: 'erased', watermark: 5 })
    expect(stub).not.toHaveProperty('email')
    expect((await platform.records.query(recordKeys.addressChanges)).records).toEqual([])
    expect((await post(confirm)).status).toBe(200)
    expect(await readerOf(moved)).toEqual(reader)
  })

  it('waits for the mail in flight, and loses nothing when it fails', async () => {
    const all = await moving()
    const { platform, post, readerOf, idOf, confirm } = all
    await setNote(all, ada, note, 9)
    const response = await post(confirm)
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('still on its way to your old address')
    expect((await readerOf(ada))?.state).toBe('unsubscribed')
    expect(await readerOf(moved)).toBeUndefined()
    expect(await drive(platform)).toBe(0)

    // The delivery fails: its window comes back on the item, then its row is written.
    await setNote(all, ada, { ...note, phase: 'failed' }, 3)
    await platform.records.put({
      ...recordKeys.ledgerRow('run-1', 0, idOf(ada)),
      value: { outcome: 'failed', try: 0 },
    })
    expect(await drive(platform)).toBe(1)
    expect(await readerOf(moved)).toMatchObject({ state: 'confirmed', watermark: 3 })
    expect((await readerOf(ada))?.reason).toBe('erased')
    expect(await drive(platform)).toBe(0)
  })

  it.each<[string, Partial<DeliveryNote>, boolean, boolean]>([
    ['is in flight', {}, false, false],
    ['was put off', { phase: 'deferred' }, false, false],
    ['has its row', {}, true, true],
    ['has failed', { phase: 'failed' }, false, true],
    ['belongs to a run that has expired', { expires: '2026-03-02T07:59:59.000Z' }, false, true],
  ])('when the mail %s', async (_title, given, hasRow, goesOn) => {
    const all = await moving()
    const { platform, post, readerOf, idOf, confirm } = all
    await setNote(all, ada, { ...note, ...given }, 9)
    if (hasRow) {
      await platform.records.put({
        ...recordKeys.ledgerRow('run-1', 0, idOf(ada)),
        value: { outcome: 'accepted', try: 0 },
      })
    }
    await post(confirm)
    expect((await readerOf(moved))?.state).toBe(goesOn ? 'confirmed' : undefined)
  })

  it('brings an instant reader what was published while it waited, without another post', async () => {
    const { platform, idOf } = await readersPlatform()
    const id = await confirmReader(platform, ada, { cadence: 'instant' })
    await changeSubscriber(platform, id, (current) => current && { ...current, note })
    const moving = await moveReader(platform, idOf(moved), {
      email: moved,
      wanted: preferencesOf(
        (await getSubscriber(platform, id))?.value as Subscriber,
        platform.settings,
      ),
      nonce: 'n'.repeat(16),
      consent: { at: platform.now().toISOString(), source: 'form' },
      changeFrom: id,
      expires: '2026-03-09T08:00:00.000Z',
    })
    expect(moving.status).toBe('waiting')
    await publishArticle(platform, { title: 'Meanwhile' })
    await tickAt(platform, '2026-03-02T08:01:00Z')
    expect(await platform.outbox()).toEqual([])

    await platform.records.put({ ...recordKeys.ledgerRow('run-1', 0, id), value: { try: 0 } })
    await tickAt(platform, '2026-03-02T08:02:00Z')
    expect((await platform.outbox()).map(({ to }) => to)).toEqual([moved])
  })

  it('leads an old link to leave to the new address, and an old link to the preferences nowhere', async () => {
    const { post, app, link, readerOf, confirm } = await moving()
    await post(confirm)
    expect((await app.request(link('preferences', ada))).status).toBe(410)
    await post(link('unsubscribe', ada), { 'List-Unsubscribe': 'One-Click' })
    expect((await readerOf(moved))?.state).toBe('unsubscribed')
  })

  it('does not bring back one who leaves while it waits', async () => {
    const all = await moving()
    const { platform, post, link, readerOf, confirm } = all
    await setNote(all, ada, note, 9)
    await post(confirm)
    await post(link('unsubscribe', ada), { 'List-Unsubscribe': 'One-Click' })
    platform.setNow('2028-01-01T00:00:00Z')
    await drive(platform)
    expect((await readerOf(moved))?.state).toBeUndefined()
    expect((await readerOf(ada))?.state).toBe('unsubscribed')
  })

  it('to the address of another reader leaves that one as they are', async () => {
    const { platform, post, join, link, readerOf, confirmLink } = await readersPlatform()
    await join(ada, { categories: 'tech' })
    const other = await join(moved, { categories: 'life', cadence: 'monthly' })
    const seen = [await confirmLink(moved)]
    platform.advance(day)
    await post(link('preferences', ada), { action: 'address', email: moved })
    await platform.settle()
    await post(await confirmLink(moved, seen))
    expect(await readerOf(moved)).toEqual(other)
    expect((await readerOf(ada))?.reason).toBe('erased')
  })

  it('to a suppressed address is refused by silence', async () => {
    const { platform, post, join, link, readerOf, mailsTo, idOf } = await readersPlatform()
    const reader = await join(ada)
    await join(moved)
    await suppress(platform, idOf(moved), 'hard-bounce')
    const before = (await mailsTo(moved)).length
    platform.advance(day)
    const response = await post(link('preferences', ada), { action: 'address', email: moved })
    expect(response.status).toBe(200)
    await platform.settle()
    expect(await mailsTo(moved)).toHaveLength(before)
    expect(await readerOf(ada)).toEqual(reader)
  })

  it('comes to nothing when the reader has left meanwhile', async () => {
    const { platform, post, link, readerOf, confirm } = await moving()
    await post(link('unsubscribe', ada))
    expect((await post(confirm)).status).toBe(410)
    expect((await readerOf(ada))?.state).toBe('unsubscribed')
    expect(await readerOf(moved)).toBeUndefined()
    expect((await platform.records.query(recordKeys.addressChanges)).records).toEqual([])
  })

  it.each([ada, 'ADA@EXAMPLE.ORG', 'nonsense', ''])('is refused for %j', async (email) => {
    const { join, post, link, readerOf } = await readersPlatform()
    const reader = await join(ada)
    const response = await post(link('preferences', ada), { action: 'address', email })
    expect(response.status).toBe(422)
    expect(await readerOf(ada)).toEqual(reader)
  })

  it('goes on after a crash at any of its writes', async () => {
    for (let at = 0; ; at++) {
      const { platform, readerOf, idOf } = await moving()
      const { confirmSubscription } = await import('../../functions/subscribers/subscribe.ts')
      const page = await platform.records.query<{ nonce: string }>(
        recordKeys.subscriptionRequests(idOf(moved)),
      )
      const nonce = page.records.find(({ sort }) => sort !== 'latest')?.sort ?? ''
      let writes = 0
      let crashed = false
      const records = new Proxy(platform.records, {
        get(target, name, receiver) {
          const member = Reflect.get(target, name, receiver)
          if (!['put', 'delete'].includes(String(name))) return member
          return (...args: unknown[]) => {
            if (crashed || writes === at) {
              crashed = true
              return Promise.reject(new Error('stopped'))
            }
            writes += 1
            return (member as (...args: unknown[]) => unknown).apply(target, args)
          }
        },
      })
      await confirmSubscription({ ...platform, records }, idOf(moved), nonce).catch(() => {})
      // Either the reader presses again, or a tick finds what is unfinished.
      if (at % 2) await confirmSubscription(platform, idOf(moved), nonce)
      await drive(platform)
      if (!crashed || at % 2 || (await readerOf(ada))?.state !== 'confirmed') {
        expect(await readerOf(moved)).toMatchObject({ state: 'confirmed', watermark: 5 })
        expect(await readerOf(ada)).toMatchObject({ state: 'suppressed', reason: 'erased' })
      } else {
        expect((await readerOf(moved))?.state).toBeUndefined()
      }
      if (!crashed) break
      expect(at).toBeLessThan(60)
    }
  }, 60_000)
})
