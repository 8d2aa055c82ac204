import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { InboxBucket } from '../../functions/aws/inbox-bucket.ts'
import { takeInboxObject } from '../../functions/aws/inbox-object.ts'
import { type ScratchAwsPlatform, scratchAwsPlatform } from '../support/aws/aws-platform.ts'
import { startGatedServers } from '../support/aws/gated-servers.ts'

let servers: Awaited<ReturnType<typeof startGatedServers>>
let platform: ScratchAwsPlatform

beforeAll(async () => {
  servers = await startGatedServers()
})
afterEach(() => expect(servers.gate.takeFaults()).toEqual([]))
afterAll(() => servers.close())
beforeEach(async () => {
  platform = await scratchAwsPlatform(servers)
})

/** As EventBridge hands it to the queue. */
const notice = (key: string) => ({
  version: '0',
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': 'Object Created',
  source: 'aws.s3',
  account: '111122223333',
  time: '2026-03-02T08:00:00Z',
  region: 'eu-central-1',
  detail: {
    version: '0',
    bucket: { name: 'bucket' },
    object: { key, size: 20, etag: 'b1946ac92492d2347c6235b4d2611184', sequencer: '00' },
    reason: 'PutObject',
  },
})
const tell = (...keys: string[]) =>
  platform.doorways.jobs({
    Records: keys.map((key, i) => ({ messageId: `m${i}`, body: JSON.stringify(notice(key)) })),
  })
const done = { batchItemFailures: [] }

/** As a person's own tool does, by any key. */
const drop = (key: string, text: string) =>
  servers.clients.s3.send(
    new PutObjectCommand({ Bucket: platform.bucket, Key: key, Body: Buffer.from(text) }),
  )
async function inbox(): Promise<string[]> {
  const { files } = await platform.inbox.list()
  return files.map(({ key }) => key)
}
async function titles(): Promise<string[]> {
  await platform.settle()
  const feed = await platform.doorways.web('/feeds/feed.json')
  const { items } = (await feed.json()) as { items: { title: string }[] }
  return items.map(({ title }) => title).sort()
}
const textOf = async (key: string) =>
  new TextDecoder().decode((await platform.objects.get(key))?.body)

describe('a file put under `inbox/`', () => {
  it('is published, once however often it is told', async () => {
    await drop('inbox/notes/first post.md', '# From the inbox\n\nText.\n')
    for (let i = 0; i < 2; i++) expect(await tell('inbox/notes/first post.md')).toEqual(done)
    expect(await inbox()).toEqual([])
    expect(await titles()).toEqual(['From the inbox'])
  })

  it('that is refused moves to `inbox/rejected/` with its reason, and stays there', async () => {
    await drop('inbox/bad.md', '---\ntitle: [\n---\nx')
    await drop('inbox/photo.png', 'no post')
    expect(await tell('inbox/bad.md', 'inbox/photo.png')).toEqual(done)
    const refused = ['bad.md', 'bad.md.reason.txt', 'photo.png', 'photo.png.reason.txt'].map(
      (name) => `inbox/rejected/${name}`,
    )
    expect(await inbox()).toEqual(refused)
    expect(await textOf('inbox/rejected/bad.md.reason.txt')).toContain('post.front-matter')
    // Its own writes come back as notices: no loop.
    await tell(...refused)
    expect(await inbox()).toHaveLength(4)
  })

  it('that is too large is not read; a folder is no file', async () => {
    await drop('inbox/huge.md', 'x'.repeat(5 * 1024 * 1024 + 1))
    for (let i = 0; i < 2; i++) expect(await tell('inbox/huge.md', 'inbox/')).toEqual(done)
    expect(await inbox()).toEqual(['inbox/huge.md', 'inbox/rejected/huge.md.reason.txt'])
    expect(platform.logged.filter((line) => line.includes('too-large'))).toHaveLength(1)
    expect(await titles()).toEqual([])
  })

  it.each([
    ['not composed, as Mac tools write it', 'inbox/fu\u0308r/cafe\u0301.md'],
    ['with an empty folder', 'inbox/a//b.md'],
    ['of 300 bytes', `inbox/${'长'.repeat(100)}.md`],
    ['with a plus and a percent sign', 'inbox/a+b %41.md'],
  ])('is published by a name %s', async (_, key) => {
    await drop(key, '# Named\n\nText.\n')
    expect(await inbox()).toEqual([key])
    expect(await tell(key)).toEqual(done)
    expect(await inbox()).toEqual([])
    expect(await titles()).toEqual(['Named'])
  })

  it.each([
    ['a tab', 'inbox/a\tb.md'],
    ['a path over 900 bytes', `inbox/${'a/'.repeat(460)}b.md`],
    ['a backslash that leads out', 'inbox/..\\b.md'],
  ])('is refused with its reason, not stuck, when its name has %s', async (_, key) => {
    await drop(key, '# Named\n\nText.\n')
    expect(await tell(key)).toEqual(done)
    const left = await inbox()
    expect(left).toHaveLength(2)
    expect(left.every((name) => name.startsWith('inbox/rejected/'))).toBe(true)
    expect(await textOf(left.find((name) => name.endsWith('.txt')) ?? '')).toContain('post.path')
    expect(await titles()).toEqual([])
  })
})

/** The platform whose inbox does something after a file was read. */
function whileReading(then: (key: string, reads: number) => Promise<unknown>): ScratchAwsPlatform {
  let reads = 0
  const watched: InboxBucket = {
    ...platform.inbox,
    get: async (key, most) => {
      const file = await platform.inbox.get(key, most)
      if (file) await then(key, ++reads)
      return file
    },
  }
  return { ...platform, inbox: watched }
}

describe('a file that is saved anew while it is published', () => {
  it('is published again, by whoever has it', async () => {
    await drop('inbox/a.md', '# First\n\nText.\n')
    const racing = whileReading(async (key, reads) => {
      if (reads > 1) return
      await drop(key, '# Second\n\nText.\n')
      // Its own notice comes at once, and finds the file taken.
      expect(await tell(key)).toEqual(done)
    })
    await takeInboxObject(racing, 'inbox/a.md')
    expect(await inbox()).toEqual([])
    expect(await titles()).toEqual(['Second'])
  })

  it('is kept when it was refused, and what it became is published', async () => {
    await drop('inbox/a.md', '---\ntitle: [\n---\nx')
    const racing = whileReading((key, reads) =>
      reads > 1 ? Promise.resolve() : drop(key, '# Mended\n\nText.\n'),
    )
    await takeInboxObject(racing, 'inbox/a.md')
    expect(await titles()).toEqual(['Mended'])
  })

  it('without end is left to its next notice', async () => {
    await drop('inbox/a.md', '# 0\n\nText.\n')
    await takeInboxObject(
      whileReading((key, reads) => drop(key, `# ${reads}\n\nText.\n`)),
      'inbox/a.md',
    )
    expect(await inbox()).toEqual(['inbox/a.md'])
    await tell('inbox/a.md')
    expect(await inbox()).toEqual([])
    expect(await titles()).toEqual(['5'])
  })

  it('does not wait for a worker that died with it', async () => {
    await drop('inbox/a.md', '# First\n\nText.\n')
    await new Promise<void>((resolve) => {
      const dying = whileReading(() => {
        resolve()
        return new Promise<never>(() => {})
      })
      void takeInboxObject(dying, 'inbox/a.md')
    })
    await tell('inbox/a.md')
    expect(await inbox()).toEqual(['inbox/a.md'])
    platform.advance(91_000)
    await tell('inbox/a.md')
    expect(await titles()).toEqual(['First'])
  })
})

describe('a file of which no notice came', () => {
  const clockAt = async (instant: string) => {
    platform.setNow(instant)
    await platform.doorways.clock()
  }

  it('is found by the clock within a quarter of an hour, past whatever was refused', async () => {
    await drop('inbox/a.md', '# Before\n\nText.\n')
    await drop('inbox/zoë.md', '# Behind\n\nText.\n')
    await drop('inbox/bad.md', '---\ntitle: [\n---\nx')
    await drop('inbox/rejected/c.md', '# Refused\n\nText.\n')
    await clockAt('2026-03-02T08:06:00Z')
    expect(await inbox()).toHaveLength(4)
    await clockAt('2026-03-02T08:07:00Z')
    expect(await inbox()).toEqual([
      'inbox/rejected/bad.md',
      'inbox/rejected/bad.md.reason.txt',
      'inbox/rejected/c.md',
    ])
    expect(await titles()).toEqual(['Before', 'Behind'])
    await clockAt('2026-03-02T08:22:00Z')
    expect(await inbox()).toHaveLength(3)
  })

  it('is left to its notice while that may still come', async () => {
    await drop('inbox/a.md', '# New\n\nText.\n')
    const { lookAtInbox } = await import('../../functions/aws/look-at-inbox.ts')
    platform.setNow(new Date())
    expect(await lookAtInbox(platform, new Date('2099-01-01'))).toBe(0)
    platform.advance(3 * 60_000)
    expect(await lookAtInbox(platform, new Date('2099-01-01'))).toBe(1)
  })

  it('and cannot be taken is told in the log, and stops no other', async () => {
    await drop('inbox/a.md', '# A\n\nText.\n')
    await drop('inbox/b.md', '# B\n\nText.\n')
    const { lookAtInbox } = await import('../../functions/aws/look-at-inbox.ts')
    const faulty = whileReading(async (key) => {
      if (key === 'inbox/a.md') throw new Error('no such luck')
    })
    expect(await lookAtInbox(faulty, new Date('2099-01-01'))).toBe(2)
    expect(await inbox()).toEqual(['inbox/a.md'])
    expect(platform.logged.join()).toContain('no such luck')
    expect(await lookAtInbox(platform, platform.now())).toBe(0)
    expect(await titles()).toEqual(['B'])
  })
})
