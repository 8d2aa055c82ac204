import { type ParsedMail, simpleParser } from 'mailparser'
import { afterEach, describe, expect, it } from 'vitest'
import { createApp } from '../../../functions/app.ts'
import { openParcels } from '../../../functions/digests/editions/parcels.ts'
import type { Run } from '../../../functions/digests/runs/run.ts'
import { recordKeys } from '../../../functions/keys.ts'
import type { Platform, RecordStore } from '../../../functions/platform.ts'
import type { StoredPost } from '../../../functions/posts/stored-post.ts'
import { getSubscriber } from '../../../functions/subscribers/store.ts'
import { listInLog } from '../../support/list-in-log.ts'
import { type ScratchPlatform, scratchPlatform } from '../../support/scratch-platform.ts'
import { confirmReader, publishArticle, tickAt } from '../newsroom.ts'
import { type ScriptedMailer, scriptedMailer } from '../scripted-mailer.ts'

let platform: ScratchPlatform
let mailer: ScriptedMailer
afterEach(() => platform.close())

async function start() {
  mailer = scriptedMailer()
  platform = await scratchPlatform({ now: '2026-03-01T18:00:00Z', mailer })
  await tickAt(platform, '2026-03-01T18:00:00Z')
}

/** Many posts of a category, listed as publishing lists them. */
async function publishMany(category: string, count: number): Promise<void> {
  const first = await publishArticle(platform, { title: 'Noise', categories: [category] })
  const stored = await platform.records.get<StoredPost>(recordKeys.post(first))
  const { number: _, ...post } = stored?.value as StoredPost
  const ids = Array.from({ length: count - 1 }, (_, i) => `noise${i}`)
  for (const id of ids) {
    const value: StoredPost = { ...post, id, again: 0 }
    await platform.records.put({ ...recordKeys.post(id), value })
  }
  for (let i = 0; i < ids.length; i += 500) {
    const listed = ids.slice(i, i + 500)
    await listInLog(
      platform,
      listed.map((postId) => ({ postId, categories: [category], mail: 'digest', again: 0 })),
    )
  }
}

async function mailTo(address: string) {
  const mails = mailer.sent.filter(({ to }) => to === address)
  expect(mails).toHaveLength(1)
  return simpleParser(Buffer.from(mails[0]?.raw ?? []))
}

/** The page that a mail links to. */
async function pageOf({ html }: ParsedMail): Promise<string> {
  const path = /https:\/\/news\.example(\/archive\/[\w-]+\/)/.exec(String(html))?.[1]
  return (await createApp(platform).request(path ?? '/no-link')).text()
}

describe('where 2,100 posts come in between two digests', () => {
  it('a reader of a quiet category still gets its one post, in the mail and on its page', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org', { categories: ['quiet'] })
    await publishArticle(platform, { title: 'Heard after all', categories: ['quiet'] })
    await publishMany('noise', 2100)
    await tickAt(platform, '2026-03-02T08:00:00Z')
    const mail = await mailTo('ada@example.org')
    expect(mail.text).toContain('Heard after all')
    const page = await pageOf(mail)
    expect(page).toContain('Heard after all')
    expect(page).not.toContain('Noise')
  })

  it('a post moved into the quiet category later is owed there', async () => {
    await start()
    await confirmReader(platform, 'ada@example.org', { categories: ['quiet'] })
    await publishArticle(platform, { id: 'a', title: 'Moved', categories: ['noise'] })
    await publishMany('noise', 2100)
    await publishArticle(platform, { id: 'a', title: 'Moved', categories: ['quiet'] })
    await tickAt(platform, '2026-03-02T08:00:00Z')
    expect((await mailTo('ada@example.org')).text).toContain('Moved')
  })

  it('a reader of everything is told how many there are; the page shows the last 2,000', async () => {
    await start()
    const ada = await confirmReader(platform, 'ada@example.org')
    await publishMany('noise', 2100)
    await tickAt(platform, '2026-03-02T08:00:00Z')
    const mail = await mailTo('ada@example.org')
    expect(mail.text).toContain('2,080 more')
    expect(await pageOf(mail)).toContain('2,000 posts')
    expect((await getSubscriber(platform, ada))?.value.watermark).toBe(2100)
  })
})

it('a post withdrawn at the moment a digest is written is not in it', async () => {
  await start()
  const ada = await confirmReader(platform, 'ada@example.org')
  await publishArticle(platform, { id: 'a', title: 'Stays' })
  const gone = await publishArticle(platform, { id: 'b', title: 'Goes' })
  // Between the look at what is owed and the reading of what is shown.
  let looks = 0
  const getMany: RecordStore['getMany'] = async (keys) => {
    if (keys.some(({ sort }) => sort === recordKeys.post(gone).sort) && looks++ === 1) {
      const stored = await platform.records.get<StoredPost>(recordKeys.post(gone))
      const value = { ...(stored?.value as StoredPost), state: 'withdrawn' as const }
      await platform.records.put({ ...recordKeys.post(gone), value })
    }
    return platform.records.getMany(keys)
  }
  const watched: Platform = { ...platform, records: { ...platform.records, getMany } }
  const run: Pick<Run, 'id' | 'kind' | 'schedule' | 'dueAt' | 'to'> = {
    id: 'r',
    kind: 'digest',
    schedule: 's',
    dueAt: '2026-03-02T08:00:00Z',
    to: 2,
  }
  const reader = (await getSubscriber(platform, ada))?.value
  if (!reader) throw new Error('no reader')
  const parcel = await openParcels(watched).find(run as Run, reader, { from: 0, to: 2 })
  const { text } = await simpleParser(Buffer.from(parcel?.('d').raw ?? []))
  expect(text).toContain('Stays')
  expect(text).not.toContain('Goes')
})
