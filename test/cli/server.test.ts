import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import {
  broadsheet,
  ended,
  scratchFolder,
  spawnBroadsheet,
  startBroadsheet,
} from './broadsheet-process.ts'

// Processes share the machine with other tests.
vi.setConfig({ testTimeout: 90_000 })

const post = (title: string) => `---\ntitle: ${title}\ncategories: [news]\n---\nIt **works**.\n`

/** What a look finds as soon as it finds something. */
const eventually = <T>(look: () => T | Promise<T>) => vi.waitUntil(look, { timeout: 60_000 })

describe('start --demo', () => {
  it('shows site, feeds and a digest for the demo reader, and ends with 0 on SIGTERM', async () => {
    const cwd = scratchFolder()
    const server = await startBroadsheet(['--demo'], { cwd })
    const outbox = join(cwd, 'data/outbox')
    const mail = await eventually(() => readdirSync(outbox).find((name) => name.endsWith('.eml')))
    const raw = readFileSync(join(outbox, mail), 'utf8')
    expect(raw).toMatch(/^To: .*reader@example\.com/m)
    expect(raw).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click')

    for (const path of [
      '/',
      '/feeds/',
      '/subscribe',
      '/outbox/',
      '/categories/%E8%AF%BB%E6%8A%A5/',
    ]) {
      const response = await fetch(server.url + path)
      expect([path, response.status]).toEqual([path, 200])
    }
    const feed = await (await fetch(`${server.url}/feeds/feed.json`)).json()
    expect(feed.items).toHaveLength(13)
    const languages = feed.items.map((item: { language?: string }) => item.language ?? 'en')
    expect(new Set(languages)).toEqual(new Set(['en', 'de', 'zh-CN', 'ja']))

    server.child.kill('SIGTERM')
    expect(await server.ended).toMatchObject({ code: 0 })
    expect(existsSync(join(cwd, 'data/server.json'))).toBe(false)
  })

  it('leaves a folder alone that has posts', async () => {
    const cwd = scratchFolder()
    await broadsheet(['publish', '-'], { cwd, input: post('Mine') })
    const server = await startBroadsheet(['--demo'], { cwd })
    const { stdout } = await broadsheet(['posts', '--json'], { cwd })
    expect(stdout.trim().split('\n')).toHaveLength(1)
    server.child.kill('SIGKILL')
  })
})

describe('a running server', () => {
  it('keeps a second one off its folder, serves the commands, and survives kill -9', async () => {
    const cwd = scratchFolder()
    const first = await startBroadsheet([], { cwd })

    const second = await broadsheet(['start', '--port', '0'], { cwd })
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(String(first.pid))

    writeFileSync(join(cwd, 'hello.md'), post('Hello'))
    const published = await broadsheet(['publish', 'hello.md', '--json'], { cwd })
    expect(published.code).toBe(0)
    const { id, url, outcome } = JSON.parse(published.stdout)
    expect(outcome).toBe('published')
    expect(url).toBe(`${first.url}/posts/hello/`)
    expect((await fetch(url)).status).toBe(200)

    first.child.kill('SIGKILL')
    await first.ended
    const offline = await broadsheet(['posts', '--json'], { cwd })
    expect(JSON.parse(offline.stdout)).toMatchObject({ id, url })

    const again = await startBroadsheet([], { cwd })
    // Documents name the base URL, so they are rendered again with the new port.
    const feedUrl = `${again.url}/feeds/news/feed.json`
    const feed = await eventually(async () => {
      const document = await (await fetch(feedUrl)).json()
      return document.feed_url === feedUrl && document
    })
    expect(feed.items.map((item: { title: string }) => item.title)).toEqual(['Hello'])
    again.child.kill('SIGTERM')
    expect(await again.ended).toMatchObject({ code: 0 })
  })

  it('is driven by --url and --key from elsewhere, within what the key may', async () => {
    const cwd = scratchFolder()
    const server = await startBroadsheet([], { cwd })
    const made = await broadsheet(['keys', 'create', 'reader', '--scope', 'posts:read', '--json'], {
      cwd,
    })
    const { key, name, scopes } = JSON.parse(made.stdout)
    expect([name, scopes]).toEqual(['reader', ['posts:read']])

    const elsewhere = scratchFolder()
    const env = { BROADSHEET_URL: server.url, BROADSHEET_KEY: key }
    expect(await broadsheet(['posts'], { cwd: elsewhere, env })).toMatchObject({ code: 0 })
    expect(
      await broadsheet(['publish', '-'], { cwd: elsewhere, env, input: post('No') }),
    ).toMatchObject({ code: 4 })
    expect(await broadsheet(['posts', '--url', server.url], { cwd: elsewhere })).toMatchObject({
      code: 2,
    })
    expect(existsSync(join(elsewhere, 'data'))).toBe(false)

    await broadsheet(['keys', 'revoke', 'reader'], { cwd })
    expect(await broadsheet(['posts'], { cwd: elsewhere, env })).toMatchObject({ code: 4 })
    const gone = { ...env, BROADSHEET_URL: 'http://127.0.0.1:1' }
    expect(await broadsheet(['posts'], { cwd: elsewhere, env: gone })).toMatchObject({ code: 8 })
    server.child.kill('SIGKILL')
  })
})

describe('start', () => {
  it('says when the port is taken, and lets go of the folder', async () => {
    const cwd = scratchFolder()
    const server = await startBroadsheet([], { cwd })
    const other = scratchFolder()
    const port = new URL(server.url).port
    const refused = await broadsheet(['start', '--port', port], { cwd: other })
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.stderr).toContain(`Port ${port}`)
    expect(await broadsheet(['posts'], { cwd: other })).toMatchObject({ code: 0 })
    server.child.kill('SIGKILL')
  })

  it('refuses a configuration that cannot be used before anything is made', async () => {
    const cwd = scratchFolder()
    writeFileSync(
      join(cwd, 'broadsheet.yaml'),
      'mail:\n  form: a@b.example\nsite:\n  timeZone: Mars\n',
    )
    const refused = await broadsheet(['start', '--port', '0'], { cwd })
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('did you mean `mail.from`')
    expect(refused.stderr).toContain('site.timeZone')
    expect(existsSync(join(cwd, 'data'))).toBe(false)
  })

  it('is interrupted by Ctrl-C like any command', async () => {
    const cwd = scratchFolder()
    const child = spawnBroadsheet(['publish', '-'], { cwd })
    const end = ended(child)
    await eventually(() => existsSync(join(cwd, 'data/lock')))
    child.kill('SIGINT')
    expect(await end).toMatchObject({ code: 130 })
  })
})
