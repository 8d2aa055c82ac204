import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { lastStart } from '../../cli/last-start.ts'
import { backupStack } from '../../cli/transfer/backup-stack.ts'
import { isClock, isMoved } from '../../cli/transfer/moved-records.ts'
import { restoreStack } from '../../cli/transfer/restore-stack.ts'
import { readClock } from '../../functions/clock-mark.ts'
import { objectKeys, recordKeys } from '../../functions/keys.ts'
import { openBackup } from '../../functions/local/open-backup.ts'
import type { StoredRecord } from '../../functions/platform.ts'
import { readSending } from '../../functions/sending.ts'
import { confirmed } from '../journeys/reader-journey.ts'
import { type JourneyPlatform, linkIn, type Service, serviceOn } from '../journeys/service.ts'
import { type AwsServers, scratchAwsPlatform } from '../support/aws/aws-platform.ts'
import { startAwsServers } from '../support/aws/aws-servers.ts'
import { openScratchStack } from '../support/aws/open-stack.ts'
import { type FolderPlatform, folderService } from '../support/folder-service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

let servers: AwsServers
beforeAll(async () => {
  servers = await startAwsServers()
})
afterAll(() => servers.close())

const quiet = () => {}
const daily = { cadence: 'daily', at: '08:00', timeZone: 'UTC' }
const movedTo = 'https://moved.example'

/** Ada and Ben have got the first post, Ben has left, and Ada is owed the second. */
async function livedIn(data: string) {
  const service = await folderService(data, '2026-03-09T07:00:00Z')
  await confirmed(service, { email: 'ada@example.org', ...daily })
  await confirmed(service, { email: 'ben@example.org', ...daily, categories: [] })
  await service.publish({ id: 'a', title: 'First news', categories: ['railways'], content: 'x' })
  await service.tick('2026-03-09T08:00:00Z')
  const mails = (await service.mails()).filter(({ text }) => text?.includes('First news'))
  const mailTo = (address: string) => mails.find(({ to }) => to?.[0]?.address === address)
  await service.page(linkIn(mailTo('ben@example.org'), 'unsubscribe'), {})
  service.platform.setNow('2026-03-09T12:00:00Z')
  await service.publish({ id: 'b', title: 'Second news', categories: ['travel'], content: 'y' })
  return { service, preferences: linkIn(mailTo('ada@example.org'), 'preferences') }
}

async function copyOf({ platform }: Service<FolderPlatform>): Promise<string> {
  const folder = join(temporaryFolder(), 'copy')
  await platform.machine.backup(folder)
  await platform.close()
  return folder
}

async function newStack(baseUrl = movedTo) {
  const platform = await scratchAwsPlatform(servers, {
    now: '2026-03-09T13:00:00Z',
    settings: { site: { baseUrl } },
  })
  return { platform, open: openScratchStack(servers, platform) }
}

/** The stack as the world speaks to it, from now on. */
async function served({ platform }: Awaited<ReturnType<typeof newStack>>) {
  const { doorways, settle } = platform
  return serviceOn(platform, {
    request: doorways.web,
    afterwards: settle,
    tick: async () => {
      await doorways.clock()
      await settle()
      return { runs: [] }
    },
  })
}

/** Who got a digest that begins with a post. */
const receiversOf = async (service: Service<JourneyPlatform>, title: string) =>
  (await service.mails())
    .filter(({ subject }) => subject?.startsWith(title))
    .map(({ to }) => to?.[0]?.address)

const bytesOf = ({ partition, sort, value, index, expiresAt }: StoredRecord) =>
  JSON.stringify([
    `${partition} ${sort}`,
    JSON.stringify(value),
    index ?? null,
    // DynamoDB keeps whole seconds.
    expiresAt ? Math.ceil(expiresAt.getTime() / 1000) : null,
  ])

/** Rendering for another address counts as a change of feeds, which is none of readers or posts. */
const isOfRendering = ({ partition }: StoredRecord) =>
  partition === recordKeys.dirtyFeeds || partition === recordKeys.miscountedFeeds

async function moved(pages: AsyncIterable<StoredRecord[]> | Iterable<StoredRecord[]>) {
  const found: string[] = []
  for await (const page of pages) {
    found.push(...page.filter((r) => isMoved(r) && !isClock(r) && !isOfRendering(r)).map(bytesOf))
  }
  return found.sort()
}

function opened(folder: string) {
  const backup = openBackup(folder)
  onTestFinished(() => backup.close())
  return backup
}

describe('a data folder that moves into a stack and back', () => {
  it('keeps posts, readers, books and links, and mails nothing until somebody says so', async () => {
    const { service, preferences } = await livedIn(temporaryFolder())
    const folder = await copyOf(service)
    const backup = opened(folder)
    const stack = await newStack()
    const own = await stack.platform.doorways.web('/healthz')
    expect(own.status).toBe(200)

    const restored = await restoreStack(stack.open, backup, quiet)
    expect(restored.isContinued).toBe(false)
    const present = stack.platform.now()
    expect(await moved(stack.open.everyRecord())).toEqual(await moved(backup.records(present)))
    expect((await readClock(stack.platform))?.value).toEqual({ at: '2026-03-09T08:00:00.000Z' })

    // A minute on, whoever had the stack's first keys at hand has seen the new ones.
    stack.platform.advance(61_000)
    await stack.platform.refresh()
    expect(stack.platform.secrets.subscribers).toBe(backup.secrets.subscribers)
    await stack.platform.settle()
    const feed = await stack.platform.objects.get(objectKeys.feed('travel', 'rss.xml'))
    expect(Buffer.from(feed?.body ?? []).toString()).toContain(`${movedTo}/posts/second-news/`)

    const there = await served(stack)
    const due = await (await there.api('GET', '/api/v1/sending/due')).json()
    expect(due).toEqual({ last: 2, runs: [] })
    const before = (await stack.platform.outbox()).length
    await there.tick('2026-03-10T08:00:00Z')
    await there.tick('2026-03-10T08:10:00Z')
    expect(await stack.platform.outbox()).toHaveLength(before)
    expect(await (await there.api('GET', '/api/v1/sending/due')).json()).toMatchObject({
      runs: [{ schedule: 'daily-0800-UTC', to: 2, readers: 1 }],
    })

    // The link in a mail of the old place, at the new one.
    expect((await there.page(preferences)).html).toContain('ada@example.org')
    const readers = await (await there.api('GET', '/api/v1/subscribers')).json()
    const states = readers.items.map((r: { email: string; state: string }) => [r.email, r.state])
    expect(Object.fromEntries(states)).toEqual({
      'ada@example.org': 'confirmed',
      'ben@example.org': 'unsubscribed',
    })

    await there.api('POST', '/api/v1/sending/resume')
    await there.tick('2026-03-10T08:20:00Z')
    await there.tick('2026-03-11T08:00:00Z')
    expect(await receiversOf(there, 'Second news')).toEqual(['ada@example.org'])

    await expect(restoreStack(stack.open, backup, quiet)).rejects.toMatchObject({
      exit: 7,
      message: expect.stringContaining('npx cdk deploy -c stack=NAME -c identity=existing'),
    })

    const back = join(temporaryFolder(), 'back')
    const taken = await backupStack(stack.open, back, quiet)
    expect(taken).toMatchObject({ stack: 'Test', at: '2026-03-11T08:00:00.000Z', sending: [] })
    const copy = opened(back)
    expect(copy.note).toMatchObject({ stack: 'Test', at: taken.at })
    expect(await moved(copy.records(new Date(taken.at)))).toEqual(
      await moved(stack.open.everyRecord()),
    )
    expect([copy.secrets.subscribers, copy.secrets.links[0]]).toEqual([
      backup.secrets.subscribers,
      backup.secrets.links[0],
    ])
    // Whatever address it is started for, all is rendered for it.
    expect(lastStart(back)?.baseUrl).toBe('')
    await expect(backupStack(stack.open, back, quiet)).rejects.toMatchObject({ exit: 7 })

    const home = await folderService(back, '2026-03-11T09:00:00Z')
    expect(await readSending(home.platform)).toMatchObject({
      paused: true,
      reason: `copied from the stack Test at ${taken.at}`,
    })
    await home.publish({ id: 'c', title: 'Third news', categories: ['travel'], content: 'z' })
    await home.tick('2026-03-12T08:00:00Z')
    expect(await receiversOf(home, 'Third news')).toEqual([])
    await home.api('POST', '/api/v1/sending/resume')
    await home.tick('2026-03-12T08:10:00Z')
    await home.tick('2026-03-13T08:00:00Z')
    expect(await receiversOf(home, 'Third news')).toEqual(['ada@example.org'])
    expect((await home.page(preferences)).html).toContain('ada@example.org')
  })

  it('goes on after a break, and no clock strikes before all is there', async () => {
    const { service } = await livedIn(temporaryFolder())
    const rows = Array.from({ length: 1500 }, (_, i) => ({
      ...recordKeys.evidence(`delivery-${i}`),
      value: { i },
    }))
    await service.platform.records.putMany(rows)
    const folder = await copyOf(service)
    const backup = opened(folder)
    const stack = await newStack()
    const { records } = stack.platform
    let writes = 0
    const breaking: typeof stack.open = {
      ...stack.open,
      platform: {
        ...stack.open.platform,
        records: {
          ...records,
          putMany: async (some) => {
            if (++writes > 10) throw new Error('the line broke')
            await records.putMany(some)
          },
        },
      },
    }
    await expect(restoreStack(breaking, backup, quiet)).rejects.toThrow('the line broke')
    expect((await readSending(stack.platform)).paused).toBe(true)
    const { restoring } = (await readClock(stack.platform))?.value ?? {}
    expect(restoring).toMatchObject({ backup: backup.note.id, of: '2026-03-09T12:00:00.000Z' })
    expect(restoring?.after).toBeDefined()

    // Half of a service: its schedules would be due, and nobody is cut off from their run.
    stack.platform.setNow('2026-03-10T09:00:00Z')
    await stack.platform.doorways.clock()
    expect((await records.query(recordKeys.openRuns)).records).toEqual([])
    await expect(
      backupStack(stack.open, join(temporaryFolder(), 'half'), quiet),
    ).rejects.toMatchObject({ exit: 8 })
    const other = opened(await copyOf((await livedIn(temporaryFolder())).service))
    await expect(restoreStack(stack.open, other, quiet)).rejects.toMatchObject({ exit: 7 })

    const restored = await restoreStack(stack.open, backup, quiet)
    expect(restored.isContinued).toBe(true)
    expect(restored.records).toBeLessThan(1500)
    expect(await moved(stack.open.everyRecord())).toEqual(
      await moved(backup.records(stack.platform.now())),
    )
    expect((await readClock(stack.platform))?.value.restoring).toBeUndefined()
  })
})

describe('a stack on which only `smoke` was', () => {
  it('takes a backup, and numbers go on where the backup’s ended', async () => {
    const stack = await newStack('https://news.example')
    const there = await served(stack)
    const probe = await there.publish({ id: 'probe', title: 'Probe', content: 'x', mail: 'none' })
    await confirmed(there, { email: 'probe@example.org', ...daily })
    const { service } = await livedIn(temporaryFolder())
    const backup = opened(await copyOf(service))
    await expect(restoreStack(stack.open, backup, quiet)).rejects.toMatchObject({ exit: 7 })

    await there.api('DELETE', `/api/v1/posts/${probe.id}`)
    const { items } = await (await there.api('GET', '/api/v1/subscribers')).json()
    await there.api('DELETE', `/api/v1/subscribers/${items[0].id}`)
    await restoreStack(stack.open, backup, quiet)
    stack.platform.advance(61_000)
    await stack.platform.refresh()
    await there.api('POST', '/api/v1/sending/resume')
    await there.publish({ title: 'Third news', content: 'z' })
    await there.tick('2026-03-10T08:00:00Z')
    const mails = (await there.mails()).filter(({ subject }) => subject?.startsWith('Second news'))
    expect(mails.map(({ to, text }) => [to?.[0]?.address, text?.includes('Third news')])).toEqual([
      ['ada@example.org', true],
    ])
  })
})

describe('a stack that is read while it is used', () => {
  it('is read again when a post was published meanwhile, and given up when it never rests', async () => {
    const stack = await newStack()
    const there = await served(stack)
    let readings = 0
    const busy = (until: number): typeof stack.open => ({
      ...stack.open,
      async *everyRecord() {
        yield* stack.open.everyRecord()
        if (++readings <= until) await there.publish({ title: `Post ${readings}`, content: 'x' })
      },
    })
    const folder = join(temporaryFolder(), 'copy')
    await backupStack(busy(1), folder, quiet)
    expect(readings).toBe(2)
    const records = await moved(opened(folder).records(stack.platform.now()))
    expect(records).toEqual(await moved(stack.open.everyRecord()))

    readings = 0
    const never = join(temporaryFolder(), 'never')
    await expect(backupStack(busy(9), never, quiet)).rejects.toMatchObject({ exit: 8 })
    expect([readings, existsSync(never)]).toEqual([3, false])
  })

  it('loses no reader who changes their schedule between two pages', async () => {
    const stack = await newStack('https://news.example')
    const there = await served(stack)
    await confirmed(there, { email: 'ada@example.org', ...daily })
    const [page = []] = await Array.fromAsync(stack.open.everyRecord())
    const isMembership = ({ partition }: StoredRecord) => partition.includes('members')
    const torn: typeof stack.open = {
      ...stack.open,
      // The item as it was, and the rows as they are after a move to another schedule.
      async *everyRecord() {
        yield page.filter((record) => !isMembership(record))
      },
    }
    const folder = join(temporaryFolder(), 'copy')
    await backupStack(torn, folder, quiet)
    const home = await folderService(folder, '2026-03-09T20:00:00Z')
    await home.api('POST', '/api/v1/sending/resume')
    await home.publish({ title: 'News', content: 'x' })
    await home.tick('2026-03-10T08:00:00Z')
    expect(await receiversOf(home, 'News')).toEqual(['ada@example.org'])
  })

  it('keeps its API keys to itself', async () => {
    const stack = await newStack()
    await served(stack)
    const folder = join(temporaryFolder(), 'copy')
    await backupStack(stack.open, folder, quiet)
    const pages = [...opened(folder).records(stack.platform.now())]
    expect(pages.flat().filter(({ partition }) => partition === recordKeys.apiKeys)).toEqual([])
    expect(JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8'))).not.toHaveProperty(
      'localKey',
    )
  })
})
