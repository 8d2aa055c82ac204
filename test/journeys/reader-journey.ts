import { describe, expect, it } from 'vitest'
import { headerOf, linkIn, type OpenService, type Service } from './service.ts'

const monday = '2026-03-09T08:00:00Z'
const nextMonday = '2026-03-16T08:00:00Z'

async function subscribe(service: Service, fields: Record<string, string | string[]> = {}) {
  const form = {
    email: 'ada@example.org',
    cadence: 'weekly',
    day: 'mon',
    at: '08:00',
    timeZone: 'UTC',
  }
  const asked = { ...form, ...fields }
  const { status } = await service.page('/subscribe', asked)
  expect(status).toBe(200)
  const mail = (await service.mails()).findLast(
    ({ text, to }) => text?.includes('/confirm/') && to?.[0]?.address === asked.email,
  )
  return linkIn(mail, 'confirm')
}

/** Fills in the form and confirms: by default a weekly reader of everything. */
export async function confirmed(
  service: Service,
  fields: Record<string, string | string[]> = {},
): Promise<void> {
  const link = await subscribe(service, fields)
  expect((await service.page(link, {})).status).toBe(200)
}

const readers = async ({ api }: Service) =>
  ((await (await api('GET', '/api/v1/subscribers')).json()) as { items: { state: string }[] }).items

/** What becomes of a reader, from the form to the last mail. */
export function readerJourney(where: string, open: OpenService): void {
  describe(`${where}: a reader`, () => {
    it('who confirms gets one digest of what is new in their categories, once, and can leave', async () => {
      const service = await open()
      await service.publish({ id: 'old', title: 'Before', categories: ['railways'], content: 'x' })
      const link = await subscribe(service, { categories: ['railways'] })

      // Mail scanners open every link: that confirms nobody.
      for (let i = 0; i < 3; i++) expect((await service.page(link)).status).toBe(200)
      expect((await readers(service)).filter(({ state }) => state === 'confirmed')).toEqual([])
      expect((await service.page(link, {})).status).toBe(200)
      expect(await readers(service)).toMatchObject([
        { state: 'confirmed', categories: ['railways'] },
      ])

      await service.publish({
        id: 'a',
        title: 'First news',
        categories: ['railways'],
        content: 'x',
      })
      await service.publish({
        id: 'b',
        title: 'Second news',
        categories: ['railways', 'travel'],
        content: 'x',
      })
      await service.publish({ id: 'c', title: 'Not for Ada', categories: ['travel'], content: 'x' })
      const { runs } = await service.tick(monday)
      expect(runs).toMatchObject([{ state: 'done', counts: { candidates: 1, accepted: 1 } }])

      const [, digest, ...more] = await service.mails()
      expect(more).toEqual([])
      expect(digest?.to).toMatchObject([{ address: 'ada@example.org' }])
      for (const title of ['First news', 'Second news']) {
        expect(digest?.text?.split(title)).toHaveLength(2)
        expect(digest?.html).toContain(title)
      }
      for (const title of ['Before', 'Not for Ada']) expect(digest?.text).not.toContain(title)

      // The same instant again, and the week after without news: nothing more comes.
      await service.tick(monday)
      const quiet = await service.tick(nextMonday)
      expect(quiet.runs).toMatchObject([{ state: 'skipped', counts: { empty: 1 } }])
      expect(quiet.runs[0]?.reason).toBeTruthy()
      expect(await service.mails()).toHaveLength(2)

      // One click, as a mailbox provider does it: no page, no redirect.
      const unsubscribe =
        /<https:\/\/news\.example([^>]+)>/.exec(headerOf(digest, 'List-Unsubscribe') ?? '')?.[1] ??
        ''
      expect(headerOf(digest, 'List-Unsubscribe-Post')).toBe('List-Unsubscribe=One-Click')
      expect((await service.app.request(unsubscribe)).status).toBe(200)
      expect(await readers(service)).toMatchObject([{ state: 'confirmed' }])
      const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
      expect((await service.app.request(unsubscribe, { method: 'POST', body })).status).toBe(200)
      expect(await readers(service)).toMatchObject([{ state: 'unsubscribed' }])
      await service.publish({ id: 'd', title: 'Too late', categories: ['railways'], content: 'x' })
      await service.tick('2026-03-23T08:00:00Z')
      expect(await service.mails()).toHaveLength(2)
    })

    it('changes what they read by the link in a mail', async () => {
      const service = await open()
      await service.publish({
        id: 'seed',
        title: 'Seed',
        categories: ['railways', 'travel'],
        content: 'x',
      })
      await confirmed(service, { categories: ['railways'] })
      await service.publish({ id: 'a', title: 'One', categories: ['railways'], content: 'x' })
      await service.tick(monday)
      const link = linkIn((await service.mails()).at(-1), 'preferences')
      expect((await service.page(link)).html).toContain('railways')
      const changed = await service.page(link, {
        categories: ['travel'],
        cadence: 'daily',
        at: '07:00',
        timeZone: 'Europe/Berlin',
        locale: 'de',
      })
      expect(changed.status).toBe(200)
      expect(await readers(service)).toMatchObject([
        {
          categories: ['travel'],
          cadence: 'daily',
          at: '07:00',
          timeZone: 'Europe/Berlin',
          locale: 'de',
        },
      ])
      await service.publish({ id: 'b', title: 'Zwei', categories: ['travel'], content: 'x' })
      const { runs } = await service.tick('2026-03-10T06:00:00Z')
      expect(runs).toMatchObject([{ state: 'done', counts: { accepted: 1 } }])
      expect((await service.mails()).at(-1)?.text).toContain('Zwei')
    })

    it('gets a correction, a new date or a new category of a post they have had no second time', async () => {
      const service = await open()
      await confirmed(service)
      const post = { id: 'a', title: 'Once', categories: ['railways'], content: 'x' }
      await service.publish(post)
      await service.tick(monday)
      await service.publish({
        ...post,
        title: 'Once, corrected',
        categories: ['travel'],
        published: '2026-03-15T00:00:00Z',
      })
      const { runs } = await service.tick(nextMonday)
      expect(runs).toMatchObject([{ state: 'skipped' }])
      expect(await service.mails()).toHaveLength(2)
    })

    it('hears at once when they asked for it, and of a letter whatever they asked for', async () => {
      const service = await open()
      await confirmed(service, { cadence: 'instant' })
      await service.publish({ id: 'a', title: 'Right now', content: 'x' })
      expect((await service.mails()).at(-1)?.text).toContain('Right now')
      await confirmed(service, { email: 'bob@example.org' })
      await service.publish({
        id: 'l',
        title: 'A letter',
        content: 'Dear **all**.',
        mail: 'letter',
      })
      const letters = (await service.mails()).filter(({ html }) =>
        html?.includes('<strong>all</strong>'),
      )
      expect(letters.map(({ to }) => to?.[0]?.address).sort()).toEqual([
        'ada@example.org',
        'bob@example.org',
      ])
    })

    it('of whom nothing is known is answered like one who is known, and is asked once a day', async () => {
      const service = await open()
      await confirmed(service)
      const form = { cadence: 'weekly', day: 'mon', at: '08:00', timeZone: 'UTC' }
      const known = await service.page('/subscribe', { ...form, email: 'ada@example.org' })
      const unknown = await service.page('/subscribe', { ...form, email: 'eve@example.org' })
      expect(known.html.replaceAll('ada@', '')).toBe(unknown.html.replaceAll('eve@', ''))
      const before = (await service.mails()).length
      for (let i = 0; i < 5; i++)
        await service.page('/subscribe', { ...form, email: 'eve@example.org' })
      expect(await service.mails()).toHaveLength(before)
    })

    it('who is erased is in no mail that was kept, and nobody else is touched', async () => {
      const service = await open()
      await confirmed(service)
      await confirmed(service, { email: 'bob@example.org' })
      await service.publish({ id: 'a', title: 'News', content: 'x' })
      await service.tick(monday)
      const { objects } = service.platform
      const keptFor = async (email: string) => {
        const { objects: listed } = await objects.list('outbox/')
        const mails = await Promise.all(listed.map(({ key }) => objects.get(key)))
        return mails.filter((mail) => Buffer.from(mail?.body ?? []).includes(email)).length
      }
      const before = await keptFor('bob@example.org')
      expect(await keptFor('ada@example.org')).toBe(before)
      const found = await service.api('GET', '/api/v1/subscribers?email=ada@example.org')
      const { items } = (await found.json()) as { items: { id: string; email: string }[] }
      const { id } = items.find(({ email }) => email === 'ada@example.org') ?? {}
      expect((await service.api('DELETE', `/api/v1/subscribers/${id}`)).status).toBe(204)
      expect(await keptFor('ada@example.org')).toBe(0)
      expect(await keptFor('bob@example.org')).toBe(before)
    })

    it('of an import is mailed nothing of the archive that an import brings', async () => {
      const service = await open()
      const csv =
        'email,cadence,day,at,timeZone,confirmedAt,consent\nada@example.org,weekly,mon,08:00,UTC,2026-01-01T00:00:00Z,form\n'
      const taken = await service.api('POST', '/api/v1/subscribers/import', csv, {
        'content-type': 'text/csv',
      })
      expect(await taken.text()).toContain('"added"')
      const archive = Array.from({ length: 30 }, (_, i) =>
        JSON.stringify({
          id: `p${i}`,
          title: `Archive ${i}`,
          published: '2026-03-01T00:00:00Z',
          content: 'x',
        }),
      )
      const imported = await service.api('POST', '/api/v1/imports', archive.join('\n'), {
        'content-type': 'application/x-ndjson',
      })
      expect((await imported.text()).trim().split('\n')).toHaveLength(30)
      await service.publish({ id: 'new', title: 'News', content: 'x' })
      await service.tick(monday)
      const [digest, ...more] = await service.mails()
      expect(more).toEqual([])
      expect(digest?.text).toContain('News')
      expect(digest?.text).not.toContain('Archive')
    })
  })
}
