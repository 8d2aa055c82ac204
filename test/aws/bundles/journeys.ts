import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import PostalMime from 'postal-mime'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type DeployedBundles, startAll } from '../../support/aws/deployed-bundles.ts'

const day = 24 * 60
const daily = { cadence: 'daily', at: '08:00', timeZone: 'UTC' }

/**
 * What a publisher and a reader do, by the bundles alone, each with the role of its function. Together
 * they need every grant that is written.
 */
export function bundleJourneys(deployed: () => DeployedBundles): void {
  async function open() {
    const all = await startAll(deployed())
    const { servers } = deployed()
    const { clients, ses } = servers
    const before = ses.mails.length
    onTestFinished(() => {
      ses.failFor(() => undefined)
      ses.setVerified(['news.example'])
    })
    const Bucket = all.bucket
    const listed = async (Prefix: string) =>
      ((await clients.s3.send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents ?? []).map(
        ({ Key = '' }) => Key,
      )
    const objectAt = async (Key: string) => {
      const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key }))
      return (await Body?.transformToString()) ?? ''
    }
    return {
      ...all,
      ses,
      listed,
      objectAt,
      mails: () => ses.mails.slice(before),
      /** The address that a mail leads to under a path of the site. */
      async linkIn(raw: string | Buffer | undefined, path: string): Promise<string> {
        const { text = '' } = await PostalMime.parse(raw ?? '')
        return new RegExp(`https://deployed\\.example(/${path}/[\\w.-]+)`).exec(text)?.[1] ?? ''
      },
      drop: (Key: string, Body: string) =>
        clients.s3.send(new PutObjectCommand({ Bucket, Key, Body })),
      /** S3's notice of a file, by the rule of the inbox. */
      notify: (key: string) =>
        clients.sqs.send(
          new SendMessageCommand({
            QueueUrl: all.queues.work,
            MessageBody: JSON.stringify({ detail: { object: { key, size: 16 } } }),
          }),
        ),
      /** SES's word about the newest mail to somebody, by the topic and the queue. */
      tell: (to: string, eventType: string, more = {}) => {
        const mail = ses.mails.findLast(({ destinations }) => destinations.includes(to))
        const tags = { delivery: [mail?.tags.delivery] }
        return clients.sqs.send(
          new SendMessageCommand({
            QueueUrl: all.queues.events,
            MessageBody: JSON.stringify({
              eventType,
              mail: { messageId: mail?.messageId, tags },
              ...more,
            }),
          }),
        )
      },
      publish: async (post: Record<string, unknown>) => {
        const published = await all.send('POST', '/api/v1/posts', { content: 'x', ...post })
        expect(published.ok).toBe(true)
        return (await published.json()) as { id: string; url: string }
      },
      items: async (path: string) =>
        ((await (await all.ask(path)).json()) as { items: Record<string, unknown>[] }).items,
    }
  }

  describe('the bundles', () => {
    it('take a reader from the form to the digest and, by SES’s word, to the end', async () => {
      const { post, settle, tick, later, mails, linkIn, publish, items, tell } = await open()
      const email = 'ada@example.org'
      expect((await post('/subscribe', { email, ...daily })).status).toBe(200)
      await settle()
      expect(mails()).toMatchObject([
        { destinations: [email], configurationSet: 'MailSet', source: 'news@news.example' },
      ])
      expect((await post(await linkIn(mails()[0]?.raw, 'confirm'), {})).status).toBe(200)
      expect(await items('/api/v1/subscribers')).toMatchObject([{ state: 'confirmed' }])

      await publish({ id: 'news', title: 'Sent from a bundle' })
      await settle()
      later(day)
      await tick()
      await settle()
      expect(mails()).toHaveLength(2)
      const { text } = await PostalMime.parse(mails()[1]?.raw ?? '')
      expect(text).toContain('Sent from a bundle')
      expect(await items('/api/v1/runs')).toMatchObject([{ state: 'done' }])

      await tell(email, 'Send')
      await tell(email, 'Bounce', { bounce: { bounceType: 'Permanent' } })
      await settle()
      expect(await items('/api/v1/subscribers')).toMatchObject([
        { state: 'suppressed', reason: 'hard-bounce' },
      ])
    })

    it('take files of the inbox to the feed, told of or not, and refuse with a reason', async () => {
      const { ask, drop, notify, settle, tick, later, now, listed, objectAt } = await open()
      await drop('inbox/note.md', '# From the inbox')
      await drop('inbox/picture.png', 'no post')
      await notify('inbox/note.md')
      await notify('inbox/picture.png')
      await settle()
      expect(await (await ask('/feeds/rss.xml')).text()).toContain('From the inbox')
      expect(await listed('inbox/')).toEqual([
        'inbox/rejected/picture.png',
        'inbox/rejected/picture.png.reason.txt',
      ])
      expect(await objectAt('inbox/rejected/picture.png.reason.txt')).toContain('Posts are')

      await drop('inbox/lost.md', '# Nobody was told')
      await drop('inbox/lost.txt', 'no post either')
      // The clock looks at this minute of each quarter of an hour.
      later(15 + ((67 - now().getUTCMinutes()) % 15))
      await tick()
      await settle()
      expect(await (await ask('/feeds/rss.xml')).text()).toContain('Nobody was told')
      expect(await listed('inbox/rejected/lost')).toEqual([
        'inbox/rejected/lost.txt',
        'inbox/rejected/lost.txt.reason.txt',
      ])
    })

    it('publish, show, withdraw and rebuild, and keep the log of many posts short', {
      timeout: 180_000,
    }, async () => {
      const { ask, send, drop, notify, settle, tick, later, now, publish, listed } = await open()
      const lines = (from: number, count: number) =>
        Array.from({ length: count }, (_, i) => ({
          path: `old-${from + i}.md`,
          source: `---\ntitle: Old ${from + i}\ndate: 2020-01-01\n---\nx`,
        }))
      const importAll = async (name: string, posts: object[]) => {
        const imported = await ask(`/api/v1/imports?import=${name}&line=1`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          body: posts.map((line) => `${JSON.stringify(line)}\n`).join(''),
        })
        return (await imported.text()).trim().split('\n')
      }
      const soon = new Date(now().getTime() + 3_600_000).toISOString()
      const due = await publish({ title: 'Comes due', published: soon })
      const bad = { path: 'bad.md', source: '---\ntitle: [\n---\n' }
      const report = await importAll('import-one', [...lines(0, 70), bad])
      expect(report.at(-1)).toContain('refused')
      expect(await listed('inbox/rejected/')).toHaveLength(2)
      // Nothing is rendered yet.
      expect(await (await ask('/')).text()).toContain('Old 1')
      // The log's head holds more than it should: whoever lists the next post writes rows.
      later(2 * 60)
      await tick()
      await importAll('import-two', lines(70, 40))
      await drop('inbox/one-more.md', '# One more')
      await notify('inbox/one-more.md')
      await settle()
      const feed = await (await ask('/feeds/rss.xml')).text()
      for (const title of ['Comes due', 'One more']) expect(feed).toContain(title)

      expect((await ask('/posts/comes-due/')).status).toBe(200)
      expect(await (await ask(`/api/v1/posts/${due.id}`)).json()).toMatchObject({
        title: 'Comes due',
      })
      expect((await send('DELETE', `/api/v1/posts/${due.id}`)).ok).toBe(true)
      await settle()
      expect((await ask('/posts/comes-due/')).status).toBe(410)
      expect((await send('POST', '/api/v1/feeds/rebuild', {})).ok).toBe(true)
      await settle()
      expect(await (await ask('/feeds/rss.xml')).text()).not.toContain('Comes due')
    })

    it('mail a letter at once, try again what was refused, and forget who asks for it', async () => {
      const { post, send, settle, mails, linkIn, publish, items, ses } = await open()
      for (const email of ['bob@example.org', 'cleo@example.org']) {
        await post('/subscribe', { email, ...daily })
        await settle()
        await post(await linkIn(mails().at(-1)?.raw, 'confirm'), {})
      }
      ses.failFor((to) =>
        to.startsWith('bob')
          ? { kind: 'error', status: 400, code: 'MessageRejected', message: 'No.' }
          : undefined,
      )
      await publish({ id: 'letter', title: 'A letter', mail: 'letter' })
      await settle()
      expect(mails().map(({ destinations }) => destinations[0])).toEqual([
        'bob@example.org',
        'cleo@example.org',
        'cleo@example.org',
      ])
      const [run] = await items('/api/v1/runs')
      expect(run).toMatchObject({ state: 'done' })
      ses.failFor(() => undefined)
      expect((await send('POST', `/api/v1/runs/${run?.id}/retry`)).ok).toBe(true)
      await settle()
      expect(mails().at(-1)?.destinations).toEqual(['bob@example.org'])
      for (const { id } of await items('/api/v1/subscribers')) {
        expect((await send('DELETE', `/api/v1/subscribers/${id}`)).ok).toBe(true)
      }
      expect(await items('/api/v1/subscribers?state=confirmed')).toEqual([])
    })

    it('stop a run that readers complain of', async () => {
      const { send, settle, publish, items, tell, ses } = await open()
      const names = ['flora', 'gus', 'hanna', 'ivo'].map((name) => `${name}@example.org`)
      for (const email of names) {
        const proof = { confirmed: true, consent: { at: '2026-01-01T00:00:00Z', source: 'fair' } }
        expect((await send('POST', '/api/v1/subscribers', { email, ...daily, ...proof })).ok).toBe(
          true,
        )
      }
      // One mail whose answer got lost: the run stays open.
      ses.failFor((to) => (to.startsWith('ivo') ? { kind: 'accept-and-drop' } : undefined))
      await publish({ id: 'letter', title: 'Too much', mail: 'letter' })
      await settle()
      expect(await items('/api/v1/runs')).toMatchObject([{ state: 'sending' }])
      for (const email of names.slice(0, 3)) await tell(email, 'Complaint')
      await settle()
      expect(await items('/api/v1/runs')).toMatchObject([
        { state: 'paused', reason: expect.stringContaining('reported as spam') },
      ])
    })

    it('keep mails until SES knows the sender, look there for proof, and forget them with their reader', async () => {
      const all = await open()
      const { post, send, settle, tick, later, mails, linkIn, publish, listed, objectAt, ses } = all
      ses.setVerified([])
      for (const email of ['dora@example.org', 'emil@example.org']) {
        await post('/subscribe', { email, ...daily })
        await settle()
      }
      expect(mails()).toEqual([])
      const kept = await listed('outbox/')
      expect(kept).toHaveLength(2)
      for (const key of kept) await post(await linkIn(await objectAt(key), 'confirm'), {})
      ses.setVerified(['news.example'])

      // SES takes the mail, and its answer gets lost.
      await publish({ id: 'news', title: 'On its way' })
      await settle()
      later(day)
      ses.failFor((to) => (to.startsWith('dora') ? { kind: 'accept-and-drop' } : undefined))
      await tick()
      await settle()
      ses.failFor(() => undefined)
      const digest = mails().find(({ destinations }) => destinations[0] === 'dora@example.org')
      const preferences = await linkIn(digest?.raw, 'preferences')
      const moved = await post(preferences, { action: 'address', email: 'dora@news.example' })
      expect(moved.status).toBe(200)
      await settle()
      expect(mails().at(-1)?.destinations).toEqual(['dora@news.example'])
      expect((await post(await linkIn(mails().at(-1)?.raw, 'confirm'), {})).status).toBe(200)
      expect(await listed('outbox/')).toHaveLength(2)

      // What SES says nothing of cannot be known; then the move goes on, and the old address is gone.
      for (let i = 0; i < 4; i++) {
        later(15)
        await tick()
        await settle()
      }
      expect(await listed('outbox/')).toHaveLength(1)
      const found = await all.items('/api/v1/subscribers?state=confirmed')
      const emil = found.find(({ email }) => email === 'emil@example.org')
      expect(found.map(({ email }) => email)).toContain('dora@news.example')
      expect((await send('DELETE', `/api/v1/subscribers/${emil?.id}`)).ok).toBe(true)
      expect(await listed('outbox/')).toEqual([])
    })
  })
}
