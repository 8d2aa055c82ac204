import fs from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { findApiKey, listApiKeys, revokeApiKey } from '../../functions/api/api-keys.ts'
import { jsonLog } from '../../functions/json-log.ts'
import { type LocalPlatformOptions, localPlatform } from '../../functions/local/platform.ts'
import { startServer } from '../../functions/local/server.ts'
import { defaultSettings } from '../../functions/settings/settings.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const html = { contentType: 'text/html; charset=utf-8' }
const message = {
  deliveryId: 'd1',
  from: 'a@example.org',
  to: 'b@example.org',
  raw: Buffer.from('To: b@example.org\r\n\r\nHi\r\n'),
  kind: 'bulk' as const,
}

function open(data: string, options: Partial<LocalPlatformOptions> = {}) {
  return localPlatform({
    data,
    settings: defaultSettings,
    log: jsonLog({ level: 'silent' }),
    ...options,
  })
}

describe('a data folder', () => {
  it('is laid out so that a person finds things', async () => {
    const data = join(temporaryFolder(), 'deep', 'data')
    const platform = await open(data)
    await platform.objects.put('public/index.html', Buffer.from('hi'), html)
    await platform.objects.put('inbox/rejected/a.md', Buffer.from('x'), {
      contentType: 'text/markdown',
    })
    await platform.mailer.send(message, new Date(Date.now() + 60_000))
    expect(fs.readFileSync(join(data, 'objects/public/index.html'), 'utf8')).toBe('hi')
    expect(fs.existsSync(join(data, 'inbox/rejected/a.md'))).toBe(true)
    expect(fs.existsSync(join(data, 'outbox/d1.eml'))).toBe(true)
    expect((await platform.objects.list('outbox/')).objects.map(({ key }) => key)).toEqual([
      'outbox/d1.eml',
    ])
    expect((await platform.machine.outbox?.list({ limit: 10 }))?.map(({ id }) => id)).toEqual([
      'd1',
    ])
    await platform.close()
    expect(fs.readdirSync(data).toSorted()).toEqual([
      'broadsheet.sqlite',
      'format.json',
      'inbox',
      'lock',
      'objects',
      'outbox',
      'secrets.json',
    ])
    expect(fs.statSync(data).mode & 0o077).toBe(0)
  })

  it('keeps everything over a restart, its keys included', async () => {
    const data = temporaryFolder()
    const first = await open(data)
    await first.records.put({ partition: 'p', sort: 's', value: 1 })
    await first.objects.put('posts/1/source', Buffer.from('x'), {
      contentType: 'text/html',
      version: 'v',
    })
    await first.jobs.enqueue([{ kind: 'regenerate', feed: 'a' }])
    await first.rotateLinks()
    const { secrets, localKey } = first
    const links = [...secrets.links]
    await first.close()
    const second = await open(data)
    expect(second.secrets.links).toEqual(links)
    expect(second.secrets.subscribers).toBe(secrets.subscribers)
    expect(second.localKey).toBe(localKey)
    expect((await second.records.get({ partition: 'p', sort: 's' }))?.value).toBe(1)
    expect(await second.objects.get('posts/1/source')).toMatchObject({
      contentType: 'text/html',
      version: 'v',
    })
    expect(await second.jobs.receive('urgent', { limit: 1, leaseSeconds: 5 })).toHaveLength(1)
    await second.close()
  })

  it('has a key for the command line, made anew when it was lost or revoked', async () => {
    const data = temporaryFolder()
    const first = await open(data)
    expect((await findApiKey(first, `Bearer ${first.localKey}`))?.name).toBe('local')
    await revokeApiKey(first, 'local')
    await first.close()
    const second = await open(data)
    expect(second.localKey).not.toBe(first.localKey)
    expect((await listApiKeys(second)).map(({ name }) => name)).toEqual(['local'])
    await second.close()
  })

  it('is let go when it cannot be opened', async () => {
    const data = temporaryFolder()
    fs.writeFileSync(join(data, 'format.json'), '{"format": 99}')
    await expect(open(data)).rejects.toMatchObject({ code: 'folder.newer' })
    fs.rmSync(join(data, 'format.json'))
    const platform = await open(data)
    await expect(open(data)).rejects.toMatchObject({ code: 'folder.locked' })
    await platform.close()
  })

  it('is copied while it is in use, and the copy is a data folder', async () => {
    const data = temporaryFolder()
    const platform = await open(data)
    await platform.records.put({ partition: 'p', sort: 's', value: 'kept' })
    await platform.objects.put('posts/1/source', Buffer.from('bytes'), { contentType: 'text/html' })
    await platform.mailer.send(message, new Date(Date.now() + 60_000))
    const target = join(temporaryFolder(), 'copy')
    let n = 0
    let isWriting = true
    const writing = (async () => {
      for (; isWriting; n++) {
        await platform.objects.put(`posts/w${n}/source`, Buffer.from('w'), {
          contentType: 'text/markdown',
        })
        await platform.records.put({ partition: 'w', sort: `${n}`, value: n })
      }
    })()
    const { files, bytes } = await platform.machine.backup(target)
    isWriting = false
    await writing
    expect(files).toBeGreaterThanOrEqual(5)
    expect(bytes).toBeGreaterThan(1000)
    await expect(platform.machine.backup(target)).rejects.toMatchObject({ code: 'backup.folder' })
    await expect(platform.machine.backup(join(data, 'x'))).rejects.toMatchObject({
      code: 'backup.folder',
    })
    await platform.close()

    const copy = await open(target)
    expect(copy.localKey).toBe(platform.localKey)
    expect((await copy.records.get({ partition: 'p', sort: 's' }))?.value).toBe('kept')
    expect(await copy.objects.get('posts/1/source')).toMatchObject({ contentType: 'text/html' })
    expect(await copy.mailer.evidence('d1')).toBe('accepted')
    for (const { value } of (await copy.records.query('w')).records) {
      expect(await copy.objects.get(`posts/w${value}/source`)).toBeDefined()
    }
    expect(fs.statSync(join(target, 'secrets.json')).mode & 0o777).toBe(0o600)
    await copy.close()
  })

  it('also forgets mails that were kept before mails went out', async () => {
    const data = temporaryFolder()
    const before = await open(data)
    const reader = 'a'.repeat(32)
    const deliveryId = `confirm_${reader}_AbCdEfGhIjKl`
    await before.mailer.send({ ...message, deliveryId }, new Date(Date.now() + 60_000))
    await before.close()
    const smtp = { ...defaultSettings, smtpUrl: 'smtp://127.0.0.1:1' }
    const platform = await open(data, { settings: smtp })
    expect(platform.machine.outbox).toBeUndefined()
    expect((await platform.objects.list('outbox/')).objects).toHaveLength(1)
    await platform.outbox.forget(reader)
    expect((await platform.objects.list('outbox/')).objects).toEqual([])
    await platform.close()
  })

  it('is tidied: what has expired goes, the rest stays', async () => {
    let present = new Date('2026-03-02T08:00:00Z')
    const platform = await open(temporaryFolder(), { now: () => present })
    await platform.records.put({
      partition: 'p',
      sort: 's',
      value: 1,
      expiresAt: new Date('2026-03-03'),
    })
    await platform.mailer.send(message, new Date('2026-03-03'))
    await platform.tidy()
    expect((await platform.records.query('p')).records).toHaveLength(1)
    present = new Date('2028-03-02T08:00:00Z')
    await platform.tidy()
    expect(await platform.machine.outbox?.list({ limit: 10 })).toEqual([])
    await platform.close()
  })
})

describe('the server', () => {
  async function serve(fetch: (request: Request) => Response | Promise<Response>) {
    const data = temporaryFolder()
    const platform = await open(data)
    const server = await startServer({ platform, app: { fetch }, host: '127.0.0.1', port: 0 })
    onTestFinished(() => server.stop())
    return { data, platform, server }
  }

  it('serves, says where, and stops cleanly', async () => {
    const { data, server } = await serve(
      (request) => new Response(`at ${new URL(request.url).pathname}`),
    )
    expect(JSON.parse(fs.readFileSync(join(data, 'server.json'), 'utf8'))).toEqual({
      pid: process.pid,
      address: server.url,
    })
    expect(await (await fetch(`${server.url}/x`)).text()).toBe('at /x')
    await server.stop()
    await server.stop()
    expect(fs.existsSync(join(data, 'server.json'))).toBe(false)
    await expect(fetch(server.url)).rejects.toThrow()
    await (await open(data)).close()
  })

  it('finishes a request that is under way when it is stopped', async () => {
    const arrived = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<Response>()
    const { server } = await serve(() => {
      arrived.resolve()
      return answer.promise
    })
    const request = fetch(server.url).then((response) => response.text())
    await arrived.promise
    const stopped = server.stop()
    answer.resolve(new Response('done'))
    expect(await request).toBe('done')
    await stopped
  })

  it('names the port that is taken, and lets go of nothing else', async () => {
    const { server } = await serve(() => new Response('first'))
    const platform = await open(temporaryFolder())
    const port = Number(new URL(server.url).port)
    await expect(
      startServer({ platform, app: { fetch: () => new Response() }, host: '127.0.0.1', port }),
    ).rejects.toMatchObject({ code: 'server.address', message: expect.stringContaining(`${port}`) })
    await platform.close()
    expect(await (await fetch(server.url)).text()).toBe('first')
  })

  it('refuses headers over 16 kB and a line that is no HTTP', async () => {
    const { server } = await serve(() => new Response('ok'))
    const large = await fetch(server.url, { headers: { 'x-large': 'x'.repeat(20_000) } })
    expect(large.status).toBe(431)
    const { port } = new URL(server.url)
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('no such thing\r\n\r\n'))
      socket.once('data', (chunk) => resolve(chunk.toString()))
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400/)
    expect(await (await fetch(server.url)).text()).toBe('ok')
  })
})

describe('the machine’s clock', () => {
  it('can stand elsewhere for a part of the work, on the same data', async () => {
    const platform = await open(temporaryFolder(), { now: () => new Date('2026-03-02T08:00:00Z') })
    await platform.records.put({
      partition: 'p',
      sort: 's',
      value: 1,
      expiresAt: new Date('2026-03-03'),
    })
    const later = platform.machine.at(new Date('2026-03-09T08:00:00Z'))
    expect(later.now()).toEqual(new Date('2026-03-09T08:00:00Z'))
    expect(await later.records.get({ partition: 'p', sort: 's' })).toBeUndefined()
    expect(await platform.records.get({ partition: 'p', sort: 's' })).toBeDefined()
    expect(
      (await later.records.put({ partition: 'p', sort: 's', value: 2 }, { ifAbsent: true })).status,
    ).toBe('stored')
    const late = { ...message, deliveryId: 'd2' }
    expect(await later.mailer.send(late, new Date('2026-03-09T07:00:00Z'))).toMatchObject({
      status: 'deferred',
    })
    expect(await later.mailer.send(late, new Date('2026-03-09T09:00:00Z'))).toMatchObject({
      status: 'sent',
    })
    await platform.close()
  })

  it('keeps what it makes from a worker that goes by the real one, and runs it dry', async () => {
    const platform = await open(temporaryFolder())
    const worker = platform.startWorker()
    const later = platform.machine.at(new Date(Date.now() + 7 * 86_400_000))
    const ids = await later.jobs.enqueue([{ kind: 'regenerate', feed: '*' }])
    // The worker takes what waits in order: when this one is done, it has left the other alone.
    await platform.settled(await platform.jobs.enqueue([{ kind: 'regenerate', feed: 'a' }]))
    const [left] = await later.jobs.receive('urgent', { limit: 2, leaseSeconds: 5 })
    expect(left).toMatchObject({ id: ids[0], receives: 1 })
    await later.jobs.release(left?.receipt ?? '')
    await later.machine?.drain()
    expect(await later.jobs.receive('urgent', { limit: 1, leaseSeconds: 5 })).toEqual([])
    await later.settled(ids)
    await worker.stop()
    await platform.close()
  })
})

describe('jobs', () => {
  it('are done where they are waited for, with a worker or without', async () => {
    const platform = await open(temporaryFolder())
    const enqueue = () => platform.jobs.enqueue([{ kind: 'regenerate', feed: '*' }])
    await platform.settled(await enqueue())
    expect(await platform.jobs.receive('urgent', { limit: 1, leaseSeconds: 5 })).toEqual([])
    const worker = platform.startWorker()
    expect(() => platform.startWorker()).toThrow('already')
    await platform.settled(await enqueue())
    await worker.stop()
    expect(await platform.jobs.receive('urgent', { limit: 1, leaseSeconds: 5 })).toEqual([])
    await platform.close()
  })

  it('that always fail end in the dead letters when the queue is run dry', async () => {
    const platform = await open(temporaryFolder())
    await platform.jobs.enqueue([
      { kind: 'no such kind' } as never,
      { kind: 'regenerate', feed: '*' },
    ])
    await platform.machine.drain()
    const letters = await platform.jobs.deadLetters()
    expect(letters.map(({ job }) => job.kind)).toEqual(['no such kind'])
    await platform.close()
  })
})
